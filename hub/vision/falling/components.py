"""Pixels that belong together: components on the active blocks of one frame, as candidates for something that falls."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hub.vision.falling.background import Flags, Luma, far, squares
from hub.vision.falling.blocks import SIZE, places

Whole = NDArray[np.intp]
Real = NDArray[np.float64]

#: Pixels of the smallest candidate, and the longest side of the largest.
_LEAST, _LARGEST = 3, 64
#: Pixels this near to each other belong together: a faint thing has holes.
_REACH = 2
#: Most pixels looked at in a frame: 256 full blocks. A guard for the clock, rain stays far below.
_MOST_PIXELS = 16_384
#: Most candidates that leave a frame; the strongest stay.
MOST = 48
#: A streak of rain: this many times as tall as wide, at most this wide, at least this tall (pixels).
_STREAK, _THIN, _TALL = 5.0, 2, 12


@dataclass(frozen=True, slots=True)
class Candidates:
    """Components of one frame, one row each; positions in pixels of the frame, top left is (0, 0)."""

    x: Real
    y: Real
    area: Real
    """Pixels."""
    contrast: Real
    """Mean signed difference to the background, in levels."""
    side: Real
    """Longer side of the box, in pixels."""
    streaks: int = 0
    """Left out as streaks of rain."""
    large: int = 0
    """Left out as too large."""
    capped: int = 0
    """Left out because there were too many."""

    def __len__(self) -> int:
        return len(self.x)


_NONE = np.zeros(0)
EMPTY = Candidates(_NONE, _NONE, _NONE, _NONE, _NONE)


def candidates(frame: Luma, background: Luma, limit: int, blocks: Flags) -> Candidates:
    """Return the components of what is more than ``limit`` levels from the background inside ``blocks``."""
    rows, columns = places(blocks)
    if not len(rows):
        return EMPTY
    seen, kept = (squares(picture, SIZE)[rows, :, columns] for picture in (frame, background))
    flags = np.empty(seen.shape, bool)
    far(seen, kept, limit, flags)
    flagged = np.flatnonzero(flags)[:_MOST_PIXELS]
    block, bit = np.divmod(flagged, SIZE * SIZE)
    stride = frame.shape[1] + 2 * _REACH  # so that the end of a row does not touch the beginning of the next
    corner = (rows * stride + columns) * SIZE
    place = corner[block] + _inside(stride)[bit]
    order = place.argsort()
    place, flagged = place[order], flagged[order]
    y = place // stride
    x = place - y * stride
    apart = seen.ravel()[flagged].astype(np.float64) - kept.ravel()[flagged]
    return _measure(x, y, components(place, stride), apart)


@cache
def _inside(stride: int) -> Whole:
    """Return where the pixels of a block are, from its first one."""
    inside: Whole = np.add.outer(np.arange(SIZE) * stride, np.arange(SIZE)).ravel()
    return inside


def components(place: Whole, stride: int) -> Whole:
    """Number the components of pixels given as sorted ``row * stride + column``; numbers run from 0 without holes."""
    new = np.empty(len(place) + 1, bool)
    new[0] = new[-1] = True
    np.greater(place[1:] - place[:-1], _REACH, out=new[1:-1])
    borders = new.nonzero()[0]
    begins, after = borders[:-1], borders[1:]
    starts, ends = place[begins], place[after - 1]
    joined = _join(len(starts), *_touching(starts, ends, stride))
    number = (joined == np.arange(len(joined))).cumsum() - 1  # each component is called by its first run
    label: Whole = number[joined].repeat(after - begins)
    return label


def _touching(starts: Whole, ends: Whole, stride: int) -> tuple[Whole, Whole]:
    """Return pairs of runs that touch across one or two rows."""
    down = np.arange(1, _REACH + 1)[:, np.newaxis] * stride
    begin = ends.searchsorted((starts + (down - _REACH)).ravel(), "left")
    end = starts.searchsorted((ends + (down + _REACH)).ravel(), "right")
    count = end - begin
    upper = (np.arange(len(count)) % len(starts)).repeat(count)
    lower: Whole = (end - count.cumsum()).repeat(count) + np.arange(len(upper))
    return upper, lower


def _join(count: int, upper: Whole, lower: Whole) -> Whole:
    """Return the smallest run of each run's component: labels sink along the pairs until nothing changes."""
    label = np.arange(count)
    while len(upper):
        least = np.minimum(label[upper], label[lower])
        before = label.copy()
        np.minimum.at(label, upper, least)
        np.minimum.at(label, lower, least)
        label = label[label]
        if (label == before).all():
            break
    return label


def _measure(x: Whole, y: Whole, label: Whole, apart: Real) -> Candidates:
    weight = np.abs(apart)
    area = np.bincount(label)
    mass = np.bincount(label, weight)
    middle_x, middle_y = np.bincount(label, weight * x) / mass, np.bincount(label, weight * y) / mass
    order = label.argsort(kind="stable")
    ends = area.cumsum()
    begins = ends - area
    x, y = x[order], y[order]
    wide = np.maximum.reduceat(x, begins) - np.minimum.reduceat(x, begins) + 1
    tall = y[ends - 1] - y[begins] + 1  # pixels come row by row
    side = np.maximum(wide, tall)
    streak = (tall >= _STREAK * wide) & (wide <= _THIN) & (tall >= _TALL)
    large = side > _LARGEST
    good = ((area >= _LEAST) & ~(streak | large)).nonzero()[0]
    chosen = good[(-mass[good]).argsort(kind="stable")[:MOST]]
    return Candidates(
        middle_x[chosen],
        middle_y[chosen],
        area[chosen].astype(np.float64),
        np.bincount(label, apart)[chosen] / area[chosen],
        side[chosen].astype(np.float64),
        int(np.count_nonzero(streak)),
        int(np.count_nonzero(large)),
        len(good) - len(chosen),
    )
