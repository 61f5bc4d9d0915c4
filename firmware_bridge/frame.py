"""One SMP frame: its eight bytes of header and its CBOR map, both within limits (PROTOCOL.md, section 1)."""

from __future__ import annotations

import math
import struct
from enum import IntEnum
from io import BytesIO
from typing import Any, NoReturn

import msgspec
from cbor2 import CBORDecodeError, CBORDecoder, dumps

from firmware_bridge.errors import BadFrame, Refused

#: Longest CBOR map of a frame, in bytes, and its deepest nesting.
MAX_BODY = 4_096
MAX_DEPTH = 4
HEADER = struct.Struct(">BBHHBB")
MAX_FRAME = HEADER.size + MAX_BODY
#: Bits 4-3 of the first byte in SMP version 2.
_VERSION_2 = 1 << 3


class Op(IntEnum):
    """What a frame is; an odd one answers."""

    READ = 0
    READ_ANSWER = 1
    WRITE = 2
    WRITE_ANSWER = 3

    @property
    def is_answer(self) -> bool:
        """Tell whether it answers a request."""
        return bool(self & 1)


class Group(IntEnum):
    """The groups that nodes know; 80 is this protocol's own."""

    OS = 0
    IMAGE = 1
    NODE = 80


class Head(msgspec.Struct, frozen=True):
    """The first eight bytes, checked: what can be said of a frame before anything in it is believed."""

    op: Op
    group: int
    seq: int
    command: int


class Frame(msgspec.Struct, frozen=True):
    """One request or answer."""

    op: Op
    group: int
    seq: int
    """0 to 255; an answer repeats that of its request."""
    command: int
    body: dict[str, Any] = {}

    def answer(self, body: dict[str, Any]) -> Frame:
        """Return the answer to this request."""
        return Frame(Op(self.op | 1), self.group, self.seq, self.command, body)

    def check(self) -> dict[str, Any]:
        """Return the body of an answer. Raises Refused when it reports a failure, in either of SMP's two ways."""
        failure = self.body.get("err")
        if isinstance(failure, dict):
            group, code = failure.get("group"), failure.get("rc")
            raise Refused(code if isinstance(code, int) else -1, group if isinstance(group, int) else None)
        code = self.body.get("rc", 0)
        if code != 0:
            raise Refused(code if isinstance(code, int) else -1)
        return self.body


def head(data: bytes) -> Head:
    """Read the header of one whole frame. Raises BadFrame."""
    if not HEADER.size < len(data) <= MAX_FRAME:
        raise BadFrame(f"{len(data)} bytes are no frame")
    first, _flags, length, group, seq, command = HEADER.unpack_from(data)
    if length != len(data) - HEADER.size:
        raise BadFrame(f"the header says {length} bytes and {len(data) - HEADER.size} came")
    # bits 7-5 are reserved: receivers do not look at them
    if first & 0b11000 != _VERSION_2:
        raise BadFrame("not SMP version 2")
    if first & 0b111 > Op.WRITE_ANSWER:
        raise BadFrame("an operation that SMP does not know")
    return Head(Op(first & 0b111), group, seq, command)


def decode(data: bytes) -> Frame:
    """Read one whole frame. Raises BadFrame."""
    said = head(data)
    return Frame(said.op, said.group, said.seq, said.command, read_map(data[HEADER.size :]))


def encode(frame: Frame, tail: bytes = b"", tail_entries: int = 0) -> bytes:
    """Write a frame; ``tail`` is CBOR of ``tail_entries`` more entries of its map. Raises BadFrame when too long."""
    count = len(frame.body)
    body = _map_head(count + tail_entries) + dumps(frame.body)[len(_map_head(count)) :] + tail
    if len(body) > MAX_BODY:
        raise BadFrame(f"a map of {len(body)} bytes is too long")
    return HEADER.pack(_VERSION_2 | frame.op, 0, len(body), frame.group, frame.seq, frame.command) + body


def read_map(data: bytes) -> dict[str, Any]:
    """Read one CBOR map and nothing after it: text keys, no tags, finite numbers. Raises BadFrame."""
    source = BytesIO(data)
    decoder = CBORDecoder(
        source,
        max_depth=MAX_DEPTH,
        allow_indefinite=False,
        allow_duplicate_keys=False,
        semantic_decoders=_NO_TAGS,
        read_size=1,  # so that what follows the map is still in the source
    )
    try:
        value = decoder.decode()
    except (CBORDecodeError, ValueError, OverflowError, MemoryError) as error:
        raise BadFrame(f"CBOR that is not allowed: {type(error).__name__}") from None
    if source.tell() != len(data):
        raise BadFrame("something follows the map")
    if type(value) is not dict:
        raise BadFrame("no CBOR map")
    _check(value)
    return value


def _check(value: Any) -> None:
    """Look at every part. Raises BadFrame for a type or number that this protocol does not have."""
    kind = type(value)
    if kind is dict:
        for key, part in value.items():
            if type(key) is not str:
                raise BadFrame("a key that is no text")
            _check(part)
    elif kind is list:
        for part in value:
            _check(part)
    elif kind is float:
        if not math.isfinite(value):
            raise BadFrame("a number that is not finite")
    elif kind not in _PLAIN:
        raise BadFrame(f"a value of type {kind.__name__}")


_PLAIN = frozenset({str, bytes, int, bool})


class _NoTags(dict[int, Any]):
    """Refuses every CBOR tag: one of them makes a number of 2^64 bits out of ten bytes."""

    def __missing__(self, tag: int) -> Any:
        def refuse(*_: object) -> NoReturn:
            raise CBORDecodeError(f"tag {tag}")

        return refuse


_NO_TAGS = _NoTags()


def _map_head(count: int) -> bytes:
    """Return the first bytes of a map with ``count`` entries (RFC 8949, major type 5)."""
    return bytes([0xA0 | count]) if count < 24 else bytes([0xB8, count])
