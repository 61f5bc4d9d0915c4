"""How wide a thing is by its pixels: blocks are coarse, and far away two people are as many of them as a small car."""

from __future__ import annotations

import numpy as np

from hub.vision.frame import Grey, Mask
from hub.vision.lane.grid import BLOCK, pixels
from hub.vision.lane.region import widened
from hub.vision.lane.structure import blurred

#: Blocks of ground around a thing, beyond the one that its edge reaches into, that tell in what light it stands.
RING = 2
#: A pixel is the thing's where it is so much brighter or darker (natural logarithm) than the ground in this light.
DIFFERS = 0.1
#: Part of a thing's height that must be its own for a column to count: less is noise, or a head.
COLUMN = 0.12
#: Levels added before the logarithm, so that noise in the dark does not count.
_DARK = 8.0


def breadth(thing: Mask, now: Grey, before: Grey) -> float:
    """Return how wide what has changed is, in blocks; where the light is uneven, as wide as ``thing`` at most."""
    blocks = float(np.count_nonzero(thing.any(axis=0)))
    edge = widened(thing)
    ring = edge
    for _ in range(RING):
        ring = widened(ring)
    ring &= ~edge
    if not ring.any():
        return blocks  # it fills the picture
    factor = np.log((blurred(now) + _DARK) / (blurred(before) + _DARK))
    light = np.median(factor[pixels(ring)])
    own = (np.abs(factor - light) > DIFFERS) & pixels(edge)
    columns = np.nonzero(own.sum(axis=0) >= COLUMN * BLOCK * np.count_nonzero(thing.any(axis=1)))[0]
    wide = float(columns[-1] + 1 - columns[0]) / BLOCK if columns.size else 0.0
    return min(wide, blocks)
