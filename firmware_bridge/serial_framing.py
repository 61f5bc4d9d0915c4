"""Frames on a serial console: base64 lines between whatever else the node prints (PROTOCOL.md, section 1, Serial)."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import TYPE_CHECKING

from firmware_bridge.errors import BadFrame
from firmware_bridge.frame import MAX_FRAME

if TYPE_CHECKING:
    from collections.abc import Iterator

#: First bytes of the first and of each further line of a packet (Zephyr, "SMP Transport", console).
FIRST, FURTHER = b"\x06\x09", b"\x04\x14"
#: Longest line, line feed included, and the bytes of a packet that fit in it: whole groups of 4 characters for 3 bytes.
MAX_LINE = 127
PER_LINE = (MAX_LINE - len(FIRST) - 1) // 4 * 3
_U16 = struct.Struct(">H")
_MAX_PACKET = _U16.size + MAX_FRAME + _U16.size


def lines_of(frame: bytes) -> bytes:
    """Return the lines that carry ``frame``."""
    crc = _U16.pack(binascii.crc_hqx(frame, 0))  # CRC-16/XMODEM
    packet = _U16.pack(len(frame) + len(crc)) + frame + crc
    parts = (packet[at : at + PER_LINE] for at in range(0, len(packet), PER_LINE))
    return b"".join(
        (FURTHER if number else FIRST) + base64.b64encode(part) + b"\n" for number, part in enumerate(parts)
    )


class Assembler:
    """Finds frames in the bytes of a port. Holds at most one line and one packet, whatever comes."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._skipping = False
        """The present line is too long to be ours: wait for its end."""
        self._packet: bytearray | None = None
        self.broken = 0
        """Lines and packets that began like ours and were not."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the whole frames that end in ``data``."""
        *ended, rest = data.split(b"\n")
        for piece in ended:
            self._take(piece)
            line, whole = bytes(self._line), not self._skipping
            self._line.clear()
            self._skipping = False
            if whole and (frame := self._end_line(line.rstrip(b"\r"))) is not None:
                yield frame
        self._take(rest)

    def _take(self, piece: bytes) -> None:
        if len(self._line) + len(piece) > MAX_LINE:
            self._skipping = True
        else:
            self._line += piece

    def _end_line(self, line: bytes) -> bytes | None:
        """Return the frame that this line completes."""
        start = line[:2]
        if start == FIRST:
            self._packet = bytearray()
        elif start != FURTHER or self._packet is None:
            return None  # the node's console
        try:
            return self._grow(line[2:])
        except BadFrame:
            self._packet = None
            self.broken += 1
            return None

    def _grow(self, coded: bytes) -> bytes | None:
        packet = self._packet
        if packet is None:
            return None
        try:
            packet += base64.b64decode(coded, validate=True)
        except binascii.Error:
            raise BadFrame("no base64") from None
        if len(packet) < _U16.size:
            raise BadFrame("a line without a length")
        (length,) = _U16.unpack_from(packet)
        if length + _U16.size > _MAX_PACKET:
            raise BadFrame("a packet that is too long")
        if len(packet) < length + _U16.size:
            return None
        self._packet = None
        frame, crc = bytes(packet[2:-2]), packet[-2:]
        if len(packet) != length + _U16.size or crc != _U16.pack(binascii.crc_hqx(frame, 0)):
            raise BadFrame("a wrong length or checksum")
        return frame
