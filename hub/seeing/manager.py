"""Watches with the cameras that the site names: follows its edits, keeps what must last, says who is blind.

What the workers say becomes readings by the way of every device (hub.runtime.reports): committed before acted upon.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import structlog

from hub.model.entry import Note
from hub.model.errors import JournalError, Unreachable
from hub.model.ids import EntityId
from hub.model.reading import Alarm, Presence, Quality, Reading
from hub.model.text import Text
from hub.model.time import SECOND, Instant
from hub.sdk import Sample
from hub.seeing import days, lanes, reviews
from hub.seeing.blind import why_blind, why_poor
from hub.seeing.orders import (
    DEVICE,
    DOMAIN,
    Models,
    blindness,
    bulky,
    cameras,
    equipment,
    model_for,
    order,
    read_models,
)
from hub.seeing.shapes import Shapes
from hub.vision.falling.event import Severity
from hub.vision.lane.event import Presence as Stands
from hub.vision.worker.parent import Workers, enough
from hub.vision.worker.wire import Carried, Days, Fell, Health, LaneNow, Link, Listed, Passed, Proved, Seen, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from hub.model.site import Sight, Site
    from hub.runtime.batch import Batch
    from hub.runtime.core import Runtime
    from hub.runtime.problems import Problems
    from hub.runtime.registry import Registry
    from hub.runtime.reports import Reports
    from hub.seeing.sightings import Sightings
    from hub.vision.worker.parent import Told

log = structlog.get_logger()

#: Seconds between two looks at the site and its devices; after which what has not changed is said once more.
LOOK, CONFIRM = 2.0, 300.0
#: Seconds after which a fall is over.
FALLEN = 5.0
#: Records that wait to be kept; more are dropped: a store that is so slow is no reason to fill the memory.
WAITING = 1000
#: Pictures for review that wait for the disk.
REVIEWS = 100
#: Seconds between a fall and the command that asks for its picture.
NEAR = 30.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the manager works with."""

    site: Callable[[], Site]
    registry: Registry
    reports: Reports
    runtime: Runtime
    problems: Problems
    data: Path
    ring_s: Callable[[], float] = lambda: 60.0
    """Seconds that each camera keeps, so that a clip may begin before its event."""
    sightings: Sightings | None = None
    """Where what passes is kept; None keeps nothing."""


