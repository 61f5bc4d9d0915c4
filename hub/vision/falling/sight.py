"""A track in metres: by the facade's map, or without one by the fall itself, if it is one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hub.vision.falling.calibration import Facade
from hub.vision.falling.linking import Track
from hub.vision.falling.physics import GRAVITY, Real, acceleration

#: Error of a position: pixels, and share of the thing's side (its shape turns).
_PIXEL, _TURNS = 0.6, 1 / 32
#: Error of a time stamp, in seconds: cameras stamp what the network let them.
_JITTER = 0.004
#: Mean acceleration of a heavy thing over its first two floors, drag included: the ruler where there is no map.
_RULER = 0.93 * GRAVITY
#: Scales that a facade camera can have, in pixels for each metre.
_COARSE, _FINE = 4.0, 200.0


@dataclass(frozen=True, slots=True)
class Path:
    """A track in metres and seconds."""

    times: Real
    heights: Real
    sideways: Real
    noise: float
    """Standard deviation of a height."""
    metre: float
    """Metres of one pixel in the middle of the track."""


@dataclass(frozen=True, slots=True)
class Sight:
    """How one camera sees: size of its frames in pixels, and the map where there is one."""

    width: int
    height: int
    facade: Facade | None

    def path(self, track: Track) -> Path | None:
        """Return the track in metres, or None where there is neither map nor acceleration to measure by."""
        times, x, y = np.array(track.times), np.array(track.xs), np.array(track.ys)
        side = float(np.median(track.sides))
        metre = self._metre(times, x, y)
        if metre is None:
            return None
        if self.facade is None:
            heights = (self.height - y) * metre
        else:
            heights = self.facade.height(x / self.width, y / self.height)
        fastest = float(heights.max() - heights[-1]) / max(0.1, float(times[-1] - times[0])) * 2
        noise = math.hypot(max(_PIXEL, side * _TURNS) * metre, max(0.0, fastest) * _JITTER)
        return Path(times, heights, x * metre, noise, metre)

    def metre(self, x: float, y: float) -> float | None:
        """Return the metres of one pixel at a point, where there is a map."""
        if self.facade is None:
            return None
        return abs(self.facade.scale(x / self.width, y / self.height)) / self.height

    def _metre(self, times: Real, x: Real, y: Real) -> float | None:
        if self.facade is not None:
            return self.metre(float(x.mean()), float(y.mean()))
        pull = acceleration(times, y)[0]
        if not _COARSE * _RULER < pull < _FINE * _RULER:
            return None
        return _RULER / pull
