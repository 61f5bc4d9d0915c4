"""Pixels that belong together: components on the active blocks of one frame, as candidates for something that falls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.vision.falling.background import Flags, Luma
from hub.vision.falling.blocks import SIZE

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


def candidates(frame: Luma, background: Luma, far: Flags, blocks: Flags) -> Candidates:
    """Return the components of ``far`` inside ``blocks``."""
    rows, columns = np.nonzero(blocks)
    if not len(rows):
        return EMPTY
    inside = far.reshape(blocks.shape[0], SIZE, blocks.shape[1], SIZE)[rows, :, columns]
    flagged = np.flatnonzero(inside)[:_MOST_PIXELS]
    stride = far.shape[1] + 2 * _REACH  # so that the end of a row does not touch the beginning of the next
    corner = (rows * stride + columns) * SIZE
    row, column = np.divmod(np.arange(SIZE * SIZE), SIZE)
    place = np.sort(corner[flagged // (SIZE * SIZE)] + (row * stride + column)[flagged % (SIZE * SIZE)])
    y = place // stride
    x = place - y * stride
    label = components(place, stride)
    return _measure(x, y, label, frame[y, x].astype(np.float64) - background[y, x])


def components(place: Whole, stride: int) -> Whole:
    """Number the components of pixels given as sorted ``row * stride + column``; numbers run from 0 without holes."""
    new = np.empty(len(place) + 1, bool)
    new[0] = new[-1] = True
    np.greater(place[1:] - place[:-1], _REACH, out=new[1:-1])
    borders = np.flatnonzero(new)
    starts, ends = place[borders[:-1]], place[borders[1:] - 1]
    joined = _join(len(starts), *_touching(starts, ends, stride))
    number = np.cumsum(joined == np.arange(len(joined))) - 1  # each component is called by its first run
    label: Whole = np.repeat(number[joined], borders[1:] - borders[:-1])
    return label


def _touching(starts: Whole, ends: Whole, stride: int) -> tuple[Whole, Whole]:
    """Return pairs of runs that touch across one or two rows."""
    down = np.repeat(np.arange(1, _REACH + 1) * stride, len(starts))
    begin = np.searchsorted(ends, np.tile(starts, _REACH) + (down - _REACH), "left")
    end = np.searchsorted(starts, np.tile(ends, _REACH) + (down + _REACH), "right")
    count = np.maximum(0, end - begin)
    upper = np.repeat(np.tile(np.arange(len(starts)), _REACH), count)
    lower: Whole = np.repeat(begin - np.cumsum(count) + count, count) + np.arange(len(upper))
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
        if np.array_equal(label, before):
            break
    return label


def _measure(x: Whole, y: Whole, label: Whole, apart: Real) -> Candidates:
    weight = np.abs(apart)
    area = np.bincount(label)
    mass = np.bincount(label, weight)
    middle_x, middle_y = np.bincount(label, weight * x) / mass, np.bincount(label, weight * y) / mass
    order = np.argsort(label, kind="stable")
    begins = np.concatenate(([0], np.cumsum(area)[:-1]))
    x, y = x[order], y[order]
    wide = np.maximum.reduceat(x, begins) - np.minimum.reduceat(x, begins) + 1
    tall = np.maximum.reduceat(y, begins) - np.minimum.reduceat(y, begins) + 1
    streak = (tall >= _STREAK * wide) & (wide <= _THIN) & (tall >= _TALL)
    large = np.maximum(wide, tall) > _LARGEST
    good = np.flatnonzero((area >= _LEAST) & ~streak & ~large)
    chosen = good[np.argsort(-mass[good], kind="stable")[:MOST]]
    return Candidates(
        middle_x[chosen],
        middle_y[chosen],
        area[chosen].astype(np.float64),
        np.bincount(label, apart)[chosen] / area[chosen],
        np.maximum(wide, tall)[chosen].astype(np.float64),
        int(np.count_nonzero(streak)),
        int(np.count_nonzero(large)),
        len(good) - len(chosen),
    )
