"""Camera workers against a real RTSP stream: lanes, clips, and what cameras and machines do to them."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import av
import msgspec
import pytest

from hub.model.errors import DeviceError
from hub.model.site import Decode
from hub.vision.detect.card import CARD
from hub.vision.lane.event import Presence
from hub.vision.worker.child import NICE
from hub.vision.worker.pace import SETTLED
from hub.vision.worker.parent import PATIENCE, Told, Workers
from hub.vision.worker.wire import Health, Lane, Link, Seen, Watch
from tests.kit.patience import until
from tests.kit.served import Waiting
from tests.vision.film import Film, Show, Stage, showing
from tests.vision.lane_scenes import Scene
from tests.vision.test_testcard import Pixels, held

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

CAMERA = "lane_camera"
#: What takes half a minute each; their parts are tested quickly in test_camera_health.py and test_orders.py.
long = pytest.mark.skipif("SOAK_VISION" not in os.environ, reason="SOAK_VISION is not set: takes half a minute")


def lane_film(arrives: float, leaves: float) -> tuple[Scene, Show]:
    scene = Scene("film", 3)
    scene.park(arrives, leaves, x=0.0, y=scene.near + 2)
    return scene, scene.picture


class Ears:
    """What the workers said."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.health: list[Health] = []

    def __call__(self, message: Told) -> None:
        if isinstance(message, Seen):
            self.seen.append(message)
        elif isinstance(message, Health):
            self.health.append(message)

    async def until(self, holds: Callable[[Ears], object], within: float = 40.0) -> None:
        await until(lambda: holds(self), within, lambda: f"{[seen.event for seen in self.seen]} {self.health[-2:]}")

    async def empty(self) -> None:
        """Wait until the lane is known as it is without a vehicle: on a slow machine none may come before."""
        await self.until(lambda e: any(seen.event.presence is Presence.ABSENT for seen in e.seen))

    def stays(self) -> list[tuple[Presence, int]]:
        return [(seen.event.presence, seen.event.stay) for seen in self.seen if seen.event.stay]

    def linked(self, link: Link) -> bool:
        return bool(self.health) and self.health[-1].link is link


def order(port: int, scene: Scene | None = None, login: str = "", **more: object) -> Watch:
    lanes = (Lane("north", scene.polygon),) if scene is not None else ()
    return Watch(CAMERA, f"rtsp://{login}127.0.0.1:{port}/lane", Decode.KEY, lanes, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def workers(count: int = 1) -> AsyncIterator[tuple[Workers, Ears]]:
    ears = Ears()
    async with Workers(count, ears) as found:
        yield found, ears


async def test_a_vehicle_comes_and_goes_and_the_clip_is_what_the_camera_sent(tmp_path: Path) -> None:
    scene, show = lane_film(12, 20)
    stage = Stage(show)
    film = Film(stage)
    async with showing(film) as port, workers() as (hub, ears):
        began = time.time()
        hub.watch(order(port, scene))
        await ears.empty()
        stage.go(60)
        await ears.until(lambda e: (Presence.PRESENT, 1) in e.stays())
        await ears.until(lambda e: (Presence.ABSENT, 1) in e.stays())
        start, end = await hub.clip(CAMERA, began + 9, began + 14, tmp_path / "clip.mp4")
        await ears.until(lambda e: e.linked(Link.STREAMING))
        with pytest.raises(DeviceError):
            await hub.clip("unknown", 0, 1, tmp_path / "none.mp4")
        sent = set(film.sent)
    present = next(seen.event for seen in ears.seen if seen.event.presence is Presence.PRESENT)
    assert present.at - present.since < 6
    assert start <= began + 9
    assert end <= began + 14
    with av.open(str(tmp_path / "clip.mp4")) as clip:
        packets = [packet for packet in clip.demux(video=0) if packet.size]
        assert packets[0].is_keyframe
        units = [unit for packet in packets for unit in _units(bytes(packet))]
    assert len(packets) > 10
    assert all(unit in sent for unit in units)
    with av.open(str(tmp_path / "clip.mp4")) as clip:
        assert sum(1 for _ in clip.decode(video=0)) == len(packets)


def _units(packet: bytes) -> list[bytes]:
    """Cut what MP4 holds: each NAL unit with its length in four bytes (ISO/IEC 14496-15)."""
    found = []
    while packet:
        size = int.from_bytes(packet[:4], "big")
        found.append(packet[4 : 4 + size])
        packet = packet[4 + size :]
    return found


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_worker_that_dies_or_hangs_is_started_again_and_the_stay_goes_on(how: signal.Signals) -> None:
    scene, show = lane_film(12, 500)
    stage = Stage(show)
    async with showing(Film(stage)) as port, workers(2) as (hub, ears):
        hub.watch(order(port, scene))
        await ears.empty()
        stage.go(400)
        await ears.until(lambda e: (Presence.PRESENT, 1) in e.stays())
        busy = next(worker.process for worker in hub._workers if worker.cameras)
        other = next(worker.process for worker in hub._workers if not worker.cameras)
        assert busy is not None
        assert other is not None
        count = len(ears.seen)
        os.kill(busy.pid, how)
        await ears.until(lambda e: any(health.link is Link.LOST for health in e.health))
        await ears.until(lambda e: len(e.seen) > count)
        assert other.returncode is None
        assert os.getpriority(os.PRIO_PROCESS, other.pid) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICE)
        assert os.getsid(other.pid) == os.getsid(0), "the kernel may weigh a session as a whole: it would not step back"
        assert os.getpgid(other.pid) == other.pid, "an interrupt at the terminal is the hub's alone"
    since = ears.seen[count - 1].event.since
    again = ears.seen[count].event
    assert (again.presence, again.stay, again.since) == (Presence.PRESENT, 1, since)


