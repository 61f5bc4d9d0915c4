"""Floor lines to metres."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.vision.falling.calibration import CalibrationError, Click, calibrate
from hub.vision.falling.event import Floor
from hub.vision.falling.judge import floor_of
from hub.vision.falling.physics import Flight
from tests.vision.facade import clicks, view
from tests.vision.movers import STOREY, View


def exact(seen: View, floors: list[int]) -> tuple[Click, ...]:
    return tuple(Click(0.5, seen.row((floor - 1) * STOREY) / seen.height, floor) for floor in floors)


@given(seed=st.integers(0, 1 << 31))
@settings(max_examples=60, deadline=None)
def test_exact_clicks_give_exact_heights(seed: int) -> None:
    seen = view(np.random.default_rng(seed), 1280, 720)
    facade = calibrate(exact(seen, [1, 3, 5, 8]))
    heights = np.linspace(0, seen.storeys * STOREY, 40)
    rows = np.array([seen.row(height) / 720 for height in heights])
    assert np.abs(facade.height(np.full(40, 0.5), rows) - heights).max() < 0.01
    assert facade.scale(0.5, float(rows[5])) / 720 == pytest.approx(1 / seen.pixels(float(heights[5])), rel=0.02)


@given(seed=st.integers(0, 1 << 31))
@settings(max_examples=60, deadline=None)
def test_a_person_s_clicks_give_heights_within_what_the_map_claims(seed: int) -> None:
    rng = np.random.default_rng(seed)
    seen = view(rng, 1280, 720)
    made = clicks(rng, seen)
    facade = calibrate(made)
    rows = np.array([seen.row((floor - 1) * STOREY) / 720 for floor in range(facade.lowest, facade.highest + 1)])
    truth = np.array([(floor - 1) * STOREY for floor in range(facade.lowest, facade.highest + 1)])
    off = np.abs(facade.height(np.full(len(rows), 0.5), rows) - truth).max()
    assert off < max(0.6, 5 * facade.error)


def test_lines_that_slope_are_followed_when_there_are_clicks_at_both_ends() -> None:
    made = tuple(
        Click(x, 0.95 - 0.09 * (floor - 1) + 0.06 * (x - 0.5), floor) for floor in range(1, 6) for x in (0.1, 0.9)
    )
    facade = calibrate(made)
    left, right = facade.height(np.array([0.1, 0.9]), np.array([0.5, 0.5]))
    assert right - left == pytest.approx(0.06 * 0.8 / 0.09 * STOREY, abs=0.05)


def test_a_miscounted_floor_is_named() -> None:
    seen = view(np.random.default_rng(1), 1280, 720)
    good = list(exact(seen, [1, 2, 4, 6, 7]))
    good[2] = Click(good[2].x, good[2].y, 6)
    with pytest.raises(CalibrationError, match="count the floors again"):
        calibrate(tuple(good))


@pytest.mark.parametrize("floors", [[1, 2, 3], [1, 1, 2, 2, 3, 3], []])
def test_too_few_floors_are_refused(floors: list[int]) -> None:
    with pytest.raises(CalibrationError, match="at least 4"):
        calibrate(exact(view(np.random.default_rng(1), 1280, 720), floors))


def test_a_facade_that_is_upside_down_is_refused() -> None:
    with pytest.raises(CalibrationError, match="higher"):
        calibrate(tuple(Click(0.5, 0.1 * floor, floor) for floor in range(1, 7)))


def test_four_clicks_on_one_row_are_refused_without_a_warning_of_numpy() -> None:
    with pytest.raises(CalibrationError):
        calibrate(tuple(Click(0.5, 0.5, floor) for floor in range(1, 7)))


def test_the_storey_must_be_one() -> None:
    with pytest.raises(CalibrationError, match="2 to 8"):
        calibrate(exact(view(np.random.default_rng(1), 1280, 720), [1, 3, 5, 8]), math.nan)


@pytest.mark.parametrize(("above", "number"), [(1.3, 5), (0.7, 5), (1.9, 5), (2.6, 5), (-0.4, 4)])
def test_the_floor_is_the_likelier_one(above: float, number: int) -> None:
    facade = calibrate(exact(view(np.random.default_rng(1), 1280, 720), [1, 3, 5, 8]))
    flight = Flight(0.0, 4 * STOREY + above, 9.81, 0.01, 0.03, 0.1)
    floor = floor_of(flight, facade)
    assert isinstance(floor, Floor)
    assert floor.number == number
    assert floor.low <= floor.number <= floor.high
    assert 0 < floor.probability <= 1


def test_a_release_between_two_floors_names_both() -> None:
    facade = calibrate(exact(view(np.random.default_rng(1), 1280, 720), [1, 3, 5, 8]))
    floor = floor_of(Flight(0.0, 4 * STOREY - 0.25, 9.81, 0.01, 0.03, 0.4), facade)
    assert (floor.low, floor.high) == (4, 5)
    assert floor.probability < 0.9
