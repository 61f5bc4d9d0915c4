"""What a place looks like whatever the light: the edges in it, and what of them another picture does not explain.

Light multiplies a surface: headlights, dusk and a step of the exposure scale its edges and leave them in place. So a
picture is explained by another one when its gradients are the other's, times one factor for each small window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hub.vision.frame import Grey, Mask
from hub.vision.lane.grid import BLOCK, blocks

#: Blocks around each one that are judged with it.
AROUND = 1
#: A surface may be lit so much brighter or darker and is still the same one.
DIMMEST, BRIGHTEST = 0.35, 3.0
#: Share of a window's structure that may stay unexplained.
UNEXPLAINED = 0.5
#: Energy of a window that nobody sees: each of its 225 pixels with a gradient of 0.7 of 255 levels.
FAINT = 100.0
#: So many times the unrest of a camera (noise, rain) must be heard before it counts.
LOUD = 2.0
_SHARE = np.float32(1 / (BLOCK * (2 * AROUND + 1)) ** 2)
_TINY = np.float32(1e-3)


@dataclass(frozen=True)
class Structure:
    """Gradients of a picture in levels per pixel; their sums and their energy in each window, one for each block.

    The energy is that around the mean: a slope, as the edge of a beam of light draws it, has none.
    """

    across: Grey
    down: Grey
    slope_across: Grey
    slope_down: Grey
    energy: Grey


def structure(picture: Grey) -> Structure:
    """Find the edges of a picture whose sides are multiples of ``BLOCK``."""
    smooth = blurred(picture)
    across, down = np.zeros_like(smooth), np.zeros_like(smooth)
    np.subtract(smooth[:, 2:], smooth[:, :-2], out=across[:, 1:-1])
    np.subtract(smooth[2:], smooth[:-2], out=down[1:-1])
    across *= np.float32(0.5)
    down *= np.float32(0.5)
    slope_across, slope_down = windows(across), windows(down)
    slope = (slope_across * slope_across + slope_down * slope_down) * _SHARE
    power = across * across
    power += down * down
    return Structure(across, down, slope_across, slope_down, windows(power) - slope)


def changed(now: Structure, before: Structure, unrest: float) -> Mask:
    """Return the blocks whose structure is not the other's in another light. ``unrest`` is an energy."""
    return too_much(*unexplained(now, before), unrest)


def too_much(rest: Grey, most: Grey, unrest: float) -> Mask:
    """Return the blocks in which what is unexplained is neither noise nor a small part of what there is."""
    return np.asarray((rest > FAINT + LOUD * unrest) & (rest > UNEXPLAINED * most))


def unrest(now: Structure, before: Structure) -> float:
    """Return the energy that two pictures in a row do not explain of each other, in the middle one of all windows."""
    return float(np.median(unexplained(now, before)[0]))


def unexplained(now: Structure, before: Structure) -> tuple[Grey, Grey]:
    """Return the energy that ``before`` does not explain in the best light, and the larger energy of both."""
    product = now.across * before.across
    product += now.down * before.down
    common = windows(product)
    common -= (now.slope_across * before.slope_across + now.slope_down * before.slope_down) * _SHARE
    factor = np.clip(common / (before.energy + _TINY), DIMMEST, BRIGHTEST)
    lit = factor * factor * before.energy
    return now.energy - 2 * factor * common + lit, np.maximum(now.energy, lit)


def windows(values: Grey) -> Grey:
    """Sum each block with those around it; at the sides of the picture a block is its own neighbour."""
    return _around(_around(blocks(values)).T).T


def _around(rows: Grey) -> Grey:
    """Add to each row the one above and the one below."""
    found = rows.copy()
    found[1:] += rows[:-1]
    found[:-1] += rows[1:]
    found[0] += rows[0]
    found[-1] += rows[-1]
    return found


def blurred(picture: Grey) -> Grey:
    """Smooth with 1 4 6 4 1: half a pixel of shake then hardly matters."""
    for _ in range(2):
        picture = _smoothed(_smoothed(picture, 0), 1)
        picture *= np.float32(1 / 16)
    return picture


def _smoothed(picture: Grey, axis: int) -> Grey:
    """Weigh each pixel twice and both its neighbours once along an axis; at the sides the pixel is its neighbour."""
    found = picture + picture
    out, given = (found, picture) if axis == 0 else (found.T, picture.T)
    out[1:] += given[:-1]
    out[:-1] += given[1:]
    out[0] += given[0]
    out[-1] += given[-1]
    return found
