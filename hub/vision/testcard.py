"""Finds a printed chequer in a picture: who holds it before a camera proves that this camera is live, and which it is.

Inner corners of a chequer are saddles: opposite quarters are alike, neighbouring ones are not, and from one corner to
the next light and dark change places. Windows, tiles with joints and shadows have no such corners in rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hub.vision.frame import Grey, Luma, shrink
from hub.vision.lane.place import Box

#: Size of the picture that is searched, in pixels; half sides of the corners that are looked for.
WIDTH, HEIGHT, HALVES = 640, 360, (4, 7, 12)
#: Least contrast of a corner in levels, and how unlike opposite quarters may be as part of it.
CONTRAST, UNLIKE = 24.0, 0.45
#: Corners that hang together: of the card's 24 (5 by 7 squares, ui/src/assets/test-card.svg), some are covered.
ENOUGH = 14
#: Most corners that are compared: a picture full of them is no card.
MOST = 600
#: Neighbours are so many half sides apart; the nearest four may differ by this factor.
NEAR, FAR, EVEN = 1.0, 4.5, 1.22


@dataclass(frozen=True)
class Corner:
    """A saddle: pixels of the searched picture; ``sign`` tells which quarters are light."""

    x: float
    y: float
    sign: int


def find(luma: Luma) -> Box | None:
    """Return the box around a chequer, in parts of the picture; None where there is none."""
    picture = shrink(luma, WIDTH, HEIGHT)
    for half in HALVES:
        group = _together(_corners(picture, half), half)
        if len(group) >= ENOUGH:
            xs, ys = [corner.x for corner in group], [corner.y for corner in group]
            return min(xs) / WIDTH, min(ys) / HEIGHT, max(xs) / WIDTH, max(ys) / HEIGHT
    return None


def _corners(picture: Grey, half: int) -> list[Corner]:
    """Return the saddles whose quarters are at least ``half`` pixels wide."""
    sums = np.zeros((HEIGHT + 1, WIDTH + 1))
    sums[1:, 1:] = picture.astype(np.float64).cumsum(0).cumsum(1)
    means = (sums[half:, half:] - sums[:-half, half:] - sums[half:, :-half] + sums[:-half, :-half]) / (half * half)
    upper_left, upper_right = means[:-half, :-half], means[:-half, half:]
    lower_left, lower_right = means[half:, :-half], means[half:, half:]
    saddle = (upper_left + lower_right - upper_right - lower_left) / 2
    unlike = np.maximum(np.abs(upper_left - lower_right), np.abs(upper_right - lower_left))
    strength = np.where(unlike < UNLIKE * np.abs(saddle), np.abs(saddle), 0.0)
    strength[strength < CONTRAST] = 0.0
    peaks = (strength > 0) & (strength == _highest_around(strength, half))
    rows, columns = np.nonzero(peaks)
    if len(rows) > MOST:
        return []
    return [
        Corner(float(column + half), float(row + half), 1 if saddle[row, column] > 0 else -1)
        for row, column in zip(rows, columns, strict=True)
    ]


def _highest_around(values: npt.NDArray[np.float64], reach: int) -> npt.NDArray[np.float64]:
    """Return the highest value within so many pixels, across and down."""
    for axis in (0, 1):
        padded = np.pad(values, [(reach, reach) if own == axis else (0, 0) for own in (0, 1)])
        size = values.shape[axis]
        parts = [padded.take(range(start, start + size), axis) for start in range(2 * reach + 1)]
        values = np.maximum.reduce(parts)
    return values


def _together(corners: list[Corner], half: int) -> list[Corner]:
    """Return the largest group in which each corner has neighbours of the other sign, and none of its own as near."""
    if len(corners) < ENOUGH:
        return []
    places = np.array([(corner.x, corner.y) for corner in corners])
    signs = np.array([corner.sign for corner in corners])
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    nearest = apart.min(axis=1)
    linked = (apart < EVEN * nearest[:, None]) & (apart > NEAR * half) & (apart < FAR * half)
    chequered = np.array([(signs[row] != signs[at]).all() and row.sum() >= 2 for at, row in enumerate(linked)])
    linked &= chequered[:, None] & chequered[None]
    best: set[int] = set()
    rest = set(np.nonzero(chequered)[0].tolist())
    while rest:
        group, edge = set(), {rest.pop()}
        while edge:
            group |= edge
            edge = {int(other) for at in edge for other in np.nonzero(linked[at])[0]} - group
        rest -= group
        best = max(best, group, key=len)
    return [corners[at] for at in best]