async def test_what_cameras_do_is_survived_and_counted() -> None:
    _, show = lane_film(500, 501)
    film = Film(show)
    async with showing(film) as port, workers() as (hub, ears):
        hub.watch(order(port))
        await ears.until(lambda e: e.linked(Link.STREAMING) and e.health[-1].decoded > 2)
        film.jump = 90_000.0 / 3
        await ears.until(lambda e: e.health[-1].jumps >= 1)
        film.jump = -5_000.0
        await ears.until(lambda e: e.health[-1].jumps >= 2)
        film.garbage = True
        await ears.until(lambda e: e.health[-1].garbage >= 2)
        film.garbage = False
        film.scale = 2
        decoded = ears.health[-1].decoded
        await ears.until(lambda e: e.linked(Link.STREAMING) and e.health[-1].decoded > decoded + 2)


async def test_an_unplugged_camera_is_said_and_found_again_and_what_was_kept_is_not_lost(tmp_path: Path) -> None:
    _, show = lane_film(500, 501)
    path = tmp_path / "clip.mp4"
    async with workers() as (hub, ears):
        async with showing(Film(show)) as port:
            hub.watch(order(port))
            await ears.until(lambda e: e.linked(Link.STREAMING) and e.health[-1].decoded > 2)
        await ears.until(lambda e: e.linked(Link.LOST))
        lost = time.time()
        assert (await hub.clip(CAMERA, 0, lost, path))[0] < lost, "a clip may be cut while its camera is away"
        async with showing(Film(show), port=port):
            decoded = ears.health[-1].decoded
            await ears.until(lambda e: e.linked(Link.STREAMING) and e.health[-1].decoded > decoded + 2)
            start, end = await hub.clip(CAMERA, 0, time.time(), path)
            assert len((await hub.groups(CAMERA)).groups) < 20
        assert ears.health[-1].connections == 2
    assert start < lost < end, "before the plug was pulled, and after"
    with av.open(str(path)) as clip:
        times = [frame.time for frame in clip.decode(video=0)]
    assert times[-1] - times[0] > end - start - 0.5, "with the time between, and what came before it was looked at"
    assert times[-1] - times[0] < end - start + 12


@long
async def test_the_adaptive_policy_decodes_all_while_something_happens() -> None:
    scene, show = lane_film(12, 500)
    async with showing(Film(show)) as port, workers() as (hub, ears):
        hub.watch(msgspec.structs.replace(order(port, scene), policy=Decode.ADAPTIVE))
        await ears.until(lambda e: e.health and e.health[-1].packets > 20)
        quiet = ears.health[-1]
        assert quiet.decoded <= quiet.packets / 2, "about one picture in four is a key frame"
        await ears.until(lambda e: (Presence.PRESENT, 1) in e.stays())
        began = ears.health[-1]
        await ears.until(lambda e: e.health[-1].packets > began.packets + 30)
        awake = ears.health[-1]
    assert awake.decoded - began.decoded > (awake.packets - began.packets) * 0.7


@long
async def test_a_4k_stream_and_one_that_changes_its_size_are_seen() -> None:
    scene, show = lane_film(8, 500)
    stage = Stage(show)
    film = Film(stage, rate=1)
    film.scale = 12  # 3840 by 2160
    async with showing(film) as port, workers() as (hub, ears):
        hub.watch(order(port, scene))
        await ears.empty()
        stage.go(60)
        await ears.until(lambda e: (Presence.PRESENT, 1) in e.stays())
        film.scale = 4
        decoded = ears.health[-1].decoded
        await ears.until(lambda e: e.linked(Link.STREAMING) and e.health[-1].decoded > decoded + 5)
        assert ears.stays() == [(Presence.PRESENT, 1)], "the same place in another size"
        assert ears.health[-1].lag_s < 10


