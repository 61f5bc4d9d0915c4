"""The parts of the falling-object detector, each against a slow and plain version of itself or against the law."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.vision.falling.background import Background, far
from hub.vision.falling.blocks import SIZE, Activity, count, spread
from hub.vision.falling.components import candidates, components
from hub.vision.falling.drips import LEARNED, Drips
from hub.vision.falling.event import Kind, Point
from hub.vision.falling.judge import judge
from hub.vision.falling.linking import Track
from hub.vision.falling.physics import GRAVITY, acceleration, fly
from hub.vision.falling.sight import Sight
from tests.vision.facade import Scene


def noisy(level: float, seed: int, sigma: float = 3.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.clip(np.rint(rng.normal(level, sigma, (96, 128))), 0, 255).astype(np.uint8)


def test_the_background_settles_at_the_median_and_measures_the_noise() -> None:
    background = Background(noisy(120, 0), 0.0)
    for number in range(1, 200):
        background.measure(noisy(120, number))
        background.follow(noisy(120, number), number / 25)
    assert abs(float(background.luma.mean()) - 120) < 0.5
    assert float(background.luma.std()) < 1.6
    assert 2.8 < background.noise < 3.8


@pytest.mark.parametrize("gain", [0.7, 0.9, 1.15])
def test_a_step_of_the_exposure_is_followed_in_the_frame_in_which_it_comes(gain: float) -> None:
    wall = np.kron(np.random.default_rng(1).integers(60, 180, (6, 8)), np.ones((16, 16)))
    frame = np.rint(wall).astype(np.uint8)
    background = Background(frame, 0.0)
    darker = np.rint(wall * gain).astype(np.uint8)
    background.measure(darker)
    assert int(np.abs(background.luma.astype(int) - darker).max()) <= 2
    assert background.exposures == 1


def test_a_doubled_picture_is_known_and_a_calm_one_is_not_taken_for_it() -> None:
    background = Background(noisy(120, 0), 0.0)
    for number in range(1, 30):
        assert not background.is_doubled(noisy(120, number))
        background.measure(noisy(120, number))
    assert background.is_doubled(noisy(120, 29))
    calm = Background(noisy(120, 0), 0.0)
    for _ in range(30):  # a coder that sends no change: the scene may still hold something small that moves
        calm.measure(noisy(120, 0))
        assert not calm.is_doubled(noisy(120, 0))


@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_blocks_are_active_restless_and_settled_as_if_each_were_watched_alone(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    activity = Activity((32, 32), 0.0)
    still, restless = np.zeros((4, 4)), np.zeros((4, 4))
    for number in range(1, 60):
        at = number / 25
        counts = np.where(rng.random((4, 4)) < share, 5, rng.integers(0, 2, (4, 4))).astype(np.uint8)
        activity.update(counts, at)
        still[counts < 2] = at
        restless += 0.04 / 20 * ((counts >= 2) - restless)
        assert (activity.active == (counts >= 2)).all()
        assert (activity.restless == (restless > 0.1)).all() or np.abs(restless - 0.1).min() < 1e-5
        settled, stays = activity.settled(), still < at - 1.0
        assert (np.zeros((4, 4), bool) if settled is None else settled).tolist() == stays.tolist()
        still[stays] = at


@given(seed=st.integers(0, 2**32 - 1), limit=st.integers(6, 60))
@settings(max_examples=30, deadline=None)
def test_far_is_further_than_the_limit_on_either_side(seed: int, limit: int) -> None:
    first, frame = np.random.default_rng(seed).integers(16, 236 - limit // 2, (2, 64, 64), dtype=np.uint8)
    out = np.empty((64, 64), bool)
    far(frame, first, limit, out)
    apart = np.abs(frame.astype(int) - first)
    sure = apart < 256 - limit
    assert (out == (apart > limit))[sure].all()


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_flags_are_counted_block_by_block(seed: int, share: float) -> None:
    flags = np.random.default_rng(seed).random((40, 64)) < share
    plain = flags.reshape(40 // SIZE, SIZE, 64 // SIZE, SIZE).sum((1, 3))
    bands = (flags[top : top + 16] for top in range(0, 40, 16))
    assert (count(bands, plain.shape) == plain).all()


def test_blocks_spread_to_all_neighbours_and_no_further() -> None:
    blocks = np.zeros((5, 5), bool)
    blocks[2, 2] = True
    assert spread(blocks).sum() == 9
    assert spread(blocks)[1:4, 1:4].all()


def test_a_block_that_never_rests_becomes_restless_and_one_that_stays_is_accepted_once() -> None:
    activity = Activity((32, 32), 0.0)
    flags = np.zeros((32, 32), bool)
    flags[8:16, 8:16] = True
    accepted = 0
    for number in range(1, 250):
        activity.update(count([flags], (4, 4)), number / 25)
        settled = activity.settled()
        accepted += settled is not None and bool(settled[1, 1])
    assert activity.restless[1, 1]
    assert activity.restless.sum() == 1
    assert accepted == pytest.approx(9, abs=1)  # once a second


@given(st.integers(0, 2**32 - 1), st.floats(0.005, 0.3))
@settings(max_examples=60, deadline=None)
def test_components_are_those_of_a_flood(seed: int, share: float) -> None:
    flags = np.random.default_rng(seed).random((24, 32)) < share
    rows, columns = np.nonzero(flags)
    if not len(rows):
        return
    stride = 32 + 4
    label = components(rows * stride + columns, stride)
    flooded = flood(list(zip(rows.tolist(), columns.tolist(), strict=True)))
    pairs = set(zip(label.tolist(), flooded, strict=True))
    assert len(pairs) == len(set(label.tolist())) == len(set(flooded))


def flood(pixels: list[tuple[int, int]]) -> list[int]:
    """Number the components of pixels that are at most two apart in both directions."""
    left, number, found = set(pixels), 0, {}
    while left:
        todo = [left.pop()]
        while todo:
            row, column = todo.pop()
            found[row, column] = number
            near = {(row + down, column + right) for down in range(-2, 3) for right in range(-2, 3)} & left
            left -= near
            todo += near
        number += 1
    return [found[pixel] for pixel in pixels]


def test_a_candidate_is_where_its_weight_is() -> None:
    background = np.full((64, 64), 100, np.uint8)
    frame = background.copy()
    frame[30:34, 14:18] = 140  # across the borders of four blocks
    frame[50, 50] = 200  # a hot pixel
    activity = Activity((64, 64), 0.0)
    activity.update(count([np.abs(frame.astype(int) - background) > 12], (8, 8)), 0.04)
    found = candidates(frame, background, 12, activity.edges)
    assert len(found) == 1
    assert (found.x[0], found.y[0], found.area[0], found.side[0], found.contrast[0]) == (15.5, 31.5, 16, 4, 40)


@given(
    height=st.floats(8, 90), released=st.floats(-0.4, 0.2), drag=st.floats(0.0005, 0.05), seed=st.integers(0, 1 << 31)
)
@settings(max_examples=60, deadline=None)
def test_a_fall_gives_back_where_and_when_it_began(height: float, released: float, drag: float, seed: int) -> None:
    times = np.arange(0, 1.3, 0.04)
    since = np.maximum(0, times - released)
    fallen = np.log(np.cosh(since * np.sqrt(GRAVITY * drag))) / drag
    heights = height - fallen + np.random.default_rng(seed).normal(0, 0.04, len(times))
    flight = fly(times, heights, 0.04)
    assert abs(flight.height - height) < 0.25
    assert abs(flight.released - released) < 0.08
    assert flight.rms < 0.07
    assert abs(flight.gravity - GRAVITY) < 1.6


def test_one_wild_point_does_not_move_a_fall() -> None:
    times = np.arange(0, 1.2, 0.04)
    heights = 20 - GRAVITY / 2 * times**2
    heights[12] += 3.0
    flight = fly(times, heights, 0.04)
    assert abs(flight.height - 20) < 0.15
    assert flight.rms < 0.05


def test_acceleration_of_a_parabola() -> None:
    times = np.arange(0, 1, 0.04)
    pull, speed, rms = acceleration(times, 3 * times - 4 * times**2)
    assert pull == pytest.approx(-8)
    assert speed == pytest.approx(3 - 8 * 0.96)
    assert rms < 1e-9


def test_the_second_drop_from_a_place_is_a_drip_and_a_large_thing_never_is() -> None:
    drips = Drips()
    assert LEARNED == 2
    assert not drips.is_drip(Point(0, 100, 200, 3), 0.0, 0.05, 10.0)
    assert not drips.is_drip(Point(0, 130, 200, 3), 0.0, 0.05, 11.0)  # 1.5 m beside: another window
    assert drips.is_drip(Point(0, 101, 202, 3), 0.1, 0.05, 15.0)
    assert not drips.is_drip(Point(0, 101, 202, 12), 0.0, 0.05, 16.0)
    assert not drips.is_drip(Point(0, 101, 202, 3), 2.0, 0.05, 17.0)  # thrown
    assert drips.is_drip(Point(0, 101, 202, 3), 0.0, 0.05, 80_000.0)  # the next day
    drips.restart(5.0)
    assert drips.is_drip(Point(0, 101, 202, 3), 0.0, 0.05, 6.0)


@pytest.mark.parametrize(("drag", "water"), [(0.11, True), (0.08, False), (0.0, False)])
def test_what_the_air_brakes_like_water_needs_no_second_drop(drag: float, water: bool) -> None:
    assert Drips().is_drip(Point(0, 100, 200, 3), 0.0, 0.05, 10.0, drag) is water
    assert not Drips().is_drip(Point(0, 100, 200, 20), 0.0, 0.05, 10.0, drag), "no drop is so large"


def test_a_single_drop_is_forgotten_after_a_quarter_of_an_hour() -> None:
    drips = Drips()
    assert not drips.is_drip(Point(0, 100, 200, 3), 0.0, 0.05, 10.0)
    assert not drips.is_drip(Point(0, 100, 200, 3), 0.0, 0.05, 1000.0)


@pytest.mark.parametrize(("before", "kind"), [(0.0, Kind.FALL), (1.0, Kind.BIRD)])
def test_what_falls_like_a_stone_but_flew_before_is_a_bird(before: float, kind: Kind) -> None:
    scene = Scene(3)
    track = Track(1)
    for number in range(round((before + 1.2) * 25)):
        at = number / 25
        metres = 20.0 - GRAVITY / 2 * max(0.0, at - before) ** 2
        track.add(at, 500 + 4 * scene.seen.pixels(20.0) * min(at, before), scene.seen.row(metres), 6.0, 40.0)
    verdict = judge(track, Sight(1280, 720, scene.facade()))
    assert verdict is not None
    assert verdict.kind is kind