class Manager:
    """The cameras that see. ``run`` it; the rest may be called while it runs."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._workers: Workers | None = None
        self._orders: dict[EntityId, Watch] = {}
        self._sights: dict[EntityId, tuple[Sight, ...]] = {}
        self._kept: dict[EntityId, lanes.LaneFile] = {}
        self._told: dict[EntityId, tuple[LaneNow | Alarm | bool | None, float]] = {}
        self._unsaved: set[EntityId] = set()
        self._days: dict[EntityId, days.DayFile] = {}
        self._unsaved_days: set[EntityId] = set()
        self._said: asyncio.Queue[tuple[Sample, ...]] = asyncio.Queue()
        self._falls: dict[EntityId, tuple[float, EntityId, bytes]] = {}
        self._passed: asyncio.Queue[Passed] = asyncio.Queue(WAITING)
        self._reviews: asyncio.Queue[tuple[Carried, float]] = asyncio.Queue(REVIEWS)
        self._dropping = False
        self._shapes = Shapes()
        self.dropped: Counter[EntityId] = Counter()
        """Records of what passed each camera that were not kept: the store was too slow."""
        self.health: dict[EntityId, Health] = {}
        """The last word of each camera that is watched."""
        self.lanes: dict[EntityId, LaneNow] = {}
        """What each lane is now."""
        self.trouble: dict[EntityId, Text] = {}
        """What is not right with a camera that is watched or should be, in words."""

    async def run(self) -> None:
        """Watch until cancelled."""
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            group.create_task(self._hand_in())
            group.create_task(self._save())
            group.create_task(self._review())
            if self._around.sightings is not None:
                group.create_task(self._keep_sightings(self._around.sightings))
            while True:
                await self._arrange(stack)
                await asyncio.sleep(LOOK)

    def model(self, camera: EntityId) -> str:
        """Return the name of the model that looks at a camera's pictures; empty where none does."""
        watch = self._orders.get(camera)
        return PurePath(watch.model).name if watch is not None and watch.model else ""

    def watched(self, camera: EntityId) -> bool:
        """Tell whether a camera is watched, so that a clip of it can be cut."""
        return camera in self._orders

    async def clip(self, camera: EntityId, start: float, end: float, path: Path) -> tuple[float, float]:
        """Write what was seen in a time (seconds since 1970) as MP4; return its true begin and end.

        Raises DeviceError.
        """
        return await self._must().clip(camera, start, end, path)

    async def picture(self, camera: EntityId, *, public: bool = False, plain: bool = False) -> bytes:
        """Return the last picture as JPEG with lanes, boxes and time; ``public`` hides plates, ``plain`` draws nothing.

        Raises DeviceError.
        """
        return await self._must().picture(camera, self._utc_s(), public=public, plain=plain)

    def _utc_s(self) -> int:
        """Return the seconds that clocks of the site are ahead of UTC."""
        ahead = datetime.now(UTC).astimezone(ZoneInfo(self._around.site().timezone)).utcoffset()
        return 0 if ahead is None else round(ahead.total_seconds())

    async def groups(self, camera: EntityId) -> Listed:
        """Return the groups of pictures that are kept whole, oldest first. Raises DeviceError."""
        return await self._must().groups(camera)

    async def group(self, camera: EntityId, number: int) -> tuple[bytes, bytes]:
        """Return one of them for a browser: initialization section and segment. Raises DeviceError."""
        return await self._must().group(camera, number)

    async def prove(self, camera: EntityId) -> Proved:
        """Look for the test card in the last picture of a camera. Raises DeviceError."""
        return await self._must().prove(camera)

    def _must(self) -> Workers:
        if self._workers is None:
            raise Unreachable("no camera is watched")
        return self._workers

    def fall(self, entities: Iterable[EntityId], at: Instant) -> tuple[EntityId, bytes] | None:
        """Return the camera and the picture of what one of these saw fall last, when that was near an instant."""
        found = [self._falls[name] for name in entities if name in self._falls]
        near = [fall for fall in found if abs(at / SECOND - fall[0]) < NEAR]
        if not near:
            return None
        _, camera, jpeg = max(near)
        return camera, jpeg

    async def _arrange(self, stack: AsyncExitStack) -> None:
        """Have the workers do what the site says now."""
        around, site = self._around, self._around.site()
        wanted = cameras(site)
        if wanted != self._sights:
            self._equip(site, wanted)
        models = await asyncio.to_thread(read_models, around.data) if wanted else Models()
        self._unread_models(models)
        orders: dict[EntityId, Watch] = {}
        for camera, sights in wanted.items():
            sees = {sight.sees for sight in sights}
            driver = around.registry.driver(camera)
            model = model_for(sees, models)
            watch = order(camera, sights, driver, around.ring_s(), self._state, model, around.data)
            if watch is not None:
                known = await asyncio.to_thread(self._known_days, camera, sights)
                orders[camera] = msgspec.structs.replace(watch, days=known.state, utc_s=self._utc_s())
            elif camera in around.registry.entities:
                self._blind(camera, Text("没有视频流地址", "it has no address of a video stream"))
        for camera in [name for name in self._orders if name not in orders]:
            self._leave(camera)
        if orders and self._workers is None:
            workers = Workers(enough(len(orders)), self._heard, self._down)
            self._workers = await stack.enter_async_context(workers)
        for camera, watch in orders.items():
            if self._workers is not None and _fixed(watch) != self._orders.get(camera):
                self._orders[camera] = _fixed(watch)
                self._shapes.forget(camera)
                self._workers.watch(watch)

    def _equip(self, site: Site, wanted: dict[EntityId, tuple[Sight, ...]]) -> None:
        registry = self._around.registry
        before = registry.brought(DOMAIN, DEVICE)
        registry.equip(DOMAIN, DEVICE, equipment(site))
        gone = set(before) - set(registry.brought(DOMAIN, DEVICE))
        for camera in self._sights.keys() - wanted.keys():
            self._settle(camera)

        def unknown(batch: Batch) -> None:
            for name in gone:
                batch.feed(Reading(name, None, Quality.UNKNOWN, batch.now))

        if gone:
            self._around.runtime.post(unknown)
        for name in gone:
            self._kept.pop(name, None)
            self._told.pop(name, None)
            self.lanes.pop(name, None)
        self._sights = wanted

    def _leave(self, camera: EntityId) -> None:
        del self._orders[camera]
        self.health.pop(camera, None)
        self._shapes.forget(camera)
        if camera not in self._sights:  # what it said while the others were arranged
            self._settle(camera)
        if self._workers is not None:
            self._workers.unwatch(camera)
        self._doubt(camera)

    def _state(self, sight: Sight) -> bytes:
        if sight.entity is None:
            return b""
        kept = self._kept.get(sight.entity)
        if kept is None or kept.polygon != sight.polygon:
            kept = self._kept[sight.entity] = lanes.read(self._around.data, sight.entity, sight.polygon)
        return kept.state

    def _known_days(self, camera: EntityId, sights: tuple[Sight, ...]) -> days.DayFile:
        """Return the pictures of the last days; read once, and begun anew where a place is drawn anew."""
        places = days.places_of(sights)
        kept = self._days.get(camera)
        if kept is None or kept.places != places:
            kept = self._days[camera] = days.read_days(self._around.data, camera, places)
        return kept

    def _heard(self, message: Told) -> None:
        """Take what a worker said; called in the loop, and never waits."""
        camera = EntityId(message.camera)
        if camera not in self._orders or camera not in self._sights:
            return
        if isinstance(message, Health):
            self._well(camera, message)
        elif isinstance(message, Days):
            if (known := self._days.get(camera)) is not None:
                self._days[camera] = msgspec.structs.replace(known, state=message.state)
                self._unsaved_days.add(camera)
        elif isinstance(message, Fell):
            self._fell(message)
        elif isinstance(message, Carried):
            self._carried(message)
        elif isinstance(message, Passed):
            self._pass(camera, message)
        elif (kept := self._kept.get(EntityId(message.lane))) is not None:
            if isinstance(message, Seen):
                self._lane(message.now)
                kept = self._kept[EntityId(message.lane)]
            self._keep(EntityId(message.lane), msgspec.structs.replace(kept, state=message.state))

    def _pass(self, camera: EntityId, message: Passed) -> None:
        """Queue a record; one that the store has no time for is counted and told once for each run of them."""
        if self._around.sightings is None:
            return
        if not self._passed.full():
            self._passed.put_nowait(message)
            return
        self.dropped[camera] += 1
        if not self._dropping:
            self._dropping = True
            log.warning("vision.sightings_dropped", camera=camera, waiting=WAITING)

    def _well(self, camera: EntityId, health: Health) -> None:
        self.health[camera] = health
        self._sized(camera, (health.width, health.height))
        streams = health.link is Link.STREAMING and not health.unread_s
        why, shape = why_blind(health), self._shapes.why(camera) if streams else None
        if why is not None:
            self._blind(camera, shape or why)  # in another shape nothing lies where it was: that is why
        elif (poor := why_poor(health) or shape) is not None:
            name = self._name(camera)
            text = Text(f"{name.zh}：{poor.zh}", f"{name.in_language('en')}: {poor.en}")
            if self._tell_trouble(camera, poor, text):
                log.warning("vision.poor", camera=camera, reason=poor.en)
        elif health.link is Link.STREAMING and self._settle(camera):
            log.info("vision.sees_again", camera=camera)
        if why is None and health.link is Link.STREAMING and health.picture is not None:
            self._tell(blindness(camera), Alarm.CLEAR)
        if not streams:
            self._doubt(camera)
            return
        for lane in health.lanes:
            self._lane(lane)

    def _sized(self, camera: EntityId, size: tuple[int, int]) -> None:
        """Note that a camera's pictures have another size than before."""
        before = self._shapes.see(camera, size)
        if before is not None:
            facts = {"camera": camera, "before": list(before), "now": list(size)}
            self._around.runtime.post(lambda batch: batch.record(Note("camera_resized", batch.now, facts)))
            log.info("vision.resized", camera=camera, before=before, now=size)

    def _tell_trouble(self, camera: EntityId, why: Text, sentence: Text) -> bool:
        self.trouble[camera] = why
        return self._around.problems.raise_(_problem(camera), sentence)

    def _settle(self, camera: EntityId) -> bool:
        self.trouble.pop(camera, None)
        return self._around.problems.settle(_problem(camera))

    def _down(self, count: int) -> None:
        if count:
            text = Text(f"{count} 个识别进程中断，正在重启；画面、抓拍和规则暂时看不见",
                        f"{count} camera workers ended and are started again; nothing is seen meanwhile")  # fmt: skip
            self._around.problems.raise_("cameras", text)
        else:
            self._around.problems.settle("cameras")

    def _unread_models(self, models: Models) -> None:
        if not models.unreadable:
            self._around.problems.settle("models")
            return
        name, why = models.unreadable[0]
        zh = f"识别模型 {name} 读不出，没有用上：请重新安装（menshen models install）"
        en = f"the model {name} cannot be read and is not used: install it again (menshen models install)"
        if self._around.problems.raise_("models", Text(zh, en)):
            log.warning("vision.model_unreadable", model=name, reason=why)

    def _name(self, camera: EntityId) -> Text:
        known = self._around.registry.entity(camera)
        return Text(camera) if known is None else known.name

    def _blind(self, camera: EntityId, why: Text) -> None:
        name = self._name(camera)
        text = Text(f"{name.zh} 看不见：{why.zh}", f"{name.in_language('en')} does not see: {why.en}")
        if self._tell_trouble(camera, why, text):
            log.warning("vision.blind", camera=camera, reason=why.en)
        self._tell(blindness(camera), Alarm.ACTIVE)

    def _doubt(self, camera: EntityId) -> None:
        """What a camera said last is not confirmed while it is away."""
        for sight in self._sights.get(camera, ()):
            if sight.entity is not None:
                self._doubt_entity(sight.entity)
                self._doubt_entity(bulky(sight.entity))

    def _doubt_entity(self, entity: EntityId) -> None:
        if self._told.get(entity, (None, 0.0))[0] is not None:
            self._told[entity] = (None, 0.0)
            self._said.put_nowait((Sample(entity, None, Quality.STALE),))
            self.lanes.pop(entity, None)

    def _lane(self, now: LaneNow) -> None:
        entity = EntityId(now.name)
        kept, (before, when) = self._kept.get(entity), self._told.get(entity, (None, 0.0))
        told = msgspec.structs.replace(now, boxes=(), confidence=0.0)
        if kept is None:
            return
        self.lanes[entity] = now
        if now.presence is None or (told == before and time.monotonic() - when < CONFIRM):
            return
        self._told[entity] = (told, time.monotonic())
        self._said.put_nowait(lanes.samples(entity, kept.since, now))
        if now.presence is not Stands.UNSURE and kept.since != now.since:
            self._keep(entity, msgspec.structs.replace(kept, since=now.since))

    def _fell(self, fell: Fell) -> None:
        """An alarm is a reading; what is only noticed is noted, for a person to look at."""
        floor = (
            {} if fell.floor is None else {"floor": fell.floor.number, "low": fell.floor.low, "high": fell.floor.high}
        )
        facts = {"camera": fell.camera, "severity": str(fell.severity), "drop_m": round(fell.drop, 1), **floor}
        self._around.runtime.post(lambda batch: batch.record(Note("fall_seen", batch.now, facts)))
        entity = EntityId(fell.name)
        if fell.jpeg:
            self._falls[entity] = (fell.decided, EntityId(fell.camera), fell.jpeg)
        if fell.severity is Severity.ALARM:
            at = Instant(round(fell.released * SECOND))
            self._said.put_nowait((Sample(entity, Alarm.ACTIVE, device_at=at),))
            over = (Sample(entity, Alarm.CLEAR),)
            asyncio.get_running_loop().call_later(FALLEN, self._said.put_nowait, over)

    def _carried(self, message: Carried) -> None:
        """An e-bike is a reading where a model could tell; what is bulky is another one, of its own entity."""
        entity, now = EntityId(message.name), message.now
        if now.ebike is None:
            self._doubt_entity(entity)
        said = {bulky(entity): now.bulky} | ({} if now.ebike is None else {entity: now.ebike})
        self._said.put_nowait(
            tuple(Sample(name, Presence.PRESENT if there else Presence.ABSENT) for name, there in said.items())
        )
        self._told.update({name: (there, time.monotonic()) for name, there in said.items()})
        if message.jpeg:
            facts = {"camera": message.camera, "ebike": now.ebike, "bulky": now.bulky, "confidence": now.confidence}
            self._around.runtime.post(lambda batch: batch.record(Note("lift_seen", batch.now, facts)))
            if self._reviews.full():
                log.warning("vision.review_not_kept", entity=message.name, reason="the disk is too slow")
            else:
                self._reviews.put_nowait((message, time.time()))

    async def _review(self) -> None:
        """Keep the pictures by which a model can be judged later."""
        while True:
            message, at = await self._reviews.get()
            try:
                await asyncio.to_thread(reviews.keep, self._around.data, message.name, at, message.jpeg)
            except OSError as error:
                log.warning("vision.review_not_kept", entity=message.name, reason=error.strerror)

    async def _keep_sightings(self, sightings: Sightings) -> None:
        """Keep what has passed, so that it can be found again."""
        while True:
            message = await self._passed.get()
            self._dropping = self._dropping and not self._passed.empty()
            try:
                await sightings.add(message.camera, message.what)
            except JournalError as error:
                log.warning("vision.sighting_not_kept", camera=message.camera, reason=str(error))

    def _tell(self, entity: EntityId, alarm: Alarm) -> None:
        before, when = self._told.get(entity, (None, 0.0))
        if before is not alarm or time.monotonic() - when > CONFIRM:
            self._told[entity] = (alarm, time.monotonic())
            self._said.put_nowait((Sample(entity, alarm),))

    async def _hand_in(self) -> None:
        """Commit what was seen, in its order."""
        around = self._around
        while True:
            said = await self._said.get()
            mine = around.registry.brought(DOMAIN, DEVICE)
            # a place may be watched no more by the time that its last word is due
            await around.reports.take(DOMAIN, DEVICE, tuple(sample for sample in said if sample.entity in mine))

    def _keep(self, entity: EntityId, kept: lanes.LaneFile) -> None:
        self._kept[entity] = kept
        self._unsaved.add(entity)

    async def _save(self) -> None:
        """Write what must outlive the hub; a full disk is told, and tried again."""
        while True:
            await asyncio.sleep(LOOK / 2)
            for entity in sorted(self._unsaved):
                kept = self._kept.get(entity)
                try:
                    if kept is not None:
                        await asyncio.to_thread(lanes.write, self._around.data, entity, kept)
                except OSError as error:
                    log.warning("vision.not_kept", entity=entity, reason=error.strerror)
                    continue
                if self._kept.get(entity) is kept:
                    self._unsaved.discard(entity)
            for camera in sorted(self._unsaved_days):
                pictures = self._days[camera]
                try:
                    await asyncio.to_thread(days.write_days, self._around.data, camera, pictures)
                except OSError as error:
                    log.warning("vision.days_not_kept", camera=camera, reason=error.strerror)
                    continue
                if self._days[camera] is pictures:
                    self._unsaved_days.discard(camera)


def _fixed(watch: Watch) -> Watch:
    """Return an order without what its camera has learned, to see whether it was edited."""
    plain = tuple(msgspec.structs.replace(lane, state=b"") for lane in watch.lanes)
    return msgspec.structs.replace(watch, days=b"", utc_s=0, lanes=plain)


def _problem(camera: EntityId) -> str:
    return f"vision.{camera}"
