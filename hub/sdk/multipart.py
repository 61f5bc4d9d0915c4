"""An endless answer in parts (RFC 2046, section 5.1), as cameras tell events: opened, and read with a limit on silence.

``fetch`` is for answers that end. The same care is taken here: no redirects, a password only where asked, limits on
time and size, and errors that say what a technician should do.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
from yarl import URL

from hub.model.errors import BadCredentials, DecodeError, DeviceError, Unreachable, Unsupported
from hub.model.text import clean

#: Largest part that is kept, and largest picture that is passed over, in bytes: a 4K JPEG is about 4 MB.
MAX_PART, MAX_PICTURE = 256 * 1024, 16 * 1024 * 1024
#: Largest head of a part, in bytes; cameras send about 70.
MAX_HEAD = 4 * 1024

_BOUNDARY = re.compile(r"""\Amultipart/[\w-]+\s*;(?:.*;)?\s*boundary="?([\w'()+,./:=?-]{1,70})"?\s*(?:;|\Z)""", re.I)
_LENGTH = re.compile(rb"^content-length:[ \t]*([0-9]{1,9})[ \t]*\r?$", re.I | re.M)
_PICTURE = re.compile(rb"^content-type:[ \t]*image/", re.I | re.M)
#: The end of a part's head: an empty line.
BLANK = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Standing:
    """The question that is answered without end.

    ``timeout`` in seconds is for the head of the answer, ``silence`` for the longest pause that a reader allows.
    ``head`` finds the end of a part's head, for firmwares that do it in their own way.
    """

    url: str | URL
    user: str
    password: str
    timeout: float
    silence: float
    head: re.Pattern[bytes] = BLANK


class Stream:
    """An open answer."""

    def __init__(self, answer: aiohttp.ClientResponse, parts: Parts) -> None:
        self._answer = answer
        self._parts = parts

    async def read(self, until: float) -> list[bytes]:
        """Return the parts that are complete; none when nothing came before ``until`` (the loop's clock).

        Raises Unreachable when the answer ended, broke, or is not in parts as it says.
        """
        try:
            async with asyncio.timeout_at(until):
                data = await self._answer.content.readany()
        except TimeoutError:
            return []
        except aiohttp.ClientError as error:
            raise Unreachable(f"the event stream broke ({type(error).__name__})") from None
        if not data:
            raise Unreachable("the camera ended the event stream")
        try:
            return self._parts.feed(data)
        except DecodeError as error:
            raise Unreachable(f"the event stream is broken: {error.reason}") from None

    async def close(self) -> None:
        """End it."""
        self._answer.close()


async def open_stream(http: aiohttp.ClientSession, asked: Standing) -> Stream:
    """Return the open answer, which the caller closes. Raises DeviceError."""
    try:
        digest = (aiohttp.DigestAuthMiddleware(asked.user, asked.password),) if asked.user else ()
        async with asyncio.timeout(asked.timeout):
            answer = await http.get(
                asked.url,
                middlewares=digest,
                # Silence is judged by the session; this only ends what it does not see.
                timeout=aiohttp.ClientTimeout(total=None, sock_read=asked.silence + 1),
                allow_redirects=False,
            )
    except TimeoutError:
        raise Unreachable(f"no answer within {asked.timeout:g} s") from None
    except aiohttp.ClientError as error:
        raise Unreachable(f"no connection ({type(error).__name__})") from None
    except ValueError:
        raise Unsupported("the address, the user or the camera's challenge is not valid") from None
    try:
        return Stream(answer, Parts(_accepted(answer, asked.user), asked.head))
    except DeviceError:
        answer.close()
        raise


def _accepted(answer: aiohttp.ClientResponse, user: str) -> bytes:
    """Return the separator of the parts, or raise the DeviceError that the answer stands for."""
    status = answer.status
    if status == HTTPStatus.OK:
        boundary = boundary_of(answer.headers.get("Content-Type", ""))
        if boundary is None:  # a camera that starts, or a page in between: it is asked again, ever more rarely
            raise Unreachable(f"no event stream: the camera answered {clean(answer.content_type, 40)!r}")
        return boundary
    if status == HTTPStatus.UNAUTHORIZED:
        if not user:
            raise BadCredentials("the camera asks for a user and a password")
        offers = answer.headers.getall("WWW-Authenticate", [])
        if offers and not offers[0].lower().startswith("digest"):
            raise Unsupported("the camera offers no Digest log-in; set its web authentication to digest")
        raise BadCredentials("the camera refused the user or the password")
    if status == HTTPStatus.FORBIDDEN:
        raise BadCredentials("the user may not read events (HTTP 403); give it the right to be notified")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Unreachable(f"the camera is not ready (HTTP {status})")
    raise Unsupported(f"the camera refused the event stream (HTTP {status})")


def boundary_of(content_type: str) -> bytes | None:
    """Return the line that parts are separated by, or None when the answer is no multipart."""
    match = _BOUNDARY.match(content_type[:512])
    # Some firmwares put the two leading hyphens into the header already.
    return b"--" + match[1].removeprefix("--").encode() if match and match[1].strip("-") else None


class Parts:
    """Cuts the answer into its parts, without a socket: takes bytes as they come, gives back the bodies complete."""

    def __init__(self, boundary: bytes, head: re.Pattern[bytes] = BLANK) -> None:
        self._boundary = boundary
        self._ends = head
        self._buffer = bytearray()
        self._in_body = False
        self._length: int | None = None
        self._searched = 0
        self._skip = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Return the bodies that ``data`` completes, in order. Raises DecodeError when the stream is not as it says."""
        passed_over = min(self._skip, len(data))
        self._skip -= passed_over
        self._buffer += data[passed_over:]
        bodies: list[bytes] = []
        while self._body(bodies) if self._in_body else self._head():
            pass
        return bodies

    def _head(self) -> bool:
        """Take the separator and the head of a part from the buffer; tell whether they were there."""
        start = self._buffer.find(self._boundary)
        if start < 0:  # whatever stands between two parts is of no part
            del self._buffer[: -len(self._boundary)]
            return False
        end = self._ends.search(self._buffer, start)
        if (end.start() if end else len(self._buffer)) - start > MAX_HEAD:
            raise DecodeError(f"the head of a part is longer than the {MAX_HEAD} bytes allowed")
        if end is None:
            return False
        head = bytes(self._buffer[start : end.start()])
        del self._buffer[: end.end()]
        length = _LENGTH.search(head)
        self._length = int(length[1]) if length else None
        self._searched = 0
        if self._length is None or self._length <= MAX_PART:
            self._in_body = True
        elif self._length <= MAX_PICTURE and _PICTURE.search(head):
            self._skip = max(0, self._length - len(self._buffer))
            del self._buffer[: self._length]
        else:
            raise DecodeError(f"a part of {self._length} bytes is more than the {MAX_PART} allowed")
        return True

    def _body(self, bodies: list[bytes]) -> bool:
        """Take a body from the buffer: as long as it says, or up to the next separator if that comes first."""
        end = self._buffer.find(b"\n" + self._boundary, self._searched)
        self._searched = max(0, len(self._buffer) - len(self._boundary))
        if self._length is not None and len(self._buffer) >= self._length and not 0 <= end < self._length:
            end = self._length
        if end < 0:
            if len(self._buffer) > MAX_PART + MAX_HEAD:
                raise DecodeError(f"a part without end is longer than the {MAX_PART} bytes allowed")
            return False
        bodies.append(bytes(self._buffer[:end]))
        del self._buffer[:end]
        self._in_body = False
        return True
