"""Cuts the endless answer into its parts (RFC 2046, section 5.1), without a socket."""

from __future__ import annotations

import re

from hub.sdk import DecodeError

#: Largest part that is kept, and largest picture that is passed over, in bytes: a 4K JPEG is about 4 MB.
MAX_PART, MAX_PICTURE = 256 * 1024, 16 * 1024 * 1024
#: Largest head of a part, in bytes; cameras send about 70.
MAX_HEAD = 4 * 1024

_BOUNDARY = re.compile(r"""\Amultipart/[\w-]+\s*;(?:.*;)?\s*boundary="?([\w'()+,./:=?-]{1,70})"?\s*(?:;|\Z)""", re.I)
_LENGTH = re.compile(rb"^content-length:[ \t]*([0-9]{1,9})[ \t]*\r?$", re.I | re.M)
_PICTURE = re.compile(rb"^content-type:[ \t]*image/", re.I | re.M)
_BLANK = re.compile(rb"\r?\n\r?\n")


def boundary_of(content_type: str) -> bytes | None:
    """Return the line that parts are separated by, or None when the answer is no multipart."""
    match = _BOUNDARY.match(content_type[:512])
    # Some firmwares put the two leading hyphens into the header already.
    return b"--" + match[1].removeprefix("--").encode() if match and match[1].strip("-") else None


class Parts:
    """Takes bytes as they come and gives back the bodies that are complete."""

    def __init__(self, boundary: bytes) -> None:
        self._boundary = boundary
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
        end = _BLANK.search(self._buffer, start)
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
