"""Drip columns: air conditioners drip for a whole summer, from one place, straight down, and each drop truly falls."""

from __future__ import annotations

from typing import Annotated

import msgspec

from hub.vision.falling.event import Point

#: A drop is small and straight: pixels of its longer side, metres a second sideways.
_SMALL, _STRAIGHT = 7.0, 0.6
#: The same place, in metres sideways and up or down: the error of a track, and of where a drop is first seen.
_BESIDE, _ABOVE = 0.2, 0.8
#: Drops from a place that make it a column, whatever they are: what falls there again and again is not worth an alarm.
LEARNED = 2
#: A drop of water never falls faster than 9.2 m/s, then it breaks up (Gunn and Kinzer, 1949); what harms is faster than
#: 10 m/s. As ``k`` of the drag in 1/m that is 0.116 and 0.098; a fit finds four fifths of it, as it expects none.
_WATER = 0.095
#: Drops must follow each other within this many seconds to make a column.
_TOGETHER = 900.0
#: A column is kept for this long after its last drop: the summer's next hot day.
_KEPT = 3 * 86_400.0
#: Most columns that are kept; the one without a drop for longest gives way.
_MOST = 256


class Column(msgspec.Struct, frozen=True):
    """A place that drips, in pixels of the frame."""

    x: float
    y: float
    drops: Annotated[int, msgspec.Meta(ge=1)]
    last: float
    """Seconds of the stream."""


class Drips:
    """The columns of one camera."""

    def __init__(self) -> None:
        self.columns: list[Column] = []

    def restart(self, at: float) -> None:
        """Go on with a new clock of the stream, which now says ``at`` seconds."""
        self.columns = [msgspec.structs.replace(column, last=at) for column in self.columns]

    def is_drip(self, start: Point, slant: float, metre: float, at: float, drag: float = 0.0) -> bool:
        """Note a thing that fell from ``start`` and say whether it is water, or one drop of many.

        ``slant`` in metres a second, ``metre`` the metres of one pixel, ``at`` in seconds of the stream, ``drag`` as
        ``k`` in 1/m.
        """
        if start.side > _SMALL or abs(slant) > _STRAIGHT:
            return False
        self.columns = [column for column in self.columns if 0 <= at - column.last < _keep(column)][-_MOST:]
        for column in self.columns:
            if abs(column.x - start.x) * metre < _BESIDE and abs(column.y - start.y) * metre < _ABOVE:
                self.columns.remove(column)
                self.columns.append(_with(column, start, at))
                return column.drops + 1 >= LEARNED or drag >= _WATER
        self.columns.append(Column(start.x, start.y, 1, at))
        return drag >= _WATER


def _keep(column: Column) -> float:
    return _KEPT if column.drops >= LEARNED else _TOGETHER


def _with(column: Column, start: Point, at: float) -> Column:
    """Return the column with one more drop, its place a mean of the last few."""
    part = 1 / min(8, column.drops + 1)
    x, y = column.x + part * (start.x - column.x), column.y + part * (start.y - column.y)
    return Column(x, y, column.drops + 1, at)
