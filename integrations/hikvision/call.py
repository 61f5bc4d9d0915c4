"""Sends sound in real time: ``PUT …/audioData`` on a connection of its own.

The body is as long as Content-Length says and goes out as fast as it is heard. The vendor's guide (ISAPI, General
Application, 15.10.187) shows an answer after the body; firmwares answer as soon as they have read the head and go on
listening. An HTTP client ends a request when it is answered and would cut the speech, so this one is written by hand.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

from hub.sdk import BadCredentials, Unreachable, Unsupported, digest
from integrations.hikvision.config import Config

#: Seconds of sound in one write, and its bytes at 8 kHz.
PIECE_SECONDS, PIECE = 0.04, 320
#: Largest answer read, in bytes.
MAX_ANSWER = 64 * 1024

_STATUS = re.compile(rb"\AHTTP/1\.[01] ([0-9]{3})[ \r]")
_CHALLENGE = re.compile(rb"^www-authenticate:[ \t]*(digest[^\r\n]*)", re.I | re.M)


async def send(base: str, target: str, config: Config, sound: bytes) -> None:
    """Send ``sound`` (G.711) in the time it takes to hear it; return when the camera took it. Raises DeviceError.

    ``base`` is a checked address of scheme, host and port. When cancelled, nothing more is sent.
    """
    call = _Call(base, target, config)
    try:
        async with asyncio.timeout(len(sound) / PIECE * PIECE_SECONDS + 3 * config.timeout_s):
            # First without sound: a camera that reads a body before it asks who is there would speak too late.
            if await call.attempt(b"") == HTTPStatus.UNAUTHORIZED and not config.user:
                raise BadCredentials("the camera asks for a user and a password")
            if await call.attempt(sound) == HTTPStatus.UNAUTHORIZED:
                raise BadCredentials("the camera refused the user or the password")
    except TimeoutError:
        raise Unreachable("the camera did not take the sound in time") from None
    except OSError as error:
        raise Unreachable(f"no connection for sound ({type(error).__name__})") from None


@dataclass(slots=True)
class _Call:
    base: str
    target: str
    config: Config
    challenge: str = ""
    answer: bytearray = field(default_factory=bytearray)

    async def attempt(self, sound: bytes) -> int:
        """Send one request; return its status, 2xx or 401. Raises DeviceError, OSError, TimeoutError."""
        self.answer.clear()
        parts = urlsplit(self.base)
        secure = ssl.create_default_context() if parts.scheme == "https" else None
        reader, writer = await asyncio.open_connection(
            parts.hostname, parts.port or (443 if secure else 80), ssl=secure
        )
        try:
            writer.write(self._head(parts.netloc, len(sound)))
            clock = asyncio.get_running_loop().time
            start, status = clock(), 0
            for number in range(-(-len(sound) // PIECE)):
                writer.write(sound[number * PIECE : (number + 1) * PIECE])
                await writer.drain()
                # Each is due at a multiple after the first: what one is late with, the next makes good.
                due = start + (number + 1) * PIECE_SECONDS
                status = await self._listen(reader, due, lambda status: status == HTTPStatus.UNAUTHORIZED)
                if status == HTTPStatus.UNAUTHORIZED:
                    return status
            status = status or await self._listen(reader, clock() + self.config.timeout_s, bool)
            if not status:
                raise Unreachable("the camera did not say that it took the sound")
            return status
        finally:
            writer.transport.abort()  # what the camera has not got yet must not be heard after a cancellation

    def _head(self, host: str, length: int) -> bytes:
        lines = [f"PUT {self.target} HTTP/1.1", f"Host: {host}"]
        lines += ["Content-Type: application/octet-stream", f"Content-Length: {length}"]
        if self.challenge:
            user, password = self.config.user, self.config.password
            cnonce = secrets.token_hex(8)
            lines.append(
                f"Authorization: {digest.authorization(self.challenge, 'PUT', self.target, user, password, cnonce)}"
            )
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")

    async def _listen(self, reader: asyncio.StreamReader, until: float, enough: Callable[[int], bool]) -> int:
        """Read what the camera answers until then or until it is enough; return its status, 0 for none yet."""
        status = 0
        try:
            async with asyncio.timeout_at(until):
                while not enough(status := self._status()):
                    data = await reader.read(4096)
                    if not data:
                        raise Unreachable("the camera hung up")
                    self.answer += data
                    if len(self.answer) > MAX_ANSWER:
                        raise Unsupported(f"the answer is larger than {MAX_ANSWER} bytes")
        except TimeoutError:
            return status
        return status

    def _status(self) -> int:
        """Return the status of the answer, 0 while its head is not complete. Raises DeviceError."""
        head, end, _ = self.answer.partition(b"\r\n\r\n")
        if not end:
            return 0
        match = _STATUS.match(head)
        if match is None:
            raise Unsupported("the camera does not answer by HTTP")
        status = int(match[1])
        if status == HTTPStatus.UNAUTHORIZED:
            challenge = _CHALLENGE.search(head)
            self.challenge = challenge[1].decode("utf-8", "surrogateescape") if challenge else "none"
        elif status == HTTPStatus.FORBIDDEN:
            raise BadCredentials("the user may not speak through the camera (HTTP 403)")
        elif status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
            raise Unreachable(f"the camera is not ready (HTTP {status})")
        elif not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise Unsupported(f"the camera refused the sound (HTTP {status})")
        return status
