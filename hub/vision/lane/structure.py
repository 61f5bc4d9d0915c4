"""What a place looks like whatever the light: the edges in it, and what of them another picture of it does not explain.

Light multiplies a surface: headlights, dusk and a step of the exposure scale its edges and leave them where they are. So a
picture is explained by another one when its gradients are the other's, times one factor for each small window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hub.vision.frame import Grey, Mask

#: Side of a block in pixels of the analysed picture, and blocks around it that are judged with it.
BLOCK, AROUND = 5, 1
#: A surface may be lit so much brighter or darker and is still the same one.
DIMMEST, BRIGHTEST = 0.35, 3.0
#: Share of a window's structure that may stay unexplained.
UNEXPLAINED = 0.5
#: Energy of a window that nobody sees: each of its 225 pixels with a gradient of 0.9 of 255 levels.
FAINT = 180.0
#: Energy that white noise of one level adds to a window: 225 pixels, and 0.117 of its variance passes ``_blurred`` and
#: the differences (kernels 1 2 1 and 1 2 0 -2 -1, squared and summed).
NOISE = 225 * 0.117
_TINY = np.float32(1e-3)


@dataclass(frozen=True)
class Structure:
    """Gradients of a picture in levels per pixel, and their energy in each window, one window for each block."""

    across: Grey
    down: Grey
    energy: Grey


def structure(picture: Grey) -> Structure:
    """Find the edges of a picture whose sides are multiples of ``BLOCK``."""
    smooth = _blurred(picture)
    across, down = np.zeros_like(smooth), np.zeros_like(smooth)
    across[:, 1:-1] = (smooth[:, 2:] - smooth[:, :-2]) * np.float32(0.5)
    down[1:-1] = (smooth[2:] - smooth[:-2]) * np.float32(0.5)
    return Structure(across, down, windows(across * across + down * down))


def changed(now: Structure, before: Structure, noise: float) -> Mask:
    """Return the blocks whose structure is not the other's in another light. ``noise`` is its sigma in levels."""
    common = windows(now.across * before.across + now.down * before.down)
    factor = np.clip(common / (before.energy + _TINY), DIMMEST, BRIGHTEST)
    lit = factor * factor * before.energy
    rest = now.energy - 2 * factor * common + lit
    heard = FAINT + 2.5 * NOISE * noise * noise * (1 + np.minimum(factor, 1) ** 2)
    return np.asarray((rest > heard) & (rest > UNEXPLAINED * np.maximum(now.energy, lit)))


def blocks(values: Grey) -> Grey:
    """Sum each block."""
    height, width = values.shape
    return values.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK).sum(axis=(1, 3), dtype=np.float32)


def windows(values: Grey) -> Grey:
    """Sum each block with those around it."""
    padded = np.pad(blocks(values), AROUND, mode="edge")
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]


def _blurred(picture: Grey) -> Grey:
    padded = np.pad(picture, 1, mode="edge")
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    return (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) * np.float32(1 / 16)
