"""The whole detector on facades that never were. Each scene follows from its seed, which a failing test prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.model.errors import DecodeError
from hub.vision.falling.detector import FallDetector
from hub.vision.falling.drawing import draw_track
from hub.vision.falling.event import Fall, Kind, Landed, Point, Severity
from tests.vision.facade import Light, Scene
from tests.vision.falling_trial import DISTURBANCES, falls, innocent, poisson_upper
from tests.vision.movers import FPS, Bird, Falls, Luma

Frames = Iterable[tuple[float, Luma]]


def run(detector: FallDetector, frames: Frames) -> list[Fall | Landed]:
    return [event for at, frame in frames for event in detector.step(frame, at)]


def reported(events: list[Fall | Landed]) -> list[Fall]:
    return [event for event in events if isinstance(event, Fall)]


def one(seed: int = 11, size: float = 6, contrast: float = 45, light: Light = Light.DAY) -> Scene:
    scene = Scene(seed, light)
    scene.fall(2.5, size, contrast, least=9)
    return scene


# -- what falls is found -----------------------------------------------------------------------------------------------


def test_six_pixels_are_found_once_each_with_their_floor_and_in_time() -> None:
    found = falls(range(30_000, 30_003), 6, 40)
    assert found.missed == []
    assert found.events == found.falls == 15
    assert found.false == 0
    assert found.exact >= 12
    assert found.within_one == 15
    assert sorted(found.delays)[13] <= 1.5


def test_three_pixels_at_contrast_twenty_are_found() -> None:
    found = falls(range(30_100, 30_103), 3, 20)
    assert found.recall >= 0.95, found.missed
    assert found.events == found.found
    assert found.false == 0


@pytest.mark.parametrize("size", [12, 20])
def test_large_things_are_one_event_too(size: float) -> None:
    found = falls(range(30_200, 30_201), size, 80)
    assert (found.found, found.events, found.false) == (5, 5, 0)


@pytest.mark.parametrize("kind", ["trees", "birds", "leaves", "exposure", "lights"])
def test_it_is_found_among_what_disturbs(kind: str) -> None:
    found = falls(range(30_300, 30_301), 6, 40, DISTURBANCES[kind])
    assert found.found >= 4, found.missed  # one of them ends in a tree
    assert found.events == found.found


def test_the_whole_track_follows_when_it_has_landed() -> None:
    scene = one()
    events = run(FallDetector(scene.facade()), scene.frames(8))
    fall, landed = events
    assert isinstance(fall, Fall)
    assert isinstance(landed, Landed)
    assert landed.number == fall.number == 1
    assert landed.track[: len(fall.track)] == fall.track
    truth = {round(at, 3): (x, y) for at, x, y in scene.truths[0].track}
    near = [point for point in landed.track if round(point.at, 3) in truth]
    assert len(near) >= 0.8 * len(truth)
    off = [
        np.hypot(point.x + 0.5 - truth[round(point.at, 3)][0], point.y + 0.5 - truth[round(point.at, 3)][1])
        for point in near
    ]
    assert float(np.median(off)) < 1.0


def test_without_a_calibration_it_is_a_notice_without_a_floor() -> None:
    scene = one()
    (fall,) = reported(run(FallDetector(), scene.frames(8)))
    assert fall.severity is Severity.NOTICE
    assert fall.floor is None


def test_a_thing_that_breaks_into_parts_is_one_event() -> None:
    scene = one(size=8)
    whole = scene.movers[0]
    assert isinstance(whole, Falls)
    scene.movers += [
        Falls(
            scene.seen,
            whole.released + late,
            whole.x + beside,
            whole.height,
            5,
            50,
            whole.k,
            sideways,
            0.4,
            whole.exposure,
        )
        for late, beside, sideways in ((0.08, 12.0, 0.8), (0.2, -9.0, -0.7), (0.3, 4.0, 0.2))
    ]
    assert len(reported(run(FallDetector(scene.facade()), scene.frames(9)))) == 1


def test_two_falls_far_apart_at_the_same_time_are_two_events() -> None:
    scene = Scene(12)
    scene.fall(2.5, 8, 50, least=12)
    first = scene.movers[0]
    assert isinstance(first, Falls)
    x = first.x + (300 if first.x < 640 else -300)
    scene.movers.append(Falls(scene.seen, 2.9, x, first.height, 8, 50, first.k, 0.0, 0.4, first.exposure))
    assert len(reported(run(FallDetector(scene.facade()), scene.frames(9)))) == 2


def test_a_second_thing_from_the_same_window_is_a_second_event() -> None:
    scene = one(size=12)
    first = scene.movers[0]
    assert isinstance(first, Falls)
    first.sideways = 0.0
    scene.movers.append(replace(first, released=first.released + 2.0, size=9, contrast=-50))
    assert len(reported(run(FallDetector(scene.facade()), scene.frames(9)))) == 2


# -- what does not fall is not reported --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in DISTURBANCES if kind != "drips"])
def test_what_does_not_fall_is_not_reported(kind: str) -> None:
    wrong = innocent(kind, range(30_400, 30_402), 8)
    assert wrong.events == []


def test_less_than_two_floors_is_not_reported_but_counted() -> None:
    scene = Scene(13)
    scene.fall(2.5, 8, 60, least=4.2, most=4.2)
    detector = FallDetector(scene.facade())
    assert reported(run(detector, scene.frames(6))) == []
    assert detector.counts.tracks[Kind.SHORT] == 1


@pytest.mark.parametrize(("drag", "reported_at"), [(0.13, [24]), (0.09, [2, 24])], ids=["water", "no water"])
def test_of_a_dripping_column_at_most_the_first_drop_is_reported_and_a_pot_beside_it_is(
    drag: float, reported_at: list[int]
) -> None:
    """Water brakes as nothing heavy does; of what else falls from one place again and again, only the first counts."""
    scene = Scene(14)
    x, floor = max(scene.places, key=lambda place: place[1])
    height = (floor - 1) * 3 + 0.6
    scene.movers = [
        Falls(scene.seen, 2.5 + 5 * number, x, height, 3, 40, drag, 0.0, 0.5, scene.exposure) for number in range(4)
    ]
    scene.movers.append(Falls(scene.seen, 24.0, x, height, 10, 60, 0.005, 0.0, 0.5, scene.exposure))
    detector = FallDetector(scene.facade())
    events = reported(run(detector, scene.frames(29)))
    assert [round(event.released) for event in events] == reported_at
    assert detector.counts.tracks[Kind.DRIP] == 5 - len(reported_at)


def test_a_bird_that_swoops_is_named() -> None:
    scene = Scene(15)
    scene.movers.append(Bird(2.0, 0.0, 300.0, 170.0, -3.4 * 25, 10, -50, 7.0))
    detector = FallDetector(scene.facade())
    assert reported(run(detector, scene.frames(11.5))) == []
    assert detector.counts.tracks[Kind.BIRD] >= 1


def test_a_camera_that_shakes_reports_nothing_and_sees_again_afterwards() -> None:
    scene = Scene(16)
    scene.fall(12.0, 8, 60, least=9)
    rng = np.random.default_rng(16)

    def shaken() -> Iterator[tuple[float, Luma]]:
        for at, frame in scene.frames(17):
            right, down = rng.integers(-3, 4, 2) if 3 < at < 6 else (0, 0)
            yield at, np.roll(frame, (down, right), (0, 1))

    events = reported(run(FallDetector(scene.facade()), shaken()))
    assert [round(event.released) for event in events] == [12]


# -- stream time -------------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 1 << 31), lost=st.floats(0, 0.25), doubled=st.floats(0, 0.15), late=st.floats(0, 0.1))
@settings(max_examples=8, deadline=None)
def test_lost_doubled_and_late_frames_change_nothing(seed: int, lost: float, doubled: float, late: float) -> None:
    rng = np.random.default_rng(seed)
    scene = one()

    def disturbed() -> Iterator[tuple[float, Luma]]:
        last: Luma | None = None
        for at, frame in scene.frames(7):
            dice = rng.random(3)
            if dice[0] < lost:
                continue
            if last is not None and dice[1] < doubled:
                yield at, last  # the picture before once more, with a time of its own
                continue
            yield at, frame
            if last is not None and dice[2] < late:
                yield at - 0.12, last
            last = frame

    events = reported(run(FallDetector(scene.facade()), disturbed()))
    assert len(events) == 1
    floor = events[0].floor
    assert floor is not None
    assert abs(floor.number - scene.truths[0].floor) <= 1


@given(shift=st.floats(-1e6, 1e9))
@settings(max_examples=5, deadline=None)
def test_only_differences_of_time_matter(shift: float) -> None:
    scene = one()
    (fall,) = reported(run(FallDetector(scene.facade()), ((at + shift, frame) for at, frame in scene.frames(5))))
    assert fall.released - shift == pytest.approx(scene.truths[0].released, abs=0.1)


def test_a_gap_ends_tracks_and_the_next_fall_is_found() -> None:
    scene = Scene(17)
    first = scene.fall(2.5, 8, 60, least=12)
    scene.fall(first.ended + 6, 8, 60, least=9)
    gap = first.released + 0.6
    detector = FallDetector(scene.facade())
    events = reported(run(detector, (step for step in scene.frames(first.ended + 12) if not gap < step[0] < gap + 3)))
    assert [round(event.released) for event in events] == [round(first.ended + 6)]
    assert detector.counts.gaps == 1


def test_a_clock_that_starts_again_is_followed() -> None:
    scene = one()
    detector = FallDetector(scene.facade())
    for begin in (5000.0, 0.0):
        events = run(detector, ((at + begin, frame) for at, frame in scene.frames(7)))
        assert len(reported(events)) == 1
    assert detector.counts.gaps == 1
    assert detector.counts.late == 0


def test_half_the_frame_rate_is_enough() -> None:
    scene = one(size=10)
    frames = (step for number, step in enumerate(scene.frames(7)) if number % 2 == 0)
    assert len(reported(run(FallDetector(scene.facade()), frames))) == 1


def test_another_size_of_the_picture_begins_anew_with_the_same_map() -> None:
    scene = one()
    detector = FallDetector(scene.facade())
    run(detector, scene.frames(2))
    small = ((at + 2, frame[::2, ::2]) for at, frame in scene.frames(7))
    (fall,) = reported(run(detector, small))
    assert fall.floor is not None
    assert abs(fall.floor.number - scene.truths[0].floor) <= 1


# -- what is no picture ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((720, 1280, 3), np.uint8),
        np.zeros((720, 1280), np.float32),
        np.zeros((8, 8), np.uint8),
        np.zeros(9, np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(frame: np.ndarray) -> None:
    with pytest.raises(DecodeError):
        FallDetector().step(frame, 0.0)


@pytest.mark.parametrize("at", [float("nan"), float("inf")])
def test_a_frame_without_a_time_is_refused(at: float) -> None:
    with pytest.raises(DecodeError):
        FallDetector().step(np.zeros((720, 1280), np.uint8), at)


@given(seed=st.integers(0, 1 << 31))
@settings(max_examples=10, deadline=None)
def test_any_pictures_at_any_times_are_survived(seed: int) -> None:
    rng = np.random.default_rng(seed)
    detector = FallDetector()
    at = 0.0
    for _ in range(60):
        at += float(rng.choice([0.04, 0.04, 0.0, -0.1, 5.0, -50.0]))
        kind = rng.integers(5)
        frame = (
            rng.integers(0, 256, (144, 250), dtype=np.uint8) if kind == 0 else np.full((144, 250), kind * 60, np.uint8)
        )
        if kind == 1:
            frame[rng.integers(144) :, rng.integers(250) :] = 255
        detector.step(frame, at)
    assert detector.counts.frames == 60


# -- the picture -------------------------------------------------------------------------------------------------------


def test_the_track_is_drawn_from_the_window_down() -> None:
    luma = np.full((720, 1280), 90, np.uint8)
    track = tuple(Point(number / FPS, 600.0, 100.0 + number * number, 4.0) for number in range(20))
    picture = draw_track(luma, track)
    assert picture.shape == (720, 1280, 3)
    assert picture[100, 614].tolist() == [255, 220, 0]  # the ring around the release
    assert picture[300, 600, 0] == 255
    assert picture[600:, :].max() == 90
    half = draw_track(np.full((360, 640), 90, np.uint8), track, (1280, 720))
    assert half[150, 300, 0] == 255


@given(st.lists(st.builds(Point, st.just(0.0), st.floats(), st.floats(), st.just(3.0)), max_size=5))
@settings(max_examples=50, deadline=None)
def test_any_track_can_be_drawn(track: list[Point]) -> None:
    assert draw_track(np.zeros((64, 64), np.uint8), track).shape == (64, 64, 3)


def test_the_bound_is_that_of_poisson() -> None:
    assert poisson_upper(0) == pytest.approx(2.996, abs=0.001)
    assert poisson_upper(2) == pytest.approx(6.296, abs=0.001)
