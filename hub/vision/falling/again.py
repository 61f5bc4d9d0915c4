"""A second look: where a steady track should be now and no candidate was, at what the threshold has left out.

A fast thing is smeared over its way and so becomes faint; but its place is known to a few pixels, and the sum over its
shape is far above the noise when no single pixel is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hub.vision.falling.background import Luma

#: Deviations of the sum over the shape: of the 500 places in a patch, one in a thousand patches has one by noise.
_SURE = 5.0
#: Longest shape that is summed over, and largest half side of a patch, in pixels.
_LONGEST, _PATCH = 16, 40


@dataclass(frozen=True, slots=True)
class Spot:
    """What was found: centre in pixels, contrast in levels."""

    x: float
    y: float
    contrast: float


def look(
    frame: Luma,
    background: Luma,
    noise: float,
    ahead: tuple[float, float, float],
    shape: tuple[float, float],
    sign: float,
) -> Spot | None:
    """Return the likeliest place of a thing of ``shape`` (width, height) within ``ahead`` (x, y, radius), or None.

    ``sign`` is 1 for what is lighter than the background and -1 for what is darker; all lengths in pixels.
    """
    x, y, radius = ahead
    wide, tall = (min(_LONGEST, max(2, round(side))) for side in shape)
    half = min(_PATCH, math.ceil(radius))
    left, top = max(0, round(x) - half - wide), max(0, round(y) - half - tall)
    patch = np.s_[top : round(y) + half + tall, left : round(x) + half + wide]
    apart = sign * (frame[patch].astype(np.float32) - background[patch])
    if apart.shape[0] <= tall or apart.shape[1] <= wide:
        return None
    np.minimum(apart, 8 * noise, out=apart)  # one hot pixel is not a shape
    total = np.zeros((apart.shape[0] + 1, apart.shape[1] + 1), np.float32)
    total[1:, 1:] = apart.cumsum(0).cumsum(1)
    sums = total[tall:, wide:] - total[:-tall, wide:] - total[tall:, :-wide] + total[:-tall, :-wide]
    row, column = divmod(int(sums.argmax()), sums.shape[1])
    if sums[row, column] < _SURE * noise * math.sqrt(wide * tall):
        return None
    inside = np.maximum(apart[row : row + tall, column : column + wide], 0.0)
    mass = float(inside.sum())
    down = float((inside.sum(1) * np.arange(tall)).sum()) / mass
    right = float((inside.sum(0) * np.arange(wide)).sum()) / mass
    return Spot(left + column + right, top + row + down, sign * mass / (wide * tall))
