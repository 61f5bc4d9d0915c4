"""Tells from the field whether a vehicle stands in the bay. It has no clock: all time comes with the samples.

The deviation from the empty bay is compared with two thresholds and has to last. The empty bay is learnt only while it
is empty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hub.sdk import Presence
from integrations.field_magnetometer.baseline import Baseline, Vector
from integrations.field_magnetometer.learner import Learner

#: A vehicle has left when this share of its own deviation is what remains, though never at the occupied threshold.
_LEFT, _NEVER = 0.35, 0.85
#: Share of each sample in the deviation that is typical of the vehicle.
_FOLLOW = 0.05


@dataclass(frozen=True, slots=True)
class Limits:
    """As in the configuration: thresholds and end of scale in µT, ``hold`` in seconds."""

    occupied: float = 12.0
    free: float = 7.0
    hold: float = 30.0
    saturated: float = 800.0


class Detector:
    """One bay."""

    def __init__(self, limits: Limits, baseline: Baseline | None = None) -> None:
        self.presence: Presence | None = None
        """None while it is not known."""
        self.deviation: float | None = None
        """The last deviation from the empty bay in µT; None without a baseline and in saturation."""
        self.baseline = baseline
        self._limits = limits
        self._learner = Learner(limits.occupied)
        self._at = baseline.at if baseline else 0.0
        self._wanted: Presence | None = None
        self._since = 0.0
        self._typical = 0.0
        self._temperature: float | None = None

    def mark_empty(self) -> None:
        """Believe that the bay is empty from now on: a person says so."""
        self._unknown()
        self.baseline, self._learner = None, Learner(self._limits.occupied, empty=True)

    def is_new(self, at: float) -> bool:
        """Tell whether a sample of ``at`` (seconds since 1970) was not seen yet."""
        return at > self._at

    def update(self, field_ut: tuple[float, float, float], at: float, temperature: float | None) -> Presence | None:
        """Take one sample: µT, seconds since 1970, °C. An older one than the last changes nothing.

        Returns what is in the bay, None when it is not known: while the baseline is not sure, and in saturation.
        """
        if not self.is_new(at):
            return self.presence
        self._at = at
        self._temperature = temperature if temperature is not None else self._temperature
        field = np.array(field_ut)
        if float(np.abs(field).max()) >= self._limits.saturated:
            self._unknown()
        elif self.baseline is None:
            self._begin(field, at)
        else:
            self._judge(self.baseline, field, at)
        return self.presence

    def _unknown(self) -> None:
        self.presence = self._wanted = self.deviation = None

    def _begin(self, field: Vector, at: float) -> None:
        empty = self._learner.add(field, at)
        if empty is not None:
            self.baseline = Baseline.first(empty, at, self._temperature)
            self._learner = Learner(self._limits.occupied)

    def _judge(self, baseline: Baseline, field: Vector, at: float) -> None:
        self.deviation = baseline.deviation(field, self._temperature)
        self._decide(self.deviation, at)
        if self.presence is Presence.ABSENT and self.deviation <= self._limits.free:
            baseline.learn(field, at, self._temperature)

    def _free(self) -> float:
        """Where a strong vehicle stood, its leaving is sure although a car beside the bay came meanwhile."""
        if self.presence is not Presence.PRESENT:
            return self._limits.free
        return max(self._limits.free, min(_LEFT * self._typical, _NEVER * self._limits.occupied))

    def _decide(self, deviation: float, at: float) -> None:
        """Follow the deviation once it has stayed for ``hold``; between the thresholds everything stays."""
        wanted = self.presence
        if deviation >= self._limits.occupied:
            wanted = Presence.PRESENT
        elif deviation <= self._free():
            wanted = Presence.ABSENT
        if wanted is not self._wanted:
            self._wanted, self._since = wanted, at
            if self.presence is not Presence.PRESENT:
                self._typical = deviation
        if wanted is Presence.PRESENT:
            self._typical += (deviation - self._typical) * _FOLLOW
        if wanted is not self.presence and at - self._since >= self._limits.hold:
            self.presence = wanted
