"""Generated traces of one bay: what the sensor measures, and what really stands there.

Made up from orders of magnitude in the literature on parking magnetometers, not recorded. Seeded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
DAY, HOUR, MINUTE = 86_400.0, 3_600.0, 60.0
#: Monday 2025-10-06, 00:00 in UTC.
START = 1_759_708_800.0


@dataclass(frozen=True)
class Stay:
    """A vehicle at its place from ``begin`` to ``end`` (seconds); ``field`` is what it adds, in µT."""

    begin: float
    end: float
    field: Vector

    def at(self, t: float, ramp: float = 8.0) -> Vector:
        share = min((t - self.begin) / ramp, (self.end - t) / ramp, 1.0)
        return self.field * max(0.0, share)


@dataclass
class Scene:
    """One bay for ``days``; every figure has its unit in its name."""

    seed: int
    days: float = 3.0
    period_s: float = 10.0
    noise_ut: float = 0.3
    swing_k: float = 25.0
    drift_ut_per_k: float = 0.1
    wander_ut_per_day: float = 0.3
    parked_ut: tuple[float, float] = (16.0, 60.0)
    beside_ut: tuple[float, float] = (0.5, 4.0)
    passing_a_day: int = 80
    lorries: bool = True
    empty_first_s: float = 2 * HOUR
    parked: list[Stay] = field(default_factory=list)
    others: list[Stay] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)
        self.slope = self.drift_ut_per_k * self.random.choice([-1.0, 1.0], 3)
        self.earth = np.array([30.0, -5.0, 40.0]) + self.random.normal(0, 3, 3)
        if not self.parked:
            self.parked = self._stays(self.parked_ut, (0.3 * HOUR, 12 * HOUR), (0.2 * HOUR, 8 * HOUR))
        for _ in range(2):
            self.others += self._stays(self.beside_ut, (0.5 * HOUR, 14 * HOUR), (0.2 * HOUR, 5 * HOUR))
        if self.lorries:
            self.others += self._stays((5.0, 6.0), (0.2 * HOUR, 2 * HOUR), (10 * HOUR, 20 * HOUR))
        for begin in self.random.uniform(0, self.days * DAY, round(self.passing_a_day * self.days)):
            self.others.append(Stay(begin, begin + self.random.uniform(3, 9), self._direction() * self._between(5, 45)))

    def samples(self) -> Iterator[tuple[float, Vector, float, bool]]:
        """Yield time (seconds since 1970), field (µT), temperature (°C) and whether a vehicle is parked."""
        wander = np.zeros(3)
        step = self.wander_ut_per_day * np.sqrt(self.period_s / DAY)
        for number in range(round(self.days * DAY / self.period_s)):
            t = number * self.period_s
            temperature = 18 + self.swing_k / 2 * np.sin(2 * np.pi * (t / DAY - 0.375))
            wander += self.random.normal(0, step, 3)
            value = self.earth + wander + self.slope * (temperature - 18) + self.random.normal(0, self.noise_ut, 3)
            value += sum((stay.at(t) for stay in self._near(t)), np.zeros(3))
            said = temperature + self.random.normal(0, 0.2)
            yield START + t, value, float(said), any(stay.begin <= t <= stay.end for stay in self.parked)

    def _near(self, t: float) -> list[Stay]:
        return [stay for stay in (*self.parked, *self.others) if stay.begin <= t <= stay.end]

    def _stays(self, ut: tuple[float, float], lasting: tuple[float, float], gap: tuple[float, float]) -> list[Stay]:
        stays, t = [], self.empty_first_s + self._between(*gap)
        while t < self.days * DAY:
            end = t + self._between(*lasting)
            stays.append(Stay(t, end, self._direction() * self._between(*ut)))
            t = end + self._between(*gap)
        return stays

    def _direction(self) -> Vector:
        vector = self.random.normal(0, 1, 3)
        return np.asarray(vector / np.linalg.norm(vector))

    def _between(self, low: float, high: float) -> float:
        return float(self.random.uniform(low, high))
