"""Finds the field of the empty bay when nobody has said what it is.

One level alone says nothing: the first thing seen may be a parked car. But cars differ, and the empty bay is always the
same. So a steady level is taken for the empty bay when it is found again after something else stood there. A car that
comes back to within a few centimetres of where it stood would deceive this; a person's word (``empty``) cannot be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from integrations.field_magnetometer.baseline import Vector

#: A level is looked for in windows of this many seconds and at least this many samples.
WINDOW, FEWEST = 180.0, 3
#: Largest standard deviation on an axis within a steady window, µT.
_STEADY = 0.8
#: Two levels closer than this are the same, µT.
_SAME = 2.0
#: How many levels are remembered.
_LEVELS = 16


@dataclass(slots=True)
class _Level:
    field: Vector
    left: bool = False
    """Something else was there since."""


class Learner:
    """The steady levels seen so far. With ``empty`` the first one is believed."""

    def __init__(self, occupied_ut: float, *, empty: bool = False) -> None:
        self._occupied = occupied_ut
        self._empty = empty
        self._window: list[Vector] = []
        self._began = 0.0
        self._levels: list[_Level] = []

    def add(self, field: Vector, at: float) -> Vector | None:
        """Take one sample (µT, seconds since 1970); return the field of the empty bay once it is sure."""
        if not self._window:
            self._began = at
        self._window.append(field)
        if at - self._began < WINDOW or len(self._window) < FEWEST:
            return None
        window, self._window = np.array(self._window), []
        if float(window.std(axis=0).max()) > _STEADY:
            return None
        return self._settled(window.mean(axis=0))

    def _settled(self, field: Vector) -> Vector | None:
        if self._empty:
            return field
        found = None
        for level in self._levels:
            distance = float(np.linalg.norm(field - level.field))
            if distance >= self._occupied:
                level.left = True
            elif distance <= _SAME:
                found = level
        if found is None:
            found = _Level(field)
            self._levels = [*self._levels, found][-_LEVELS:]
        found.field = field  # follows the temperature while it stays
        return field if found.left else None
