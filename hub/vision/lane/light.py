"""Tells a thing from a patch of light or shade: light scales what was there, and leaves the same picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hub.vision.frame import Grey, Mask
from hub.vision.lane.grid import pixels
from hub.vision.lane.structure import blurred

#: How far the brightness of a pixel (natural logarithm) may be from that of the deepest shade, share of the pixels that
#: must be that near, and share that may lie outside of shade and border.
EVEN, DEEP, OUTSIDE = 0.09, 0.3, 0.06
#: Deepest shade: the sky alone gives a fifth of the light of a clear day, which cameras show as half (gamma 2.2).
DARKEST = -0.95
#: A thing has wheels, windows or a shadow: where even the darkest tenth is so much brighter, light has been added.
ADDED = 0.2
#: A beam is uneven, but smooth: how far most pixels may be from a surface of the second degree.
SMOOTH, MOSTLY = 0.12, 0.75
#: Levels added before the logarithm, so that noise in the dark does not count.
_DARK = 8.0


def only_light(thing: Mask, now: Grey, before: Grey) -> bool:
    """Return whether what ``thing`` marks is what was there before, evenly or smoothly brighter or darker."""
    where = pixels(thing)
    factor = np.log((blurred(now) + _DARK) / (blurred(before) + _DARK)).astype(np.float64)
    inside = factor[where]
    return bool(np.percentile(inside, 10) > ADDED) or _shade(inside) or _shade(-inside) or _beam(factor, where)


def _shade(factor: npt.NDArray[np.float64]) -> bool:
    """Shade has one depth, and borders on what it has not reached: all lies between both, and much at the bottom."""
    deepest = float(np.percentile(factor, 4))
    outside = (factor < deepest - EVEN) | (factor > EVEN)
    return deepest > DARKEST and (factor < deepest + EVEN).mean() > DEEP and outside.mean() < OUTSIDE


def _beam(factor: npt.NDArray[np.float64], where: Mask) -> bool:
    down, across = (axis[::3] - axis.mean() for axis in np.nonzero(where))
    values = factor[where][::3]
    terms = np.stack((np.ones_like(values), down, across, down * across, down * down, across * across), axis=1)
    surface, *_ = np.linalg.lstsq(terms, values, rcond=None)
    return bool((np.abs(values - terms @ surface) < SMOOTH).mean() > MOSTLY)
