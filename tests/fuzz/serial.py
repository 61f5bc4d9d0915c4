"""Bytes of a serial line: the first says in pieces of which size they come; what comes after them is still read."""

from __future__ import annotations

from firmware_bridge.frame import MAX_FRAME, Frame, Group, Op, decode, encode
from firmware_bridge.messages import OsCommand
from firmware_bridge.serial_framing import MAX_LINE, Assembler, lines_of

_ECHO = encode(Frame(Op.WRITE, Group.OS, 7, OsCommand.ECHO, {"d": "hi"}))


def take(data: bytes) -> None:
    """Put lines together, in pieces. Raises HubError."""
    size, rest = (data[0] % MAX_LINE or MAX_LINE, data[1:]) if data else (1, data)
    assembler = Assembler()
    frames = [frame for at in range(0, len(rest), size) for frame in assembler.feed(rest[at : at + size])]
    assert all(len(frame) <= MAX_FRAME for frame in frames)
    assert list(assembler.feed(b"\n" + lines_of(_ECHO)))[-1:] == [_ECHO]
    for frame in frames:
        decode(frame)
