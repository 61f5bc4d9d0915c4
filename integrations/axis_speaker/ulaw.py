"""G.711 µ-law by a table (ITU-T G.711, tables 2a and 2b)."""

from __future__ import annotations

import sys
from array import array
from functools import cache


def _code(sample: int) -> int:
    """Code one 16-bit sample: sign, segment and step, all bits inverted."""
    # 14 bits; a negative one is complemented, so that -32768 needs no case of its own. The bias of 33 makes every
    # segment begin at a power of two.
    magnitude = min(((~sample if sample < 0 else sample) >> 2) + 33, 0x1FFF)
    segment = magnitude.bit_length() - 5
    code = (8 - segment) << 4 | 0xF - (magnitude >> segment & 0xF)
    return code if sample < 0 else code | 0x80


@cache
def table() -> bytes:
    """Return the codes of all 65,536 samples, at the place of the sample read as unsigned."""
    return bytes(_code(sample if sample < 0x8000 else sample - 0x10000) for sample in range(0x10000))


def encode(pcm: bytes, volume: int) -> bytes:
    """Code signed 16-bit little-endian samples, one byte each, at ``volume`` percent of their amplitude (0 to 100)."""
    samples = array("h", pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    codes = table()
    return bytes([codes[sample * volume // 100 & 0xFFFF] for sample in samples])
