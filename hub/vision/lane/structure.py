"""What a place looks like whatever the light: the edges in it, and what of them another picture does not explain.

Light multiplies a surface: headlights, dusk and a step of the exposure scale its edges and leave them in place. So a
picture is explained by another one when its gradients are the other's, times one factor for each small window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hub.vision.frame import Grey, Mask
from hub.vision.lane.grid import BLOCK, columns

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
#: Levels per pixel of one step of a gradient: smoothing multiplies by 16 twice, and two pixels lie between its ends.
_SCALE = np.float32(1 / 512)


@dataclass(frozen=True)
class Structure:
    """Gradients of a picture; their sums and their energy in each window, one for each block, in levels per pixel.

    ``edges`` has for each row of blocks its pixel rows across, then those down: what is summed lies together. It keeps
    the factor that smoothing leaves (``_SCALE``), which the sums have not. The energy is that around the mean: a slope,
    as the edge of a beam of light draws it, has none.
    """

    edges: Grey
    slope_across: Grey
    slope_down: Grey
    energy: Grey


def structure(picture: Grey) -> Structure:
    """Find the edges of a picture whose sides are multiples of ``BLOCK``."""
    height, width = picture.shape
    smooth = _smoothed(picture)
    edges = np.zeros((height // BLOCK, 2 * BLOCK, width), dtype=np.float32)
    across, down = edges[:, :BLOCK], edges[:, BLOCK:]
    banded = smooth.reshape(-1, BLOCK, smooth.shape[1])
    np.subtract(banded[..., 2:width], banded[..., : width - 2], out=across[..., 1:-1])
    # A pixel row's neighbours lie in the same band of blocks, but for the first and the last row of each.
    np.subtract(banded[:, 2:, :width], banded[:, :-2, :width], out=down[:, 1:-1])
    np.subtract(banded[1:, 0, :width], banded[:-1, -2, :width], out=down[:-1, -1])
    np.subtract(banded[1:, 1, :width], banded[:-1, -1, :width], out=down[1:, 0])
    sums = np.stack((across.sum(axis=1), down.sum(axis=1), _products(edges, edges) * _SCALE))
    slope_across, slope_down, energy = _windows(sums) * _SCALE
    slope = (slope_across * slope_across + slope_down * slope_down) * _SHARE
    return Structure(edges, slope_across, slope_down, energy - slope)


def changed(now: Structure, before: Structure, unrest: float) -> Mask:
    """Return the blocks whose structure is not the other's in another light. ``unrest`` is an energy."""
    return too_much(*unexplained(now, before), unrest)


def too_much(rest: Grey, most: Grey, unrest: float) -> Mask:
    """Return the blocks in which what is unexplained is neither noise nor a small part of what there is."""
    return np.asarray((rest > FAINT + LOUD * unrest) & (rest > UNEXPLAINED * most))


def unrest(news: tuple[Grey, Grey]) -> float:
    """Return the energy that stays ``unexplained`` between two pictures in a row, in the middle one of all windows."""
    middle = news[0].size // 2
    return float(np.partition(news[0], middle, axis=None)[middle])


def unexplained(now: Structure, before: Structure) -> tuple[Grey, Grey]:
    """Return the energy that ``before`` does not explain in the best light, and the larger energy of both."""
    common = _windows(_products(now.edges, before.edges)) * (_SCALE * _SCALE)
    common -= (now.slope_across * before.slope_across + now.slope_down * before.slope_down) * _SHARE
    factor = np.clip(common / (before.energy + _TINY), DIMMEST, BRIGHTEST)
    lit = factor * factor * before.energy
    return now.energy - 2 * factor * common + lit, np.maximum(now.energy, lit)


def blurred(picture: Grey) -> Grey:
    """Smooth with 1 4 6 4 1: half a pixel of shake then hardly matters."""
    return _smoothed(picture)[:, : picture.shape[1]] * np.float32(1 / 256)


def _products(one: Grey, other: Grey) -> Grey:
    """Sum the product of two gradients over each row of blocks."""
    return np.asarray(np.einsum("rkc,rkc->rc", one, other), dtype=np.float32)


def _windows(rows: Grey) -> Grey:
    """Sum blocks, given as rows of sums, with those around; at the sides a block is its own neighbour."""
    sums = columns(rows)
    wide = np.concatenate((sums[..., :1], sums, sums[..., -1:]), axis=-1)
    lines = wide[..., :-2] + wide[..., 1:-1] + wide[..., 2:]
    high = np.concatenate((lines[..., :1, :], lines, lines[..., -1:, :]), axis=-2)
    return high[..., :-2, :] + high[..., 1:-1, :] + high[..., 2:, :]


def _smoothed(picture: Grey) -> Grey:
    """Smooth with 1 4 6 4 1 down and across, not divided by 256; beyond a side its pixels are repeated.

    The result has four columns more at the right, that mean nothing: all sums run over one long row, which is twice as
    quick as row by row.
    """
    height, width = picture.shape
    padded = np.empty((height + 4, width + 4), dtype=np.float32)
    padded[2:-2, 2:-2] = picture
    padded[:2, 2:-2], padded[-2:, 2:-2] = picture[0], picture[-1]
    padded[:, :2], padded[:, -2:] = padded[:, 2:3], padded[:, -3:-2]
    sums, spare = padded.ravel(), np.empty(padded.size, dtype=np.float32)
    rest = sums.size
    for step in (1, width + 4):
        for _ in range(4):  # 1 1 four times is 1 4 6 4 1
            rest -= step
            np.add(sums[:rest], sums[step : rest + step], out=spare[:rest])
            sums, spare = spare, sums
    return sums.reshape(padded.shape)[:height]
