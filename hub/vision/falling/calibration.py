"""From pixels to metres: a person clicks floor lines of the facade, and a plane seen in perspective is fitted.

A height on a plane is a quotient of two straight lines in the picture: ``h = (a x + b y + c) / (d x + e y + 1)``.
Clicks in one column say nothing about ``x``; then both its terms are left out.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from hub.model.errors import HubError

#: Clicks and distinct floors that are needed; more clicks than anybody makes.
LEAST_CLICKS, LEAST_FLOORS, MOST_CLICKS = 4, 4, 200
#: Clicks must spread over this share of the picture's width before the lines may slope, and be at least this many.
_WIDE, _SLOPING = 0.25, 7
#: Clicks that are further from the fitted lines than this, in metres, are a mistake in counting floors.
WORST = 1.0
#: Nobody clicks more exactly than this share of the picture's height: one pixel of 720.
_HAND = 1 / 720


class CalibrationError(HubError):
    """The clicks do not describe a facade; the sentence says what to do. Nothing was kept."""


class Click(msgspec.Struct, frozen=True):
    """A point on the line where a floor begins (its slab), in shares of the picture's width and height."""

    x: Annotated[float, msgspec.Meta(ge=0, le=1)]
    y: Annotated[float, msgspec.Meta(ge=0, le=1)]
    floor: Annotated[int, msgspec.Meta(ge=-5, le=150)]
    """The ground floor is 1."""


class Facade(msgspec.Struct, frozen=True):
    """The fitted plane. Heights in metres above the ground floor's slab."""

    terms: tuple[float, float, float, float, float]
    """a, b, c, d, e of the quotient."""
    storey: Annotated[float, msgspec.Meta(ge=2.0, le=8.0)]
    """Height of one floor, in metres."""
    error: float
    """Standard deviation of a height that is read from the map, in metres, from leaving out one click at a time."""
    lowest: int
    highest: int
    """Floors that were clicked; beyond them the map is a guess."""

    def height(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return metres above the ground at points given in shares of the picture."""
        return _height(np.asarray(self.terms), x, y)

    def scale(self, x: float, y: float) -> float:
        """Return metres for each whole picture height, upwards, at a point."""
        step = 1e-3
        low, high = self.height(np.array([x, x]), np.array([y + step, y - step]))
        return float(high - low) / (2 * step)


def calibrate(clicks: tuple[Click, ...], storey: float = 3.0) -> Facade:
    """Fit the facade to clicked floor lines; ``storey`` is the height of a floor in metres.

    Raises CalibrationError when there are too few clicks, they contradict each other, or higher floors are not higher
    in the picture.
    """
    if not LEAST_CLICKS <= len(clicks) <= MOST_CLICKS or len({click.floor for click in clicks}) < LEAST_FLOORS:
        raise CalibrationError(f"click at least {LEAST_FLOORS} different floor lines")
    if not 2.0 <= storey <= 8.0:
        raise CalibrationError("a floor is 2 to 8 m high")
    x, y = np.array([click.x for click in clicks]), np.array([click.y for click in clicks])
    metres = np.array([(click.floor - 1) * storey for click in clicks])
    sloping = len(clicks) >= _SLOPING and float(np.ptp(x)) >= _WIDE
    terms = _fit(x, y, metres, sloping)
    floors = [click.floor for click in clicks]
    facade = Facade(_five(terms), storey, _error(x, y, metres, terms, sloping), min(floors), max(floors))
    _check(facade, x, y, metres)
    return facade


def _check(facade: Facade, x: NDArray[np.float64], y: NDArray[np.float64], metres: NDArray[np.float64]) -> None:
    off = np.abs(facade.height(x, y) - metres)
    worst = int(off.argmax())
    if not np.isfinite(off).all() or off[worst] > WORST:
        raise CalibrationError(
            f"click {worst + 1} does not fit the others by {off[worst]:.1f} m: count the floors again"
        )
    for column in (float(x.min()), float(x.max())):
        down = np.linspace(float(y.min()), float(y.max()), 32)
        if not (np.diff(facade.height(np.full(32, column), down)) < 0).all():
            raise CalibrationError("higher floors must be higher in the picture")


def _error(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    metres: NDArray[np.float64],
    terms: NDArray[np.float64],
    sloping: bool,
) -> float:
    """Return the error of a height, from each click against the map of the others, and never better than a hand."""
    hand = float(np.abs(_height(terms, x, y + _HAND) - _height(terms, x, y - _HAND)).max()) / 2
    if len(x) == LEAST_CLICKS:  # three clicks for three terms always agree; the fourth is the only witness
        return max(hand, float(np.abs(_height(terms, x, y) - metres).max()) * 2)
    left = []
    for out in range(len(x)):
        keep = np.arange(len(x)) != out
        left.append(_height(_fit(x[keep], y[keep], metres[keep], sloping), x[out], y[out]) - metres[out])
    return max(hand, float(np.median(np.abs(left))) * 1.4826)


def _fit(
    x: NDArray[np.float64], y: NDArray[np.float64], metres: NDArray[np.float64], sloping: bool
) -> NDArray[np.float64]:
    """Solve for the terms, weighted so that the error is one of heights (the equation times its denominator is not)."""
    one = np.ones_like(x)
    weight = one
    terms: NDArray[np.float64] = np.zeros(5)
    for _ in range(4):
        if sloping:
            matrix = np.stack([x, y, one, -metres * x, -metres * y], 1)
            terms = np.asarray(np.linalg.lstsq(matrix * weight[:, None], metres * weight, rcond=None)[0], np.float64)
        else:
            matrix = np.stack([y, one, -metres * y], 1)
            b, c, e = np.linalg.lstsq(matrix * weight[:, None], metres * weight, rcond=None)[0]
            terms = np.array([0.0, b, c, 0.0, e])
        weight = 1 / np.maximum(1e-3, np.abs(terms[3] * x + terms[4] * y + 1))
    return terms


def _height(terms: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b, c, d, e = terms
    below = d * x + e * y + 1
    found: NDArray[np.float64] = (a * x + b * y + c) / np.where(np.abs(below) < 1e-6, 1e-6, below)
    return found


def _five(terms: NDArray[np.float64]) -> tuple[float, float, float, float, float]:
    a, b, c, d, e = (float(term) for term in terms)
    return a, b, c, d, e
