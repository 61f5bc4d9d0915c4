"""A camera's web server on plain sockets, so that it can lie and hang up. It asks for Digest log-in (RFC 7616, MD5)."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from integrations.sim.plain_server import PlainServer

USER, PASSWORD = "admin", "päss"
REALM, NONCE = "Login to 6e2f0b", "1408302461"
JPEG = b"\xff\xd8\xff\xe0" + bytes(1_000) + b"\xff\xd9"
HEAD = (
    b"HTTP/1.1 200 OK\r\nCache-Control: no-cache\r\nConnection: close\r\n"
    b"Content-Type: multipart/x-mixed-replace; boundary=myboundary\r\n\r\n"
)


def part(message: str) -> bytes:
    """One part of the stream."""
    body = message.encode()
    return b"--myboundary\r\nContent-Type: text/plain\r\nContent-Length:%d\r\n\r\n%s\r\n\r\n" % (len(body), body)


def event(code: str, action: str = "Start", index: int = 0) -> bytes:
    """One part that holds an event."""
    return part(f"Code={code};action={action};index={index};data={{}}")


HEARTBEAT = part("Heartbeat")

Stream = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Camera(PlainServer):
    """One camera. ``login`` is ``Digest``, ``Basic`` (which it asks for and never takes) or empty."""

    login: str = "Digest"
    status: int = 200
    answers: dict[str, bytes] = field(default_factory=dict)
    """Whole answers that stand in for the true ones, by what their address holds."""
    silent: str = ""
    """What the address of a request holds that is never answered."""
    lasts: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """On which channels (from 0) a code lasts."""
    stream: Stream | None = None
    """What is written on the event stream after its head; the connection ends with it."""
    user: str = USER
    password: str = PASSWORD
    shows: Callable[[], bytes] = lambda: JPEG
    """What it sees (JPEG)."""
    asked: list[str] = field(default_factory=list)
    """The target of each request that was let in."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; tell whether the connection stays."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8")
        method, target, _ = head.split(" ", 2)
        if self.login and not self._let_in(method, target, head):
            scheme = f'Digest realm="{REALM}", qop="auth", nonce="{NONCE}", opaque="da5"'
            challenge = scheme if self.login == "Digest" else 'Basic realm="camera"'
            writer.write(_answer(f"WWW-Authenticate: {challenge}\r\n", 401, b""))
            return True
        self.asked.append(target)
        if self.silent and self.silent in target:
            await asyncio.get_running_loop().create_future()
        for place, answer in self.answers.items():
            if place in target:
                writer.write(answer)
                return False
        if self.status != 200:
            writer.write(_answer("Location: http://192.0.2.1/\r\n", self.status, b""))
        elif target.startswith("/cgi-bin/eventManager.cgi?action=attach&codes=["):
            writer.write(HEAD)
            await writer.drain()
            if self.stream is not None:
                await self.stream(reader, writer)
                await writer.drain()
            return False
        elif "action=getEventIndexes" in target:
            found = self.lasts.get(target.rpartition("=")[2], ())
            lines = "".join(f"channels[{number}]={channel}\r\n" for number, channel in enumerate(found))
            writer.write(_answer("", 200, (lines or "Error: No Events\r\n").encode()))
        elif target == "/cgi-bin/snapshot.cgi?channel=1":
            writer.write(_answer("", 200, self.shows()))
        else:
            writer.write(_answer("", 400, b"Error\r\nBad Request!\r\n"))
        return True

    def _let_in(self, method: str, target: str, head: str) -> bool:
        """RFC 7616, section 3.4.1, with the MD5 that cameras still use."""
        said = re.search(r"^authorization: digest (.*)\r$", head, re.I | re.M)
        found = re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', said[1] if said else "")
        fields = {key: quoted or bare for key, quoted, bare in found}
        if fields.get("nonce") != NONCE or fields.get("uri") != target:
            return False

        def digest(text: str) -> str:
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        middle = ":".join(fields[key] for key in ("nonce", "nc", "cnonce", "qop"))
        expected = digest(f"{digest(f'{self.user}:{REALM}:{self.password}')}:{middle}:{digest(f'{method}:{target}')}")
        return str(fields.get("response")) == expected


def _answer(headers: str, status: int, body: bytes) -> bytes:
    return f"HTTP/1.1 {status} Status\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body