async def test_a_card_that_is_held_up_proves_a_camera() -> None:
    _, show = lane_film(500, 501)
    shows_card = False

    def scene(at: float) -> Pixels:
        picture = show(at)
        return held(picture, 12, 0.1) if shows_card else picture

    film = Film(scene)
    film.scale = 2
    async with showing(film) as port, workers() as (hub, ears):
        hub.watch(order(port))
        await ears.until(lambda e: e.health and e.health[-1].decoded > 1)
        before = await hub.prove(CAMERA)
        assert before.box is None
        shows_card = True
        waiting = Waiting(30)
        while (found := await hub.prove(CAMERA)).box is None:
            assert not waiting.over
            await asyncio.sleep(0.2)
    assert found.at > before.at, "a picture from before proves nothing"


@long
async def test_a_wrong_clock_and_too_few_pictures_are_said() -> None:
    _, show = lane_film(500, 501)
    film = Film(show, rate=10)
    film.ahead_s = -3_600.0
    async with showing(film) as port, workers() as (hub, ears):
        hub.watch(order(port))
        await ears.until(lambda e: e.health and e.health[-1].ahead_s is not None)
        assert ears.health[-1].ahead_s == pytest.approx(-3_600, abs=5)
        await ears.until(lambda e: e.health[-1].packets > 10 * (SETTLED + 2))  # what is usual is known by then
        film.ahead_s, film.every = 0.0, 3
        await ears.until(lambda e: e.health[-1].usual_fps)
        assert ears.health[-1].ahead_s is None, "it was set"
        usual, fps = ears.health[-1].usual_fps, ears.health[-1].fps
        assert 0 < fps < 0.6 * usual
        film.every = 1
        await ears.until(lambda e: not e.health[-1].usual_fps)


async def test_a_fault_in_who_listens_ends_no_worker() -> None:
    _, show = lane_film(500, 501)
    ears, faults = Ears(), 0

    def heard(message: Told) -> None:
        nonlocal faults
        if isinstance(message, Health) and not faults:
            faults += 1
            raise IndexError(message.camera)
        ears(message)

    async with showing(Film(show)) as port, Workers(1, heard) as hub:
        hub.watch(order(port))
        await ears.until(lambda e: e.linked(Link.STREAMING))
        assert faults == 1


@long
async def test_a_model_that_takes_its_time_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    """A box that needs long to compile a model must not be killed for it, again and again, before it is done."""
    _, show = lane_film(500, 501)
    os.mkfifo(tmp_path / CARD)  # whoever reads it waits
    async with showing(Film(show)) as port, workers() as (hub, ears):
        hub.watch(msgspec.structs.replace(order(port), model=str(tmp_path), data=str(tmp_path)))
        (worker,) = hub._workers
        await asyncio.sleep(2 * PATIENCE + 3)
        assert worker.process is not None
        assert worker.process.returncode is None
        assert not ears.health, "neither lost nor seen"
        hub.watch(msgspec.structs.replace(order(port), camera="beside"))
        await ears.until(lambda e: e.linked(Link.STREAMING))
        hub.watch(order(port))  # without a model
        await ears.until(lambda e: {health.camera for health in e.health[-2:]} == {CAMERA, "beside"})


async def test_a_model_that_cannot_be_used_is_told_and_the_camera_is_seen_without(tmp_path: Path) -> None:
    scene, show = lane_film(12, 500)
    stage = Stage(show)
    (tmp_path / CARD).write_text("neither a card\n", "utf-8")
    async with showing(Film(stage)) as port, workers() as (hub, ears):
        hub.watch(msgspec.structs.replace(order(port, scene), model=str(tmp_path), data=str(tmp_path)))
        await ears.empty()
        stage.go(400)
        await ears.until(lambda e: (Presence.PRESENT, 1) in e.stays())
        assert "is no card of a model" in ears.health[-1].unmodelled
        assert str(tmp_path) not in ears.health[-1].unmodelled
        hub.watch(order(port, scene))
        await ears.until(lambda e: not e.health[-1].unmodelled)


async def test_a_wrong_password_is_told_without_the_address() -> None:
    _, show = lane_film(500, 501)
    async with showing(Film(show), "root", "secret-1") as port, workers() as (hub, ears):
        hub.watch(order(port, login="root:secret-2@"))
        await ears.until(lambda e: e.linked(Link.REFUSED))
        hub.watch(order(port, login="root:secret-1@"))
        await ears.until(lambda e: e.linked(Link.STREAMING))
    assert not any("secret" in health.reason or "127.0.0.1" in health.reason for health in ears.health)
