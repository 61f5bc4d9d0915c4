"""G.711 by tables (ITU-T G.711; the reference is ulaw_compress and alaw_compress of ITU-T G.191's software library)."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable
from functools import cache
from typing import Literal

Codec = Literal["pcmu", "pcma"]

#: The code of a sample of 0.
SILENCE: dict[Codec, int] = {"pcmu": 0xFF, "pcma": 0xD5}


def _ulaw(sample: int) -> int:
    """Code one 16-bit sample in µ-law: sign, segment and step, all bits inverted."""
    # 14 bits; a negative one is complemented, not negated, so that -32768 needs no case of its own. The bias of 33
    # makes every segment begin at a power of two.
    magnitude = min(((~sample if sample < 0 else sample) >> 2) + 33, 0x1FFF)
    segment = magnitude.bit_length() - 5
    code = (8 - segment) << 4 | 0xF - (magnitude >> segment & 0xF)
    return code if sample < 0 else code | 0x80


def _alaw(sample: int) -> int:
    """Code one 16-bit sample in A-law: sign, segment and step, even bits inverted."""
    code = (~sample if sample < 0 else sample) >> 4
    if code > 15:  # above the first two segments, which are linear
        exponent = code.bit_length() - 4
        code = (code >> exponent - 1) - 16 | exponent << 4
    return (code if sample < 0 else code | 0x80) ^ 0x55


@cache
def table(codec: Codec) -> bytes:
    """Return the codes of all 65,536 samples, at the place of the sample read as unsigned."""
    code: Callable[[int], int] = _ulaw if codec == "pcmu" else _alaw
    return bytes(code(sample if sample < 0x8000 else sample - 0x10000) for sample in range(0x10000))


def encode(pcm: bytes, codec: Codec, volume: int = 100) -> bytes:
    """Code signed 16-bit little-endian samples, one byte each, at ``volume`` percent of their amplitude (0 to 100)."""
    samples = array("h", pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    codes = table(codec)
    return bytes([codes[sample * volume // 100 & 0xFFFF] for sample in samples])
