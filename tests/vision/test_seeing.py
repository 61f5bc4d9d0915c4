"""Cameras joined to the hub, with real workers and a real RTSP stream: what is seen becomes readings of the zone."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from hub.model.entry import Note
from hub.model.ids import EntityId, SiteId, ZoneId
from hub.model.reading import Alarm, Capability, Entity, Presence, Quality, Reading
from hub.model.site import Sees, Sight, Site, Zone, ZoneKind
from hub.model.text import Text
from hub.model.time import SECOND
from hub.runtime.registry import Registry
from hub.runtime.reports import Reports
from hub.sdk import Equipment, Sample
from hub.sdk import Picture as Snapshot
from hub.seeing.manager import WAITING, Manager, Surroundings
from hub.seeing.sightings import Sightings
from hub.vision.detect.kind import Kind
from hub.vision.falling.event import Severity
from hub.vision.health import Picture
from hub.vision.sighting.palette import Colour
from hub.vision.sighting.record import Sighting
from hub.vision.worker.wire import Fell, Health, Link, Passed, Watch
from tests.kit.loop import Loop
from tests.kit.patience import until
from tests.vision.film import Film, Stage, showing
from tests.vision.test_worker import lane_film

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

CAMERA = EntityId("generic_camera.north")
VEHICLE, BLIND = EntityId("vision.lane_vehicle"), EntityId("vision.generic_camera_north_blind")


class Stream:
    """What an integration brings: a camera with the address of its stream."""

    def __init__(self, port: int) -> None:
        self.video = f"rtsp://127.0.0.1:{port}/lane"

    async def snapshot(self) -> Snapshot:
        raise AssertionError("who is watched is not asked for a snapshot")


class House:
    """A hub's loop with cameras that see."""

    def __init__(self, data: Path, polygon: tuple[tuple[float, float], ...]) -> None:
        self.loop, self.registry = Loop(), Registry()
        lane = Sight(CAMERA, Sees.LANE, VEHICLE, polygon)
        self.zone = Zone(ZoneId("lane"), ZoneKind.FIRE_LANE, Text("北侧通道", "North lane"), see=(lane,))
        reports = Reports(self.loop.runtime, self.registry, self.loop.problems, self.loop.clock)
        self.sightings = Sightings(data)
        around = (self.site, self.registry, reports, self.loop.runtime, self.loop.problems, data)
        self.manager = Manager(Surroundings(*around, sightings=self.sightings))

    def site(self) -> Site:
        zones = {self.zone.id: self.zone}
        return Site(SiteId("test"), Text("小区"), "Asia/Shanghai", {}, zones, {}, {})

    def plug(self, port: int) -> None:
        """Have the integration bring its camera."""
        entity = Entity(CAMERA, Capability.CAMERA, Text("北侧"), "north")
        self.registry.equip("generic_camera", "north", (Equipment(entity, Stream(port)),))

    @property
    def readings(self) -> list[Reading]:
        return [reading for entry in self.loop.journal.entries for reading in entry.readings]

    def said(self, entity: EntityId = VEHICLE) -> list[object]:
        return [reading.value or reading.quality for reading in self.readings if reading.entity == entity]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Watch while the context lasts."""
        async with self.loop.running():
            task = asyncio.create_task(self.manager.run())
            try:
                yield
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
                await self.sightings.close()

    async def until(self, holds: Callable[[], object], within: float = 40.0) -> None:
        await until(holds, within, lambda: f"{self.readings[-6:]} {self.loop.problems.texts()} {self.manager.health}")


def kill_worker(house: House) -> None:
    workers = house.manager._workers
    assert workers is not None
    process = workers._workers[0].process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)


async def test_a_parked_car_is_a_reading_that_outlives_worker_and_hub(tmp_path: Path) -> None:
    scene, show = lane_film(10, 500)
    stage = Stage(show)
    async with showing(Film(stage)) as port:
        house = House(tmp_path, scene.polygon)
        house.plug(port)
        async with house.open():
            await house.until(lambda: house.said() == [Presence.ABSENT])
            stage.go(400)
            await house.until(lambda: Presence.PRESENT in house.said())
            assert house.said() == [Presence.ABSENT, Presence.PRESENT]
            present = house.readings[-1]
            assert present.device_at is not None, "since when it stands"
            kill_worker(house)
            await house.until(lambda: house.said()[-2:] == [Quality.STALE, Presence.PRESENT])
            assert house.readings[-1].device_at == present.device_at
            assert not house.loop.problems.texts()
            picture, same = await asyncio.gather(*(house.manager.picture(CAMERA) for _ in range(2)))
            assert picture.startswith(b"\xff\xd8\xff")
            assert same is picture, "it was drawn once, for both"
            public = await house.manager.picture(CAMERA, public=True)
            await house.until(lambda: not house.manager._unsaved)
        again = House(tmp_path, scene.polygon)
        again.plug(port)
        async with again.open():
            await again.until(lambda: Presence.PRESENT in again.said())
        assert again.said() == [Presence.PRESENT], "the same car, and its time goes on"
        assert again.readings[-1].device_at == present.device_at
    keep = os.environ.get("MENSHEN_PICTURES")
    if keep:
        (Path(keep) / "lane.jpg").write_bytes(picture)
        (Path(keep) / "lane_public.jpg").write_bytes(public)


async def test_an_unplugged_camera_is_told_and_its_word_doubted(tmp_path: Path) -> None:
    scene, show = lane_film(500, 501)
    house = House(tmp_path, scene.polygon)
    async with house.open():
        async with showing(Film(show)) as port:
            house.plug(port)
            await house.until(lambda: house.said() == [Presence.ABSENT])
        await house.until(lambda: house.said()[-1] is Quality.STALE)
        assert "看不见" in house.loop.problems.texts()[0].zh
        assert house.said(BLIND)[-1] is Alarm.ACTIVE
        async with showing(Film(show), port=port):
            await house.until(lambda: house.said()[-1] is Presence.ABSENT)
            assert not house.loop.problems.texts()
            house.zone = Zone(house.zone.id, house.zone.kind, house.zone.name)
            await house.until(lambda: house.said()[-1] is Quality.UNKNOWN)
            assert not house.manager.watched(CAMERA)


async def test_a_fall_is_an_alarm_or_a_note_and_what_finds_no_room_is_counted(
    tmp_path: Path,
) -> None:
    falling = EntityId("vision.lane_falling")
    scene, show = lane_film(500, 501)
    house = House(tmp_path, scene.polygon)
    house.zone = msgspec.structs.replace(house.zone, see=(*house.zone.see, Sight(CAMERA, Sees.FALLING, falling)))
    async with showing(Film(show)) as port, house.open():
        house.plug(port)
        await house.until(lambda: house.said() == [Presence.ABSENT])
        await house.until(lambda: house.manager.health[CAMERA].decoded > 4)  # every picture is looked at
        assert not house.manager.health[CAMERA].garbage
        fell = Fell(str(CAMERA), falling, 1000.0, 1001.0, Severity.ALARM, 0.9, 12.0)
        house.manager._heard(msgspec.structs.replace(fell, severity=Severity.NOTICE))
        house.manager._heard(fell)
        await house.until(lambda: house.said(falling) == [Alarm.ACTIVE, Alarm.CLEAR])
        passed = Sighting(1.0, 2.0, Kind.OTHER, (0.1, 0.1, 0.2, 0.2), Colour.RED, Colour.BLUE, b"")
        for _ in range(WAITING + 5):  # in one turn of the loop: nothing is stored meanwhile
            house.manager._heard(Passed(str(CAMERA), passed))
        assert house.manager.dropped[CAMERA] == 5, "what finds no room is counted"
    first = next(reading for reading in house.readings if reading.entity == falling)
    assert first.device_at == 1000 * SECOND, "when it was let go"
    notes = [note.body["severity"] for note in house.loop.journal.of(Note) if isinstance(note, Note)]
    assert notes == ["notice", "alarm"]


async def test_another_shape_is_named_before_what_follows_from_it(tmp_path: Path) -> None:
    scene, show = lane_film(500, 501)
    house = House(tmp_path, scene.polygon)
    async with showing(Film(show)) as port, house.open():
        house.plug(port)
        await house.until(lambda: house.manager.watched(CAMERA) and house.manager.health.get(CAMERA))
        house.manager._leave(CAMERA)  # what follows is said here, not by the worker
        house.manager._orders[CAMERA] = Watch(str(CAMERA), "rtsp://x")
        well = Health(str(CAMERA), Link.STREAMING, picture=Picture.WELL, width=1920, height=1080)
        for health in (well, msgspec.structs.replace(well, picture=Picture.COVERED, width=1440)):
            house.manager._heard(health)
        assert "画面比例变了" in house.manager.trouble[CAMERA].zh
        assert house.manager._told[BLIND][0] is Alarm.ACTIVE
        house.manager._heard(well)
        assert CAMERA not in house.manager.trouble


async def test_nothing_is_left_of_a_camera_that_is_watched_no_more(tmp_path: Path) -> None:
    scene, show = lane_film(500, 501)
    house = House(tmp_path, scene.polygon)
    async with showing(Film(show)) as port, house.open():
        house.plug(port)
        await house.until(lambda: house.said() == [Presence.ABSENT])
        manager = house.manager
        house.zone = Zone(house.zone.id, house.zone.kind, house.zone.name)
        manager._equip(house.site(), {})  # and before it is left, as other cameras take their time:
        manager._heard(Health(str(CAMERA), Link.LOST, "unplugged"))
        manager._said.put_nowait((Sample(VEHICLE, Presence.PRESENT),))
        await house.until(lambda: not manager.watched(CAMERA))
        await house.until(manager._said.empty)
        await house.until(lambda: house.said()[-1] is Quality.UNKNOWN)
        assert not house.loop.problems.texts(), "neither blind nor a stranger's word"
        assert (manager.trouble, manager.lanes, manager.health) == ({}, {}, {})
