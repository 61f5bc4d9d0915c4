"""The laws: how a heavy thing falls through air, fitted to a track in metres.

With quadratic drag a thing that starts at rest has fallen ``ln cosh(s sqrt(a k)) / k`` metres after ``s`` seconds,
where ``a`` is gravity and ``k = a / v²`` with the terminal speed ``v``. What is known beforehand (gravity as measured
on a facade by clicks; things worth an alarm have terminal speeds above 10 m/s) joins the fit as two more observations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]

GRAVITY = 9.81
#: Spread of gravity as the map shows it: clicks, and things that fall a metre before the wall.
_GRAVITY_SPREAD = 0.7
#: Prior of ``k`` in 1/m: half a normal distribution; 0.05 is a terminal speed of 14 m/s (a plastic bottle: 10).
_DRAG_SPREAD = 0.05
#: ``k`` is kept above this for the sake of the quotient: 300 m/s.
_LEAST_DRAG = 1e-4
_ROUNDS = 8
#: Residuals beyond this many deviations count less (Huber).
_HUBER = 2.0


@dataclass(frozen=True, slots=True)
class Flight:
    """A fitted fall. Metres and seconds."""

    released: float
    height: float
    """Where it was at rest; the highest point of a throw."""
    gravity: float
    drag: float
    rms: float
    """Root mean square of the residuals, the worst tenth left out."""
    spread: float
    """Standard deviation of ``height``."""

    def at(self, times: Real) -> Real:
        """Return the height at these times."""
        return self.height - _drop(np.maximum(0.0, times - self.released), self.gravity, self.drag)[0]

    def velocity(self, time: float) -> float:
        """Return metres a second downwards."""
        return float(_drop(np.array([max(0.0, time - self.released)]), self.gravity, self.drag)[1][0])


def _drop(since: Real, gravity: float, drag: float) -> tuple[Real, Real]:
    """Return metres fallen and speed."""
    root = np.sqrt(gravity * drag)
    turned = since * root
    fallen = (turned + np.log1p(np.exp(-2 * turned)) - np.log(2.0)) / drag
    return fallen, np.sqrt(gravity / drag) * np.tanh(turned)


def fly(times: Real, heights: Real, noise: float) -> Flight:
    """Fit a fall to heights in metres with standard deviation ``noise``; four points or more, times ascending.

    Points before the release (held in the hand, lying on the sill) fit it as well as those after it.
    """
    released, height = _first_guess(times, heights)
    guess = np.array([height, released, GRAVITY, 0.03])
    prior, sure = np.array([GRAVITY, 0.0]), np.array([1 / _GRAVITY_SPREAD, 1 / _DRAG_SPREAD])
    latest = float(times[-2])
    normal = np.eye(4)
    for _ in range(_ROUNDS):
        since = np.maximum(0.0, times - guess[1])
        fallen, speed = _drop(since, guess[2], guess[3])
        residual = (heights - guess[0] + fallen) / noise
        weight = np.sqrt(np.minimum(1.0, _HUBER / np.maximum(1e-9, np.abs(residual))))
        slopes = np.stack(
            [np.ones_like(since), speed, -since * speed / (2 * guess[2]), -(since * speed / 2 - fallen) / guess[3]], 1
        )
        slopes *= (weight / noise)[:, None]
        pulled = np.concatenate([residual * weight, (prior - guess[2:]) * sure])
        matrix = np.vstack([slopes, np.array([[0, 0, sure[0], 0], [0, 0, 0, sure[1]]])])
        normal = matrix.T @ matrix + np.diag([1e-9, 1e-9, 0, 0])
        wanted = matrix.T @ pulled
        step = np.linalg.solve(normal, wanted)
        if guess[3] + step[3] < _LEAST_DRAG:  # no drag: the others must be solved for again, knowing that
            step[3] = _LEAST_DRAG - guess[3]
            step[:3] = np.linalg.solve(normal[:3, :3], wanted[:3] - normal[:3, 3] * step[3])
        guess = guess + step
        guess[1] = min(latest, max(float(times[0]) - 3.0, guess[1]))
        guess[2] = min(20.0, max(1.0, guess[2]))
        guess[3] = min(1.0, max(_LEAST_DRAG, guess[3]))
    fallen, _ = _drop(np.maximum(0.0, times - guess[1]), guess[2], guess[3])
    squares = np.sort((heights - guess[0] + fallen) ** 2)[: max(4, int(len(times) * 0.9))]
    spread = float(np.sqrt(max(0.0, np.linalg.inv(normal)[0, 0])))
    rms = float(np.sqrt(squares.mean()))
    return Flight(float(guess[1]), float(guess[0]), float(guess[2]), float(guess[3]), rms, spread)


def _first_guess(times: Real, heights: Real) -> tuple[float, float]:
    """Return release time and height of a fall with gravity and no drag through the last point and the mean speed."""
    half = len(times) // 2
    late, early = float(times[half:].mean()), float(times[:half].mean())
    if half < 1 or late <= early:
        return float(times[0]), float(heights[0])
    speed = float(heights[:half].mean() - heights[half:].mean()) / (late - early)
    since = max(0.0, speed / GRAVITY)
    released = (late + early) / 2 - since
    return released, float(heights.mean()) + GRAVITY * since * since / 2


def acceleration(times: Real, values: Real) -> tuple[float, float, float]:
    """Return (acceleration, speed at the end, rms) of a parabola through at least three points."""
    since = times - times[-1]
    terms, *_ = np.linalg.lstsq(np.stack([np.ones_like(since), since, since * since / 2], 1), values, rcond=None)
    rms = float(np.sqrt(np.mean((values - terms[0] - terms[1] * since - terms[2] * since * since / 2) ** 2)))
    return float(terms[2]), float(terms[1]), rms
