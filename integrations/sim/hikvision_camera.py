"""A camera's web server on plain sockets, so that it can answer early, lie and hang up, and see when each byte came.

It asks for Digest log-in (RFC 7616, MD5) as cameras do; a nonce serves ``uses`` requests.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from integrations.sim.plain_server import PlainServer

USER, PASSWORD = "admin", "päss"
JPEG = b"\xff\xd8\xff\xe0" + bytes(1_000) + b"\xff\xd9"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=boundary\r\nConnection: close\r\n\r\n"
AUDIO = "/ISAPI/System/TwoWayAudio/channels/1"
NAMESPACE = "http://www.hikvision.com/ver20/XMLSchema"
OK = b"<ResponseStatus><statusCode>1</statusCode></ResponseStatus>"


def alert(event: str = "VMD", state: str = "active", channel: int = 1) -> bytes:
    """One part of the stream."""
    body = (
        f'<EventNotificationAlert version="2.0" xmlns="{NAMESPACE}">\r\n<channelID>{channel}</channelID>\r\n'
        f"<eventType>{event}</eventType>\r\n<eventState>{state}</eventState>\r\n</EventNotificationAlert>"
    ).encode()
    head = f'--boundary\r\nContent-Type: application/xml; charset="UTF-8"\r\nContent-Length: {len(body)}\r\n\r\n'
    return head.encode() + body + b"\r\n"


HEARTBEAT = alert("videoloss", "inactive", 0)

Stream = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Camera(PlainServer):
    """One camera. ``login`` is ``Digest``, ``Basic`` (which it asks for and never takes) or empty."""

    login: str = "Digest"
    uses: int = 99
    status: int = 200
    codec: str = "G.711ulaw"
    session: str = "2093716360"
    early: bool = False
    """Answer sound when its head was read, as firmwares do, not after it, as the guide shows."""
    left_open: bool = False
    """The audio channel is in use."""
    answers: dict[str, bytes] = field(default_factory=dict)
    """Whole answers that stand in for the true ones, by path."""
    silent: frozenset[str] = frozenset()
    """Paths that are never answered."""
    stream: Stream | None = None
    """What is written on the event stream after its head; the connection ends with it."""
    user: str = USER
    password: str = PASSWORD
    shows: Callable[[], bytes] = lambda: JPEG
    """What it sees (JPEG)."""
    asked: list[str] = field(default_factory=list)
    """``METHOD target`` of each request that was let in."""
    refused: int = 0
    heard: list[tuple[float, bytes]] = field(default_factory=list)
    """When which sound came, on the loop's clock."""
    hung_up: bool = False
    """The caller ended the last connection for sound before it was complete."""
    _uses: dict[str, int] = field(default_factory=dict)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; tell whether the connection stays."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8")
        method, target, _ = head.split(" ", 2)
        path = target.partition("?")[0]
        found = re.search(r"content-length: (\d+)", head, re.I)
        length = int(found[1]) if found else 0
        if self.login and not self._let_in(method, target, head):
            self.refused += 1
            writer.write(_answer(self._challenge(), 401, b""))
            return not length
        self.asked.append(f"{method} {target}")
        if path in self.silent:
            await asyncio.get_running_loop().create_future()
        if path in self.answers:
            writer.write(self.answers[path])
            return False
        if self.status != 200:
            writer.write(_answer("Location: http://192.0.2.1/\r\n", self.status, b""))
            return True
        if path.endswith("/alertStream"):
            writer.write(HEAD)
            await writer.drain()
            if self.stream is not None:
                await self.stream(reader, writer)
                await writer.drain()
            return False
        if path.endswith("/audioData"):
            await self._listen(reader, writer, length)
            return True
        body, status = self._plain(method, path)
        writer.write(_answer("", status, body))
        return True

    def _plain(self, method: str, path: str) -> tuple[bytes, int]:
        if path == "/ISAPI/Streaming/channels/101/picture":
            return self.shows(), 200
        if path == AUDIO and method == "GET":
            text = f'<TwoWayAudioChannel xmlns="{NAMESPACE}"><audioCompressionType>{self.codec}</audioCompressionType>'
            return f"{text}</TwoWayAudioChannel>".encode(), 200
        if path == f"{AUDIO}/open" and method == "PUT":
            if self.left_open:
                return OK, 503
            self.left_open = True
            return f"<TwoWayAudioSession><sessionId>{self.session}</sessionId></TwoWayAudioSession>".encode(), 200
        if path == f"{AUDIO}/close" and method == "PUT":
            self.left_open = False
            return OK, 200
        return b"", 404

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, length: int) -> None:
        if self.early or not length:
            writer.write(_answer("", 200, b""))
        left = length
        try:
            while left:
                data = await reader.read(min(left, 4096))
                if not data:
                    raise ConnectionResetError
                self.heard.append((asyncio.get_running_loop().time(), data))
                left -= len(data)
        except ConnectionError:
            self.hung_up = True
            raise
        if not self.early and length:
            writer.write(_answer("", 200, OK))

    def _challenge(self) -> str:
        if self.login == "Basic":
            return 'WWW-Authenticate: Basic realm="camera"\r\n'
        nonce = f"4e{len(self._uses):06x}"
        self._uses[nonce] = 0
        return f'WWW-Authenticate: Digest qop="auth", realm="DS-2CD2F12FWD-IWS", nonce="{nonce}"\r\n'

    def _let_in(self, method: str, target: str, head: str) -> bool:
        """RFC 7616, section 3.4.1, with the MD5 that cameras still use."""
        said = re.search(r"^authorization: digest (.*)\r$", head, re.I | re.M)
        fields = {
            key: quoted or bare
            for key, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', said[1] if said else "")
        }
        nonce = fields.get("nonce", "")
        if nonce not in self._uses or self._uses[nonce] >= self.uses or fields.get("uri") != target:
            return False

        def digest(text: str) -> str:
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        middle = ":".join(fields[key] for key in ("nonce", "nc", "cnonce", "qop"))
        secret = digest(f"{self.user}:DS-2CD2F12FWD-IWS:{self.password}")
        if digest(f"{secret}:{middle}:{digest(f'{method}:{target}')}") != fields.get("response"):
            return False
        self._uses[nonce] += 1
        return True


def _answer(headers: str, status: int, body: bytes) -> bytes:
    return f"HTTP/1.1 {status} Status\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body
