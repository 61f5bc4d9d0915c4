"""Takes a picture or a clip from the camera of a zone and keeps it as evidence."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from hub.model.decision import Capture as Wanted
from hub.model.errors import DeviceError, Unsupported
from hub.model.execution import Done, pause
from hub.model.site import Role, Sees
from hub.model.time import SECOND, Instant
from hub.sdk import Camera

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from pathlib import Path

    from hub.actions.evidence import EvidenceStore
    from hub.model.decision import Command
    from hub.model.execution import Clock
    from hub.model.ids import EntityId
    from hub.model.site import Site, Zone
    from hub.sdk import Driver, Picture


#: Media type of a clip.
CLIP = "video/mp4"


class Equipped(Protocol):
    """Who knows what commands an entity (hub.runtime.registry)."""

    def driver(self, entity: EntityId) -> Driver | None:
        """Return what commands an entity, or None while it is not set up."""
        ...


class Recorder(Protocol):
    """Who keeps the last minute of cameras (hub.seeing)."""

    def watched(self, camera: EntityId) -> bool:
        """Tell whether a camera is watched, so that a clip of it can be cut."""
        ...

    def fall(self, entities: Iterable[EntityId], at: Instant) -> tuple[EntityId, bytes] | None:
        """Return the camera and the picture (JPEG) of what one of these saw fall near an instant."""
        ...

    async def clip(self, camera: EntityId, start: float, end: float, path: Path) -> tuple[float, float]:
        """Write what was seen in a time (seconds since 1970) as MP4; return its true begin and end.

        Raises DeviceError.
        """
        ...


class Capture:
    """Executor of ``capture``. ``folder`` takes clips while they are written, on the disk of the evidence.

    ``lock`` keeps the incident of a fall that was filmed from being erased until a person lets it go.
    """

    def __init__(
        self,
        site: Callable[[], Site],
        equipped: Equipped,
        store: EvidenceStore,
        clock: Clock,
        recorder: Recorder,
        folder: Path,
        lock: Callable[[Command], Awaitable[None]],
    ) -> None:
        self._lock = lock
        self._recorder = recorder
        self._folder = folder
        self._site = site
        self._equipped = equipped
        self._store = store
        self._clock = clock

    async def perform(self, command: Command) -> Done:
        """Ask the cameras of the zone in their order; the first picture or clip counts. Raises DeviceError."""
        if isinstance(command.action, Wanted) and command.action.is_clip:
            return await self._record(command, command.action)
        return await self._snap(command)

    async def _snap(self, command: Command) -> Done:
        """Keep the picture of a fall with its track, where one was just seen; otherwise what is seen now."""
        for media_type in ("image/jpeg", "image/png"):
            if (kept := await self._store.find(command, media_type)) is not None:
                return Done(evidence=kept)
        zone = self._site().zones.get(command.zone)
        fallen = self._recorder.fall(() if zone is None else zone.bound(Role.FALLING), command.at)
        if fallen is not None:
            evidence = await self._store.keep(command, fallen[1], "image/jpeg", self._clock.now())
            return Done(evidence=evidence, detail={"entity": fallen[0]})
        entity, picture = await look(zone, self._equipped)
        evidence = await self._store.keep(command, picture.data, picture.media_type, self._clock.now())
        return Done(evidence=evidence, detail={"entity": entity})

    async def _record(self, command: Command, wanted: Wanted) -> Done:
        """Wait until the time has passed, then cut it out of what the worker has kept."""
        if (kept := await self._store.find(command, CLIP)) is not None:
            return Done(evidence=kept)
        zone = self._site().zones.get(command.zone)
        cameras = () if zone is None else (*(sight.camera for sight in zone.see), *zone.bound(Role.CAMERA))
        camera = next((name for name in cameras if self._recorder.watched(name)), None)
        if camera is None:
            return await self._snap(command)  # nothing was kept of the time before; the present is better than nothing
        end = command.at + wanted.after
        await pause(self._clock, end - self._clock.now())
        await asyncio.to_thread(self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{command.key}.mp4"
        start = (command.at - wanted.before) / SECOND
        began, ended = await self._recorder.clip(camera, start, end / SECOND, path)
        evidence = await self._store.adopt(command, path, CLIP, Instant(round(began * SECOND)))
        if zone is not None and any(sight.camera == camera and sight.sees is Sees.FALLING for sight in zone.see):
            await self._lock(command)
        return Done(evidence=evidence, detail={"entity": camera, "seconds": round(ended - began, 1)})


async def look(zone: Zone | None, equipped: Equipped) -> tuple[EntityId, Picture]:
    """Ask the cameras of a zone in their order and return the first picture. Raises DeviceError."""
    failure: DeviceError = Unsupported("no camera is bound to this zone")
    for entity in () if zone is None else zone.bound(Role.CAMERA):
        camera = equipped.driver(entity)
        if not isinstance(camera, Camera):
            failure = DeviceError(f"{entity} is not set up")
            continue
        try:
            return entity, await camera.snapshot()
        except DeviceError as error:
            failure = error
    raise failure
