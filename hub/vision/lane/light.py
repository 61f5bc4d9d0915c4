"""Tells a thing from a patch of light or shade: light scales what was there, and leaves the same picture."""

from __future__ import annotations

import numpy as np

from hub.vision.frame import Grey, Mask
from hub.vision.lane.structure import BLOCK, blocks

#: How far apart the brightness may be scaled within one patch of light (natural logarithm, 15th to 85th percentile).
EVEN = 0.16
#: Levels added before the logarithm, so that noise in the dark does not count.
_DARK = 10.0


def only_light(thing: Mask, now: Grey, before: Grey) -> bool:
    """Return whether the blocks of ``thing`` are what was there before, evenly brighter or darker."""
    area = np.float32(BLOCK * BLOCK)
    factor = np.log((blocks(now) / area + _DARK) / (blocks(before) / area + _DARK))[thing]
    low, high = np.percentile(factor, (15, 85))
    return bool(high - low < EVEN)
