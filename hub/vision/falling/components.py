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
    block, row, column = np.nonzero(inside)
    block, row, column = block[:_MOST_PIXELS], row[:_MOST_PIXELS], column[:_MOST_PIXELS]
    y, x = rows[block] * SIZE + row, columns[block] * SIZE + column
    stride = far.shape[1] + 2 * _REACH  # so that the end of a row does not touch the beginning of the next
    order = np.argsort(y * stride + x)
    y, x = y[order], x[order]
    label = components(y * stride + x, stride)
    return _measure(x, y, label, frame[y, x].astype(np.float64) - background[y, x])


def components(place: Whole, stride: int) -> Whole:
    """Number the components of pixels given as sorted ``row * stride + column``; numbers run from 0 without holes."""
    new = np.empty(len(place), bool)
    new[0] = True
    np.greater(np.diff(place), _REACH, out=new[1:])
    run = np.cumsum(new) - 1
    first = np.flatnonzero(new)
    starts, ends = place[first], place[np.append(first[1:], len(place)) - 1]
    upper, lower = _touching(starts, ends, stride)
    label: Whole = np.unique(_join(len(starts), upper, lower), return_inverse=True)[1][run]
    return label


def _touching(starts: Whole, ends: Whole, stride: int) -> tuple[Whole, Whole]:
    """Return pairs of runs that touch across one or two rows."""
    upper, lower = [], []
    for down in range(1, _REACH + 1):
        begin = np.searchsorted(ends, starts + down * stride - _REACH, "left")
        count = np.maximum(0, np.searchsorted(starts, ends + down * stride + _REACH, "right") - begin)
        above = np.repeat(np.arange(len(starts)), count)
        upper.append(above)
        lower.append(np.repeat(begin - np.cumsum(count) + count, count) + np.arange(len(above)))
    return np.concatenate(upper), np.concatenate(lower)


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
    wide = np.maximum.reduceat(x[order], begins) - np.minimum.reduceat(x[order], begins) + 1
    tall = np.maximum.reduceat(y[order], begins) - np.minimum.reduceat(y[order], begins) + 1
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
        int(streak.sum()),
        int(large.sum()),
        len(good) - len(chosen),
    )
