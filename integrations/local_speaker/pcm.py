"""Sound made louder or softer."""

from __future__ import annotations

import sys
from array import array

from hub.sdk import Clip


def scaled(clip: Clip, volume: int) -> Clip:
    """Return ``clip`` with ``volume`` percent of its amplitude (50 is 6 dB less), cut off at the ends of 16 bits."""
    samples = array("h")
    samples.frombytes(clip.pcm[: len(clip.pcm) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    samples = array("h", (max(-0x8000, min(sample * volume // 100, 0x7FFF)) for sample in samples))
    if sys.byteorder == "big":
        samples.byteswap()
    return Clip(samples.tobytes())
