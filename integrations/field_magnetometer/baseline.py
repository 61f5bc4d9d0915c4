"""The field of the empty bay: what it is now, how it follows the temperature, and what stands beside it.

A Kalman filter of three numbers for each axis: the level at a reference temperature, its change with temperature, and
what comes and goes beside the bay for hours. Without the third, the first car beside the bay would be taken for a
change with temperature. The axes are measured alike, so they share one covariance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

#: Variance of one measurement, µT²: 0.3 µT, what low-power three-axis sensors have.
_NOISE = 0.3**2
#: How fast sensor and surroundings wander, µT² a second: 0.05 µT in an hour.
_WANDER = 0.05**2 / 3600
#: How fast the change with temperature wanders, (µT/K)² a second: 0.01 µT/K in a day.
_WANDER_SLOPE = 0.01**2 / 86_400
#: What stands beside the bay adds 2 µT to an axis and changes in 4 hours.
_BESIDE, _CHANGES = 2.0**2, 4 * 3600.0
#: What is known of a new baseline: level to 1 µT, change with temperature 0 ± 0.1 µT/K.
_FIRST, _FIRST_SLOPE = 1.0**2, 0.1**2
#: Longest time that is made up for at once, in seconds: 30 days.
_LONGEST = 30 * 86_400.0

Finite = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]
Axes = tuple[Finite, Finite, Finite]


class Stored(msgspec.Struct, frozen=True):
    """A baseline as it is kept on the disk; what stands beside the bay is not."""

    at: Annotated[float, msgspec.Meta(ge=0, le=1e11)]
    level: Axes
    slope: Axes
    covariance: Axes
    """Variance of the level, covariance, variance of the slope."""
    reference: Finite | None = None


@dataclass(slots=True)
class Baseline:
    """State of the filter. ``at`` in seconds since 1970, fields in µT, temperatures in °C."""

    at: float
    model: Vector
    """Rows: level at the reference temperature, change for each K, what is beside. Columns: the axes."""
    covariance: Vector
    reference: float | None = None

    @classmethod
    def first(cls, field: Vector, at: float, temperature: float | None) -> Baseline:
        """Begin with one steady level."""
        model = np.vstack([field, np.zeros(3), np.zeros(3)])
        return cls(at, model, np.diag([_FIRST, _FIRST_SLOPE, _BESIDE]), temperature)

    def deviation(self, field: Vector, temperature: float | None) -> float:
        """Return how far ``field`` is from the empty bay with nothing beside it (µT)."""
        row = self._row(temperature)
        row[2] = 0.0
        return float(np.linalg.norm(field - row @ self.model))

    def learn(self, field: Vector, at: float, temperature: float | None) -> None:
        """Take ``field`` for one of the empty bay."""
        self._pass(at)
        if self.reference is None:
            self.reference = temperature
        row = self._row(temperature)
        gain = self.covariance @ row / (row @ self.covariance @ row + _NOISE)
        self.model = self.model + np.outer(gain, field - row @ self.model)
        rest = np.eye(3) - np.outer(gain, row)
        # Joseph's form: stays a covariance whatever is rounded away in months
        self.covariance = rest @ self.covariance @ rest.T + _NOISE * np.outer(gain, gain)

    def _pass(self, at: float) -> None:
        passed = min(max(0.0, at - self.at), _LONGEST)
        stays = math.exp(-passed / _CHANGES)
        step = np.diag([1.0, 1.0, stays])
        noise = np.diag([_WANDER * passed, _WANDER_SLOPE * passed, _BESIDE * (1 - stays**2)])
        self.model = step @ self.model
        self.covariance = step @ self.covariance @ step + noise
        self.at = max(self.at, at)

    def _row(self, temperature: float | None) -> Vector:
        warmer = 0.0 if temperature is None or self.reference is None else temperature - self.reference
        return np.array([1.0, warmer, 1.0])

    def stored(self) -> Stored:
        """Return what to keep."""
        level, slope, _ = (tuple(row) for row in self.model.tolist())
        (a, b, _), (_, c, _), _ = self.covariance.tolist()
        return Stored(self.at, level, slope, (a, b, c), self.reference)

    @classmethod
    def restored(cls, kept: Stored) -> Baseline | None:
        """Read what was kept; None when it is no covariance."""
        a, b, c = kept.covariance
        if a <= 0 or c <= 0 or a * c < b * b:
            return None
        covariance = np.array([[a, b, 0.0], [b, c, 0.0], [0.0, 0.0, _BESIDE]])
        return cls(kept.at, np.array([kept.level, kept.slope, (0.0, 0.0, 0.0)]), covariance, kept.reference)
