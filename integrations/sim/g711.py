"""G.711 µ-law and A-law to linear samples (ITU-T G.711 tables 1a to 2b)."""

from __future__ import annotations

import math
import sys
from array import array

#: Samples per second (RFC 3551 section 4.5.14).
RATE = 8_000
#: Static payload types (RFC 3551 table 4).
PCMU, PCMA = 0, 8


def _ulaw(code: int) -> int:
    code = ~code & 0xFF
    size = (((code & 0x0F) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    return -size if code & 0x80 else size


def _alaw(code: int) -> int:
    code ^= 0x55
    segment, size = (code & 0x70) >> 4, (code & 0x0F) << 4
    size = size + 8 if segment == 0 else size + 0x108 << segment - 1
    return size if code & 0x80 else -size


TABLES = {PCMU: [_ulaw(code) for code in range(256)], PCMA: [_alaw(code) for code in range(256)]}


def decode(kind: int, payload: bytes) -> array[int]:
    """Return the samples of one packet."""
    table = TABLES[kind]
    return array("h", [table[code] for code in payload])


def little_endian(samples: array[int]) -> bytes:
    """Return the samples as WAV files hold them."""
    if sys.byteorder == "big":
        samples = samples[:]
        samples.byteswap()
    return samples.tobytes()


def rms(samples: array[int]) -> float:
    """Return the root mean square, 0 to 1 of full scale."""
    if not samples:
        return 0.0
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples)) / 32_768
