"""G.711 by tables (ITU-T G.711, tables 1a and 2a)."""

from __future__ import annotations

import sys
from array import array
from functools import cache
from typing import Literal

from hub.sdk import Clip

Codec = Literal["ulaw", "alaw"]

#: The code of a sample of 0.
SILENCE: dict[Codec, bytes] = {"ulaw": b"\xff", "alaw": b"\xd5"}


def encode(clip: Clip, volume: int, codec: Codec) -> bytes:
    """Code ``clip``, one byte each sample. ``volume`` (0 to 100) is the part of its amplitude in percent."""
    samples = array("h", clip.pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    codes = _table(codec)
    return bytes([codes[sample * volume // 100 & 0xFFFF] for sample in samples])


@cache
def _table(codec: Codec) -> bytes:
    """Return the code of each 16-bit sample, at the place of the sample read as unsigned."""
    code = _ulaw if codec == "ulaw" else _alaw
    return bytes(code(sample if sample < 0x8000 else sample - 0x10000) for sample in range(0x10000))


def _ulaw(sample: int) -> int:
    """14 bits of magnitude with a bias of 33, so that each segment begins at a power of two; all bits inverted."""
    magnitude = min(((~sample if sample < 0 else sample) >> 2) + 33, 0x1FFF)
    segment = magnitude.bit_length() - 6
    return (0x7F if sample < 0 else 0xFF) ^ (segment << 4 | magnitude >> segment + 1 & 0xF)


def _alaw(sample: int) -> int:
    """12 bits of magnitude, the lowest two segments linear; even bits inverted."""
    magnitude = (~sample if sample < 0 else sample) >> 4
    segment = max(0, magnitude.bit_length() - 4)
    code = segment << 4 | magnitude >> max(0, segment - 1) & 0xF
    return (0x00 if sample < 0 else 0x80) ^ 0x55 ^ code
