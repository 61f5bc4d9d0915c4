"""A camera that is turned, overgrown or soiled by so little a day that nothing else tells it; days pass in numpy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from hub.model.ids import EntityId
from hub.model.site import Sees, Sight
from hub.seeing.blind import why_poor
from hub.seeing.days import DayFile, places_of, read_days, write_days
from hub.vision.daily import DAY, DAYS, HOUR, DailyReference
from hub.vision.frame import Frame, Grey, shrink
from hub.vision.health import SETTLED, CameraHealth, Picture
from hub.vision.lane.grid import HEIGHT, WIDTH
from hub.vision.worker.camera import Camera
from hub.vision.worker.turn import Turn
from hub.vision.worker.wire import Days, Link, ToHub, Watch
from tests.vision.lane_scenes import make

UTC_S = 8 * HOUR
#: A morning at 09:30 in Shanghai, in seconds since 1970.
MORNING = 20_700 * DAY + 1.5 * HOUR


@pytest.fixture(scope="module")
def wall() -> Grey:
    """What a camera shows on a calm day: the street of the drawn lanes, without what passes."""
    frame = next(iter(make("passing", 11).frames()))
    return shrink(frame.luma, WIDTH, HEIGHT)


Changes = Callable[[Grey, int], Grey]


def shifted(wall: Grey, day: int) -> Grey:
    return np.roll(wall, 2 * day, 1)


def overgrown(wall: Grey, day: int) -> Grey:
    found = wall.copy()
    found[:, : WIDTH * day // 9] = 90
    return found


def soiled(wall: Grey, day: int) -> Grey:
    found = wall.copy()
    for _ in range(6 * day):
        for axis in (0, 1):
            found = (np.roll(found, 1, axis) + 2 * found + np.roll(found, -1, axis)) * np.float32(0.25)
    return found


def seasons(wall: Grey, day: int) -> Grey:
    return wall * (1 - 0.02 * (day % 12))


def lived(wall: Grey, changes: Changes, days: int, restart: bool = False) -> list[tuple[int, Picture | None]]:
    """Live some days with a look each hour of daylight; return what is told at the end of each."""
    rng, daily, kept, told = np.random.default_rng(1), DailyReference(UTC_S), b"", []
    for day in range(days):
        if restart:
            daily = DailyReference(UTC_S, kept)
        for hour in range(6):
            at = MORNING + day * DAY + hour * HOUR
            picture = (changes(wall, day) + rng.normal(0, 0.5, wall.shape)).astype(np.float32)
            if daily.wants(at):
                kept = daily.see(picture, at) or kept
        told.append((day, daily.slowly))
    return told


@pytest.mark.parametrize(
    ("changes", "wrong", "restart"),
    [
        (shifted, Picture.MOVED, False),
        (shifted, Picture.MOVED, True),
        (overgrown, Picture.COVERED, True),
        (soiled, Picture.BLURRED, True),
    ],
)
def test_what_changes_slowly_is_told_within_a_week(wall: Grey, changes: Changes, wrong: Picture, restart: bool) -> None:
    told = lived(wall, changes, DAYS, restart)
    assert told[-1][1] is wrong, told
    assert {what for _, what in told} == {None, wrong}
    assert told[0][1] is None


def test_seasons_and_clouds_are_no_fault(wall: Grey) -> None:
    assert {what for _, what in lived(wall, seasons, 14)} == {None}


def test_one_lorry_at_the_hour_is_no_fault(wall: Grey) -> None:
    daily = DailyReference(UTC_S)
    daily.see(wall, MORNING)
    lorry = overgrown(wall, 6)
    for hour in range(2):
        daily.see(lorry, MORNING + DAY + hour * HOUR)
    daily.see(wall, MORNING + DAY + 2 * HOUR)
    daily.see(lorry, MORNING + DAY + 3 * HOUR)
    assert daily.slowly is None


def test_one_that_is_set_right_is_well_within_the_hour(wall: Grey) -> None:
    daily = DailyReference(UTC_S)
    daily.see(wall, MORNING)
    for hour in range(3):
        daily.see(shifted(wall, 5), MORNING + DAY + hour * HOUR)
    assert daily.slowly is Picture.MOVED
    assert daily.wants(MORNING + DAY + 3 * HOUR)
    daily.see(wall, MORNING + DAY + 3 * HOUR)
    assert daily.slowly is None


def test_what_was_told_for_a_week_is_taken_as_it_is(wall: Grey) -> None:
    told = lived(wall, lambda wall, day: shifted(wall, 5 if day else 0), 2 * DAYS)
    assert [what for _, what in told].count(Picture.MOVED) == DAYS
    assert told[-1][1] is None


def test_it_looks_once_a_day_in_daylight(wall: Grey) -> None:
    daily = DailyReference(UTC_S)
    assert not daily.wants(MORNING - HOUR)
    assert daily.wants(MORNING)
    assert daily.see(wall * 0.2, MORNING) is None, "a thunderstorm at noon"
    assert daily.see(wall, MORNING) is not None
    assert not daily.wants(MORNING + 2 * HOUR)
    assert not daily.wants(MORNING + DAY + 7 * HOUR), "dusk"
    assert daily.wants(MORNING + DAY)


@pytest.mark.parametrize("kept", [b"x", b"\x00" * 99, None])
def test_what_is_damaged_is_begun_anew(kept: bytes | None, wall: Grey) -> None:
    state = (DailyReference(UTC_S).see(wall, MORNING) or b"")[:-20] if kept is None else kept
    assert DailyReference(UTC_S, state).wants(MORNING)


def test_health_lends_its_picture_when_it_is_calm(wall: Grey) -> None:
    health, rng = CameraHealth(), np.random.default_rng(2)
    for second in range(0, int(SETTLED) + 30, 5):
        pixels = np.clip(wall + rng.normal(0, 1.5, wall.shape), 0, 255).astype(np.uint8)
        assert health.calm is None or second > SETTLED
        health.see(Frame(pixels, float(second)))
    assert health.calm is not None
    assert float(np.abs(health.calm - wall).mean()) < 2


def test_a_worker_hands_its_day_out_and_the_next_one_goes_on_with_it(wall: Grey) -> None:
    said: list[ToHub] = []
    first = Camera(Watch("generic_camera.gate", "rtsp://127.0.0.1:1/x", utc_s=UTC_S), said.append, Turn())
    settle(first, wall, MORNING)
    first._look_at_day(MORNING)
    (days,) = said
    assert isinstance(days, Days)
    watch = Watch("generic_camera.gate", "rtsp://127.0.0.1:1/x", utc_s=UTC_S, days=days.state)
    second = Camera(watch, said.append, Turn())
    settle(second, shifted(wall, 5), MORNING + DAY)
    for hour in range(3):
        second._look_at_day(MORNING + DAY + hour * HOUR)
    assert second.health().slowly is Picture.MOVED
    assert why_poor(replace(second.health(), link=Link.STREAMING)) is not None


def settle(camera: Camera, wall: Grey, at: float) -> None:
    rng = np.random.default_rng(2)
    for second in range(0, int(SETTLED) + 30, 5):
        pixels = np.clip(wall + rng.normal(0, 1.5, wall.shape), 0, 255).astype(np.uint8)
        camera._picture.see(Frame(pixels, at + second))


def test_days_are_kept_for_the_places_that_are_drawn(tmp_path: Path) -> None:
    camera = EntityId("generic_camera.gate")
    lane = Sight(camera, Sees.LANE, None, ((0.1, 0.1), (0.9, 0.1), (0.5, 0.9)))
    places = places_of((lane,))
    write_days(tmp_path, camera, DayFile(places, b"kept"))
    assert read_days(tmp_path, camera, places).state == b"kept"
    anew = places_of((replace(lane, polygon=((0.1, 0.1), (0.8, 0.1), (0.5, 0.9))),))
    assert read_days(tmp_path, camera, anew) == DayFile(anew), "who draws anew has looked at the picture"
    (tmp_path / "vision" / f"{camera}.days").write_bytes(b"half a file")
    assert read_days(tmp_path, camera, places) == DayFile(places)
