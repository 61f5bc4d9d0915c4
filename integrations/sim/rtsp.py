"""An RTSP 1.0 server with RTP interleaved in its TCP connection (RFC 2326, interleaving: section 10.12)."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from integrations.sim.broadcast import Broadcast, Shot
from integrations.sim.digest import Guard
from integrations.sim.process import Address
from integrations.sim.rtp import Packet, fragments, sender_report

#: Path of the stream; its only track is one level below.
PATH, TRACK = "/lane", "/lane/trackID=0"
#: Dynamic payload type of the stream (RFC 3551 section 6).
H264 = 96
#: Largest head and body of a request, in bytes; seconds of silence before a connection that plays nothing is closed.
MAX_HEAD, MAX_BODY, IDLE = 8 * 1024, 8 * 1024, 60.0
#: Seconds between two sender reports (RFC 3550 section 6.2: five, less where few listen).
REPORT = 2.0
METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"

REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    501: "Not Implemented",
}


class Refused(Exception):
    """The request is answered with ``status``."""

    def __init__(self, status: int, headers: tuple[str, ...] = ()) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers


@dataclass(frozen=True)
class Ask:
    """One request."""

    method: str
    url: str
    headers: dict[str, str]

    @property
    def path(self) -> str:
        """The path without host and last slash."""
        return urlsplit(self.url).path.rstrip("/")


@asynccontextmanager
async def serving_rtsp(broadcast: Broadcast, guard: Guard, at: Address) -> AsyncIterator[int]:
    """Serve the broadcast and give the port. Raises OSError."""
    talks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs each connection in a task
        talks.add(task)
        try:
            await _Connection(broadcast, guard, reader, writer).serve()
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client went away, or does not speak RTSP
        except asyncio.CancelledError:
            pass  # the camera ends; asyncio would print a cancelled connection as a fault
        finally:
            talks.discard(task)
            writer.close()

    server = await asyncio.start_server(accept, at.host, at.port, limit=MAX_HEAD)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in list(talks):
            task.cancel()
        if talks:
            await asyncio.wait(talks, timeout=0.5)


@dataclass
class _Connection:
    broadcast: Broadcast
    guard: Guard
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    session: str = ""
    channel: int = 0
    ssrc: int = field(default_factory=lambda: secrets.randbits(32))
    sequence: int = field(default_factory=lambda: random.randrange(0x10000))  # noqa: S311 - RFC 3550 asks for unguessed
    clock: int = field(default_factory=lambda: secrets.randbits(31))
    sender: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Answer requests until TEARDOWN or the end of the connection."""
        try:
            while True:
                async with asyncio.timeout(None if self.sender else IDLE):
                    ask = await self._read()
                self._answer(ask)
                await self.writer.drain()
                if ask.method == "TEARDOWN":
                    return
                if ask.method == "PLAY" and self.session and self.sender is None:
                    self.sender = asyncio.create_task(self._send())
        finally:
            if self.sender is not None:
                self.sender.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await self.sender

    async def _read(self) -> Ask:
        """Return the next request; interleaved packets of the client (its RTCP) are skipped."""
        while (first := await self.reader.readexactly(1)) == b"$":
            head = await self.reader.readexactly(3)
            await self.reader.readexactly(int.from_bytes(head[1:], "big"))
        head = first + await self.reader.readuntil(b"\r\n\r\n")
        lines = head.decode("utf-8", "replace").split("\r\n")
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        words = lines[0].split(" ")
        length = headers.get("content-length", "0")
        if len(words) != 3 or not length.isdecimal() or int(length) > MAX_BODY:
            self._say(400, headers.get("cseq", "0"))
            raise ConnectionAbortedError("not an RTSP request")
        await self.reader.readexactly(int(length))
        return Ask(words[0], words[1], headers)

    def _answer(self, ask: Ask) -> None:
        number = ask.headers.get("cseq", "0")
        try:
            headers, body = self._handle(ask)
        except Refused as refused:
            self._say(refused.status, number, *refused.headers)
        else:
            self._say(200, number, *headers, body=body)

    def _handle(self, ask: Ask) -> tuple[tuple[str, ...], str]:
        """Return headers and body of the answer. Raises Refused."""
        if ask.method == "OPTIONS":
            return (f"Public: {METHODS}",), ""
        verdict = self.guard.check(ask.method, ask.url, ask.headers.get("authorization"))
        if not verdict.passed:
            raise Refused(401, tuple(f"WWW-Authenticate: {c}" for c in self.guard.challenges(stale=verdict.stale)))
        if ask.method not in METHODS.split(", "):
            raise Refused(501, (f"Public: {METHODS}",))
        if ask.path not in {PATH, TRACK}:
            raise Refused(404)
        if ask.method == "DESCRIBE":
            host = self.writer.get_extra_info("sockname")[0]
            base = ask.url.rstrip("/") + "/"
            return ("Content-Type: application/sdp", f"Content-Base: {base}"), self.broadcast.sdp(host)
        if ask.method == "SETUP":
            return self._setup(ask.headers.get("transport", "")), ""
        if not self.session or ask.headers.get("session", "").partition(";")[0] != self.session:
            raise Refused(454)
        if ask.method == "PLAY":
            return (f"Session: {self.session}", "Range: npt=0.000-", f"RTP-Info: url={ask.url};seq={self.sequence}"), ""
        return (f"Session: {self.session}",), ""

    def _setup(self, transports: str) -> tuple[str, ...]:
        """Take the first transport that is interleaved TCP."""
        if self.sender is not None:
            raise Refused(455)
        for transport in transports.split(","):
            parts = [part.strip() for part in transport.split(";")]
            if parts[0].upper() == "RTP/AVP/TCP":
                wanted = next((p.partition("=")[2] for p in parts if p.startswith("interleaved=")), "0-1")
                low = wanted.partition("-")[0]
                if not low.isdecimal() or int(low) > 254:
                    raise Refused(461)
                self.channel = int(low)
                self.session = self.session or secrets.token_hex(8)
                pair = f"interleaved={self.channel}-{self.channel + 1}"
                return (
                    f"Transport: RTP/AVP/TCP;unicast;{pair};ssrc={self.ssrc:08X}",
                    f"Session: {self.session};timeout=60",
                )
        raise Refused(461)

    def _say(self, status: int, number: str, *headers: str, body: str = "") -> None:
        lines = [f"RTSP/1.0 {status} {REASONS[status]}", f"CSeq: {number}", "Server: Menshen-Sim", *headers]
        if body:
            lines.append(f"Content-Length: {len(body.encode())}")
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    async def _send(self) -> None:
        """Send pictures until cancelled or the client is gone, and now and then what the camera's clock says."""
        told, packets, size = 0.0, 0, 0
        with self.broadcast.viewer() as viewer:
            while True:
                shot = await viewer.queue.get()
                for data in self._packets(shot):
                    packets, size = packets + 1, size + len(data)
                    self._interleave(self.channel, data)
                if time.monotonic() > told + REPORT:
                    told, wall = time.monotonic(), time.time() + self.broadcast.ahead_s
                    report = sender_report(self.ssrc, wall, shot.clock + self.clock, packets, size)
                    self._interleave(self.channel + 1, report)
                await self.writer.drain()

    def _interleave(self, channel: int, data: bytes) -> None:
        self.writer.write(b"$" + bytes((channel,)) + len(data).to_bytes(2, "big") + data)

    def _packets(self, shot: Shot) -> list[bytes]:
        """Return one picture's packets; the marker is on the last (RFC 6184 section 5.1)."""
        payloads = [part for unit in shot.units for part in fragments(unit)]
        packets = []
        for payload in payloads:
            marker = payload is payloads[-1]
            packet = Packet(H264, self.sequence, shot.clock + self.clock, self.ssrc, payload, marker)
            self.sequence = (self.sequence + 1) & 0xFFFF
            packets.append(packet.encode())
        return packets
