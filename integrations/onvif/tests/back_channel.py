"""The stream of a camera that takes sound back: RTSP with ``Require``, RTP interleaved (ONVIF Streaming, 5.3)."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from integrations.sim.digest import Guard, Scheme
from integrations.sim.onvif_camera import PASSWORD, USER

TAG = "www.onvif.org/ver20/backchannel"
#: As in the example of the specification (5.3.1.1): the sound that the camera sends comes before that which it takes.
SDP = """v=0\r
o= 2890842807 IN IP4 127.0.0.1\r
s=RTSP Session with audiobackchannel\r
m=video 0 RTP/AVP 26\r
a=control:{base}/video\r
a=recvonly\r
m=audio 0 RTP/AVP 0\r
a=control:{base}/audio\r
a=recvonly\r
m=audio 0 RTP/AVP {codec}\r
a=control:{control}\r
a=rtpmap:{codec} {name}/8000\r
a=sendonly\r
"""
Lie = Callable[[str], bytes | None]


@dataclass
class Intercom:
    """One camera's stream. ``lies`` are sent instead of an answer; None is silence, b"" hangs up."""

    scheme: Scheme = "digest"
    codec: str = "0"
    control: str = "{base}/audioback"
    knows: bool = True
    """Whether it has a back channel at all."""
    lies: dict[str, bytes | None] = field(default_factory=dict)
    hangs_up_after: int = 0
    """Packets after which it is gone; 0 is never."""
    chats: bool = False
    """It sends RTCP of its own, between its answers and while it listens."""
    asked: list[str] = field(default_factory=list)
    heard: list[tuple[float, bytes]] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @contextlib.asynccontextmanager
    async def serve(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        talks: set[asyncio.Task[None]] = set()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            talks.add(task)
            with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
                await self._talk(reader, writer)
            writer.transport.abort()
            self.ended.set()

        server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for task in talks:
                task.cancel()
            await asyncio.gather(*talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guard = Guard(self.scheme, USER, PASSWORD, "cam")
        while first := await reader.read(1):
            if first == b"$":
                head = await reader.readexactly(3)
                data = await reader.readexactly(int.from_bytes(head[1:], "big"))
                assert head[0] == 4
                self.heard.append((asyncio.get_running_loop().time(), data))
                if len(self.heard) == self.hangs_up_after:
                    return
                continue
            lines = (first + await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, url, _ = lines[0].split(" ")
            headers = dict(line.split(": ", 1) for line in lines[1:] if line)
            self.asked.append(method)
            if self.chats:
                writer.write(b"$\x05\x00\x08" + b"\x80\xc8\x00\x01\x00\x00\x00\x01")
            if method in self.lies:
                lie = self.lies[method]
                if lie is None:
                    await asyncio.sleep(60)
                writer.write(lie or b"")
                await writer.drain()
                if not lie:
                    return
                continue
            writer.write(self._answer(guard, method, url, headers))
            await writer.drain()
            if method == "TEARDOWN":
                return

    def _answer(self, guard: Guard, method: str, url: str, headers: dict[str, str]) -> bytes:
        status, more, body = "200 OK", [f"CSeq: {headers['CSeq']}"], ""
        base = url.partition("/audioback")[0]
        if not guard.check(method, url, headers.get("Authorization")).passed:
            status = "401 Unauthorized"
            more += [f"WWW-Authenticate: {challenge}" for challenge in guard.challenges()]
        elif method in {"DESCRIBE", "SETUP", "PLAY"} and (headers.get("Require") != TAG or not self.knows):
            status = "551 Option not supported"
            more.append(f"Unsupported: {TAG}")
        elif method == "DESCRIBE":
            name = {"0": "PCMU", "8": "PCMA"}.get(self.codec, "G726-32")
            body = SDP.format(base=base, codec=self.codec, name=name, control=self.control.format(base=base))
            more += ["Content-Type: application/sdp", f"Content-Base: {base}/", f"Content-Length: {len(body)}"]
        elif method == "SETUP" and url.endswith("/audioback"):
            assert "RTP/AVP/TCP" in headers["Transport"]
            more += ["Transport: RTP/AVP/TCP;unicast;interleaved=4-5", "Session: 12345678;timeout=60"]
        elif headers.get("Session") != "12345678":
            status = "454 Session Not Found"
        return ("\r\n".join([f"RTSP/1.0 {status}", *more, "", ""]) + body).encode()
