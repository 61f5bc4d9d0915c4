"""Tells a thing from a patch of light or shade: light scales what was there, and leaves the same picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hub.vision.frame import Grey, Mask
from hub.vision.lane.grid import pixels
from hub.vision.lane.region import eroded
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
#: Pixels at the border of the deepest shade that are left out, as smoothing draws its edge into them; pixels
#: within that are enough to compare, and how alike (correlation of the gradients) the ground then is.
EDGE, COMPARED, ALIKE = 2, 150, 0.4
#: Levels added before the logarithm, so that noise in the dark does not count.
_DARK = 8.0


def only_light(thing: Mask, now: Grey, before: Grey) -> bool:
    """Return whether what ``thing`` marks is what was there before, evenly or smoothly brighter or darker."""
    where = pixels(thing)
    after, earlier = blurred(now), blurred(before)
    factor = np.log((after + _DARK) / (earlier + _DARK)).astype(np.float64)
    inside = factor[where]
    if np.percentile(inside, 10) > ADDED or _beam(factor, where):
        return True
    return any(_shade(sign * inside) and _shines_through(sign * factor, where, after, earlier) for sign in (1.0, -1.0))


def _shade(factor: npt.NDArray[np.float64]) -> bool:
    """Shade has one depth, and borders on what it has not reached: all lies between both, and much at the bottom."""
    deepest = float(np.percentile(factor, 4))
    outside = (factor < deepest - EVEN) | (factor > EVEN)
    return deepest > DARKEST and (factor < deepest + EVEN).mean() > DEEP and outside.mean() < OUTSIDE


def _shines_through(factor: npt.NDArray[np.float64], where: Mask, now: Grey, before: Grey) -> bool:
    """Where shade is deepest, the ground's texture is still seen; a dark van of one colour hides it.

    Too little of it to compare counts as seen.
    """
    inner = (factor < np.percentile(factor[where], 4) + EVEN) & where
    for _ in range(EDGE):
        inner = eroded(inner)
    if inner.sum() < COMPARED:
        return True
    after, earlier = ([np.gradient(picture, axis=axis)[inner] for axis in (0, 1)] for picture in (now, before))
    common = sum(float((one * other).sum()) for one, other in zip(after, earlier, strict=True))
    power = [sum(float((edge * edge).sum()) for edge in edges) for edges in (after, earlier)]
    return common >= ALIKE * float(np.sqrt(power[0] * power[1]))


def _beam(factor: npt.NDArray[np.float64], where: Mask) -> bool:
    down, across = (axis[::3] - axis.mean() for axis in np.nonzero(where))
    values = factor[where][::3]
    terms = np.stack((np.ones_like(values), down, across, down * across, down * down, across * across), axis=1)
    surface, *_ = np.linalg.lstsq(terms, values, rcond=None)
    return bool((np.abs(values - terms @ surface) < SMOOTH).mean() > MOSTLY)
