"""Finds whole replies on the line, to tell a reader that refuses the key from noise and from silence.

Frame of IEC 60839-11-5: 0x53, address (bit 7: a reply), length of the whole in 2 bytes, little-endian, control byte
(bit 2: CRC), data, and the CRC in 2 bytes, little-endian: CRC-16 with the polynomial 0x1021 that begins with 0x1D0F.
"""

from __future__ import annotations

import binascii

_START, _REPLY, _CRC = 0x53, 0x80, 0x04
#: Shortest frame: start, address, length, control, one byte of data, CRC.
_SHORTEST = 8
#: Longest frame that libosdp takes is 256 bytes; what claims more is noise.
_LONGEST = 256


def take_replies(buffer: bytearray) -> set[int]:
    """Remove whole replies and noise from ``buffer`` and return the addresses they are from; a beginning stays."""
    found: set[int] = set()
    while (start := buffer.find(_START)) >= 0:
        del buffer[:start]
        if len(buffer) < 4:
            return found
        size = int.from_bytes(buffer[2:4], "little")
        if not buffer[1] & _REPLY or not _SHORTEST <= size <= _LONGEST:
            del buffer[0]
            continue
        if len(buffer) < size:
            return found
        frame = bytes(buffer[:size])
        if frame[4] & _CRC and binascii.crc_hqx(frame[:-2], 0x1D0F) == int.from_bytes(frame[-2:], "little"):
            found.add(frame[1] & ~_REPLY)
            del buffer[:size]
        else:
            del buffer[0]
    buffer.clear()
    return found
