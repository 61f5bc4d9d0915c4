"""One RTSP connection (RFC 2326) to speak on: requests, log-in, and passing over what the camera interleaves."""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
import ssl
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Self
from urllib.parse import urlsplit

from hub.sdk import BadCredentials, Unreachable, Unsupported, clean, digest

#: Ports of RTSP and of RTSP over TLS (RFC 7826, section 4.2).
PORTS = {"rtsp": 554, "rtsps": 322}
#: Largest head and body of an answer in bytes, and headers in it.
MAX_HEAD, MAX_BODY, MAX_HEADERS = 16 * 1024, 64 * 1024, 64
#: Interleaved packets passed over before an answer: a camera that only streams does not answer.
MAX_PACKETS = 1_000
#: "Option not supported" (RFC 2326, 11.3.14): what a camera without a back channel says.
NO_OPTION = 551

_STATUS = re.compile(r"\ARTSP/1\.[01] ([0-9]{3})(?: |\Z)")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers by their names in small letters (several of one name joined by a line feed), and body."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Rtsp:
    """An open connection. Every method raises DeviceError, OSError for a lost line, or EOFError where it ended."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    user: str
    password: str
    session: str = ""
    number: int = 0
    challenges: list[str] = field(default_factory=list)

    @classmethod
    async def open(cls, url: str, user: str, password: str) -> Self:
        """Connect to the host of ``url``, which the caller has checked."""
        parts = urlsplit(url)
        secure = ssl.create_default_context() if parts.scheme == "rtsps" else None
        port = parts.port or PORTS[parts.scheme]
        reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure, limit=MAX_HEAD)
        return cls(reader, writer, user, password)

    async def ask(self, method: str, url: str, *headers: str) -> Answer:
        """Send one request and return its 2xx answer; log in where the camera asks for it, once."""
        answer = await self._once(method, url, headers)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            if not self.user:
                raise BadCredentials("the camera's stream asks for a user and a password")
            self.challenges = answer.headers.get("www-authenticate", "").split("\n")
            answer = await self._once(method, url, headers)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise BadCredentials("the camera's stream refused the user or the password")
        _check(answer.status, method)
        return answer

    def say(self, method: str, url: str, *headers: str) -> None:
        """Send one request; its answer is not waited for."""
        self.number += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self.number}", "User-Agent: Menshen", *headers]
        if self.session:
            lines.append(f"Session: {self.session}")
        if self.challenges:
            lines.append(f"Authorization: {self._authorization(method, url)}")
        self.writer.write("\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape"))

    async def passed_over(self) -> None:
        """Read what the camera sends of its own accord (RTCP), and nothing else, until the line ends."""
        while True:
            await self._packet(await self.reader.readexactly(1))

    def drop(self) -> None:
        """End the connection at once: what it has not sent yet must not be heard."""
        self.writer.transport.abort()

    async def _once(self, method: str, url: str, headers: tuple[str, ...]) -> Answer:
        self.say(method, url, *headers)
        await self.writer.drain()
        for _ in range(MAX_PACKETS):
            first = await self.reader.readexactly(1)
            if first != b"$":
                answer = await self._answer(first)
                if answer.headers.get("cseq", "").strip() == str(self.number):
                    return answer
                continue  # to a question before
            await self._packet(first)
        raise Unreachable("the camera sends packets and does not answer")

    async def _packet(self, first: bytes) -> None:
        """Pass over one interleaved packet (RFC 2326, section 10.12), or an answer that nobody waits for."""
        if first == b"$":
            head = await self.reader.readexactly(3)
            await self.reader.readexactly(int.from_bytes(head[1:], "big"))
        else:
            await self._answer(first)

    async def _answer(self, first: bytes) -> Answer:
        try:
            head = first + await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            raise Unsupported(f"the head of the stream's answer is larger than {MAX_HEAD} bytes") from None
        lines = head.decode("utf-8", "replace").split("\r\n")
        status = _STATUS.match(lines[0])
        if status is None or len(lines) > MAX_HEADERS:
            raise Unsupported("what is at the stream's address does not speak RTSP")
        headers: dict[str, str] = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            key = name.strip().lower()
            headers[key] = f"{headers[key]}\n{value.strip()}" if key in headers else value.strip()
        length = headers.get("content-length", "0")
        if not re.fullmatch(r"[0-9]{1,6}", length) or int(length) > MAX_BODY:
            raise Unsupported(f"the stream's answer has a length of {clean(length, 20)!r}")
        return Answer(int(status[1]), headers, await self.reader.readexactly(int(length)))

    def _authorization(self, method: str, url: str) -> str:
        """Answer the first challenge that is known, Digest before Basic."""
        schemes = {challenge.partition(" ")[0].lower(): challenge for challenge in reversed(self.challenges)}
        if "digest" in schemes:
            return digest.authorization(schemes["digest"], method, url, self.user, self.password, secrets.token_hex(8))
        if "basic" in schemes:
            return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        raise Unsupported("the camera's stream wants a log-in that is neither Digest nor Basic")


def _check(status: int, method: str) -> None:
    """Raise the DeviceError that a status other than 2xx stands for."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    if status == HTTPStatus.FORBIDDEN:
        raise BadCredentials("the user may not use the camera's stream (RTSP 403)")
    if status == NO_OPTION:
        raise Unsupported("the camera has no back channel for sound (RTSP 551)")
    if status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INTERNAL_SERVER_ERROR, 453}:
        raise Unreachable(f"the camera is not ready, perhaps another one speaks (RTSP {status})")
    raise Unsupported(f"the camera refused {method} (RTSP {status})")
