"""Makes facade tours: turns to each stop, takes its picture, has it compared, and keeps what differs for a person.

A tour begins at the hours that hub.yaml names, or when somebody asks. Cameras are visited side by side, the stops of
one camera in their order; one that turns goes home afterwards. Comparing is done apart from the hub (``Compare``).
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

import structlog

from hub.actions.evidence import write_once
from hub.journal import tour as kept
from hub.journal.tour import Difference, Seen, Shot
from hub.model.errors import DecodeError, DeviceError, HubError, JournalError, Unreachable, Unsupported
from hub.model.execution import pause
from hub.model.text import clean
from hub.model.time import HOUR, SECOND, Instant
from hub.model.tour import Box, Judged, Outcome
from hub.sdk import Camera, Picture, Turnable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from hub.actions.capture import Equipped
    from hub.config.tour import TourSettings
    from hub.journal.queries import Queries
    from hub.journal.store import Journal
    from hub.model.execution import Clock
    from hub.model.ids import EntityId, ZoneId
    from hub.model.site import Site, Stop
    from hub.sdk import Driver

log = structlog.get_logger()
Answer = TypeVar("Answer")

Compare = Callable[[Picture, Picture | None, tuple[Box, ...]], Awaitable[Judged]]
"""Judge a picture against the accepted one, and what is known to differ."""

#: Where the pictures lie in the data folder, one folder a day.
FOLDER = "tour"
#: Cameras visited at the same time, and comparisons computed.
CAMERAS, COMPARISONS = 4, 1
#: Seconds between two looks at the clock; seconds that a camera has to turn, and to give a picture.
LOOK, TURNING, TAKING = 20, 60.0, 30.0
#: A tour that was missed is made up for within this time.
LATE = HOUR
#: Who made a tour that nobody asked for.
ITSELF = "menshen"


@dataclass(frozen=True, slots=True)
class TourParts:
    """What tours are made with."""

    site: Callable[[], Site]
    settings: Callable[[], TourSettings]
    equipped: Equipped
    journal: Journal
    queries: Queries
    clock: Clock
    data: Path
    compare: Compare


@dataclass(slots=True)
class Progress:
    """The tour that is being made."""

    by: str
    total: int
    done: int = 0


@dataclass(frozen=True, slots=True)
class _Wish:
    by: str
    zone: ZoneId | None


@dataclass(slots=True)
class Tour:
    """``run`` it; the rest may be called while it runs."""

    parts: TourParts
    progress: Progress | None = None
    """None while no tour is made."""
    _wish: _Wish | None = None
    _asked: asyncio.Event = field(default_factory=asyncio.Event)

    def ask(self, by: str, zone: ZoneId | None = None) -> bool:
        """Begin a tour of one zone or of all; False while one is made or waits."""
        if self._wish is not None or self.progress is not None:
            return False
        self._wish = _Wish(by, zone)
        self._asked.set()
        return True

    async def run(self) -> None:
        """Make tours until cancelled; one that fails is told in the log, and the next one is made."""
        while True:
            try:
                if self._wish is None and await self._is_due():
                    self._wish = _Wish(ITSELF, None)
                if self._wish is not None:
                    await self._make(self._wish)
            except HubError as error:
                log.error("tour.failed", reason=str(error))
            self._wish = self.progress = None
            self._asked.clear()
            waiting = asyncio.ensure_future(pause(self.parts.clock, LOOK * SECOND))
            asked = asyncio.ensure_future(self._asked.wait())
            try:
                await asyncio.wait({waiting, asked}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiting.cancel()
                asked.cancel()

    async def _is_due(self) -> bool:
        parts = self.parts
        moments = due(parts.settings().at, parts.site().timezone, parts.clock.now())
        if not moments or not any(zone.tour for zone in parts.site().zones.values()):
            return False
        last = await parts.queries.ask(kept.last_run)
        return last is None or last[0] < moments[-1]

    async def _make(self, wish: _Wish) -> None:
        """Make one tour. Raises JournalError."""
        parts = self.parts
        zones = parts.site().zones.values()
        stops = dict.fromkeys(stop for zone in zones if wish.zone in {None, zone.id} for stop in zone.tour)
        cameras: dict[EntityId, list[Stop]] = {}
        for stop in sorted(stops, key=lambda stop: bool(stop.preset)):  # home first: there a tour leaves its cameras
            cameras.setdefault(stop.camera, []).append(stop)
        self.progress = Progress(wish.by, len(stops))
        run = await parts.journal.answer(lambda db: kept.begin_run(db, parts.clock.now(), wish.by))
        log.info("tour.begun", run=run, stops=len(stops), by=wish.by)
        visiting, comparing = asyncio.Semaphore(CAMERAS), asyncio.Semaphore(COMPARISONS)
        try:
            async with asyncio.TaskGroup() as group:
                for camera, of_it in cameras.items():
                    group.create_task(self._visit(run, camera, of_it, visiting, comparing))
        except* JournalError as errors:
            raise JournalError(str(errors.exceptions[0])) from None
        await parts.journal.execute(lambda db: kept.end_run(db, run, parts.clock.now()))
        log.info("tour.ended", run=run)

    async def _visit(
        self,
        run: int,
        camera: EntityId,
        stops: Iterable[Stop],
        visiting: asyncio.Semaphore,
        comparing: asyncio.Semaphore,
    ) -> None:
        async with visiting:
            for stop in stops:
                seen = await self._look(stop, comparing)
                await self.parts.journal.execute(lambda db, seen=seen: kept.add_look(db, run, seen))  # type: ignore[misc]
                if self.progress is not None:
                    self.progress.done += 1
            driver = self.parts.equipped.driver(camera)
            if isinstance(driver, Turnable) and any(stop.preset for stop in stops):
                try:
                    await _in_time(driver.go_home(), TURNING, "it did not turn home in time")
                except DeviceError as error:
                    log.warning("tour.not_home", camera=camera, reason=error.reason)

    async def _look(self, stop: Stop, comparing: asyncio.Semaphore) -> Seen:
        """Look at one stop; whatever goes wrong is what came of it. Raises JournalError."""
        parts = self.parts
        try:
            picture = await take(parts.equipped.driver(stop.camera), stop)
        except DeviceError as error:
            return Seen(stop.id, parts.clock.now(), Outcome.NONE, clean(error.reason, 200))
        at = parts.clock.now()
        accepted, known = await parts.queries.ask(lambda db: _known(db, stop.id))
        before = None
        if accepted is not None:
            try:
                before = Picture.from_bytes(await asyncio.to_thread((parts.data / accepted).read_bytes))
            except (OSError, DecodeError) as error:
                return Seen(stop.id, at, Outcome.NONE, clean(f"the accepted picture cannot be read: {error}", 200))
        async with comparing:
            judged = await parts.compare(picture, before, tuple(box for _, box in known))
        try:
            return await asyncio.to_thread(self._kept, stop, at, picture, judged, [name for name, _ in known])
        except OSError as error:
            return Seen(stop.id, at, Outcome.NONE, clean(f"the picture cannot be stored: {error.strerror}", 200))

    def _kept(self, stop: Stop, at: Instant, picture: Picture, judged: Judged, known: list[int]) -> Seen:
        """Write the files of a look. Raises OSError."""
        whole = self._write(at, picture)
        differences = []
        for cut in judged.cuts:
            before, after = (self._write(at, Picture(data, "image/jpeg")) for data in (cut.before, cut.after))
            differences.append(Difference(cut.box, before, after))
        again = tuple(known[place] for place in judged.again)
        reason = clean(judged.reason, 200)
        return Seen(stop.id, at, judged.outcome, reason, judged.found, whole, tuple(differences), again)

    def _write(self, at: Instant, picture: Picture) -> Shot:
        day = datetime.fromtimestamp(at / SECOND, UTC)
        end = "png" if picture.media_type == "image/png" else "jpg"
        path = Path(FOLDER, f"{day:%Y/%m/%d}", f"{secrets.token_hex(12)}.{end}")
        write_once(self.parts.data / path, picture.data)
        digest = hashlib.sha256(picture.data).hexdigest()
        return Shot(path.as_posix(), picture.media_type, digest, len(picture.data))


async def take(driver: Driver | None, stop: Stop) -> Picture:
    """Turn a camera to a stop and take its picture. Raises DeviceError."""
    if driver is None:
        raise Unreachable("the camera is not set up, or away")
    if not isinstance(driver, Camera):
        raise Unsupported("this is no camera that gives pictures")
    if stop.preset:
        if not isinstance(driver, Turnable):
            raise Unsupported("this camera does not turn: leave out `preset`")
        await _in_time(driver.go_to(stop.preset), TURNING, "it did not come to a standstill in time")
    return await _in_time(driver.snapshot(), TAKING, "it gave no picture in time")


def due(at: Iterable[int], zone: str, now: Instant) -> list[Instant]:
    """Return the moments, oldest first, at which a tour should have begun within the last hour (``LATE``).

    ``at`` are seconds after midnight on the clocks of ``zone``.
    """
    here = ZoneInfo(zone)
    today = datetime.fromtimestamp(now / SECOND, here).date()
    moments = [
        Instant(round(datetime.combine(day, time(second // 3600, second // 60 % 60), here).timestamp()) * SECOND)
        for day in (today - timedelta(days=1), today)
        for second in at
    ]
    return sorted(moment for moment in moments if now - LATE < moment <= now)


async def _in_time(work: Awaitable[Answer], seconds: float, late: str) -> Answer:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise Unreachable(late) from None
    except DeviceError:
        raise
    except Exception as error:  # a plugin's fault is what came of this look, and the tour goes on
        log.exception("tour.fault")
        raise DeviceError(f"fault in the integration: {type(error).__name__}") from None


def _known(db: sqlite3.Connection, stop: str) -> tuple[str | None, list[tuple[int, Box]]]:
    """Return the path of the accepted picture, and what is known to differ from it."""
    reference = kept.reference_of(db, stop)
    picture = None if reference is None else kept.picture_of(db, reference.picture)
    return None if picture is None else picture.path, [(one.id, one.box) for one in kept.standing(db, stop)]
