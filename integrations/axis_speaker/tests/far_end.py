"""An Axis loudspeaker on a socket of 127.0.0.1, byte by byte, so that it can also lie as no web server would.

It keeps every request: when each byte of sound came, and whether the connection was ended in mid-speech.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

USER, PASSWORD = "menshen", "päss:wörd"
CHALLENGES = {
    "digest": 'Digest realm="AXIS_ACCC8E", nonce="{}", algorithm=MD5, qop="auth"',
    "sha256": 'Digest realm="AXIS_ACCC8E", nonce="{}", algorithm=SHA-256, qop="auth"',
    "basic": 'Basic realm="AXIS_ACCC8E"',
    "bearer": "Bearer",
    "broken": 'Digest nonsense, nonce=""',
}


@dataclass
class Request:
    """One request as it arrived."""

    line: str
    headers: dict[str, str]
    body: bytearray = field(default_factory=bytearray)
    times: list[tuple[float, int]] = field(default_factory=list)
    """When how many bytes of the body were there."""
    cut: bool = False
    refused: bool = False


@dataclass
class Axis:
    """``answer`` is sent after the sound; ``early`` as soon as the request's head is there; ``deaf`` reads no more."""

    scheme: str = "digest"
    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    early: bytes = b""
    deaf: bool = False
    silent: bool = False
    clips: bytes = (
        b"root.MediaClip.M0.Name=Alarm\r\nroot.MediaClip.M7.Name=Ding dong\r\nroot.MediaClip.M7.Type=audio\r\n"
    )
    """What it says of its stored clips."""
    played: list[str] = field(default_factory=list)
    """The queries of the clips that it was told to play."""
    requests: list[Request] = field(default_factory=list)
    _nonces: set[str] = field(default_factory=set)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _open: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    @property
    def spoken(self) -> list[Request]:
        """The requests that were let in."""
        return [request for request in self.requests if request.body]

    @asynccontextmanager
    async def listen(self, port: int = 0) -> AsyncIterator[str]:
        """Serve, on a free port by itself; yields the address."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            self._stop.set()
            for writer in self._open.values():
                writer.close()
            if self._open:
                await asyncio.wait(self._open, timeout=5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        line, *rows = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (row.partition(": ") for row in rows if row)}
        request = Request(line, headers)
        self.requests.append(request)
        if self.silent:
            return not await reader.read()
        length = int(headers.get("content-length", "0"))
        if not self._lets_in(request):
            request.refused = True
            writer.write(self._refusal())
            await reader.readexactly(length)
            return True
        if line.startswith("GET "):
            self.played += re.findall(r"playclip\.cgi\?(\S+)", line)
            body = self.clips if "group=MediaClip " in line else b"OK\r\n"
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            return True
        if length == 0:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            return True
        writer.write(self.early)
        if self.deaf:
            await self._stop.wait()
            return False
        while len(request.body) < length:
            chunk = await reader.read(length - len(request.body))
            request.cut = not chunk
            if not chunk:
                return False
            request.body += chunk
            request.times.append((asyncio.get_running_loop().time(), len(request.body)))
        writer.write(self.answer)
        return bool(self.answer.strip())

    def _refusal(self) -> bytes:
        nonce = f"n{len(self.requests)}"
        self._nonces.add(nonce)
        challenge = CHALLENGES[self.scheme].format(nonce)
        return f"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 0\r\n\r\n".encode()

    def _lets_in(self, request: Request) -> bool:
        """RFC 7616, section 3.4.1; each nonce serves one request only."""
        said = request.headers.get("authorization", "")
        if self.scheme == "":
            return True
        if self.scheme == "basic":
            return said == "Basic bWVuc2hlbjpww6Rzczp3w7ZyZA=="
        fields = {key: quoted or bare for key, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', said)}
        if not said.startswith("Digest ") or fields.get("nonce") not in self._nonces:
            return False
        self._nonces.remove(fields["nonce"])
        kind = "sha256" if self.scheme == "sha256" else "md5"

        def digest(text: str) -> str:
            return hashlib.new(kind, text.encode(), usedforsecurity=False).hexdigest()

        middle = ":".join(fields[key] for key in ("nonce", "nc", "cnonce", "qop"))
        method, target, _ = request.line.split(" ")
        right = f"{digest(f'{USER}:AXIS_ACCC8E:{PASSWORD}')}:{middle}:{digest(f'{method}:{target}')}"
        return (fields["uri"], fields["response"]) == (target, digest(right))
