"""Takes a picture from the camera of a zone and keeps it as evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hub.model.errors import DeviceError, Unsupported
from hub.model.execution import Done
from hub.model.site import Role
from hub.sdk import Camera

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.actions.evidence import EvidenceStore
    from hub.model.decision import Command
    from hub.model.execution import Clock
    from hub.model.ids import EntityId
    from hub.model.site import Site, Zone
    from hub.sdk import Driver, Picture


class Equipped(Protocol):
    """Who knows what commands an entity (hub.runtime.registry)."""

    def driver(self, entity: EntityId) -> Driver | None:
        """Return what commands an entity, or None while it is not set up."""
        ...


class Capture:
    """Executor of ``capture: snapshot``."""

    def __init__(self, site: Callable[[], Site], equipped: Equipped, store: EvidenceStore, clock: Clock) -> None:
        self._site = site
        self._equipped = equipped
        self._store = store
        self._clock = clock

    async def perform(self, command: Command) -> Done:
        """Ask the cameras of the zone in their order; the first picture counts."""
        for media_type in ("image/jpeg", "image/png"):
            if (kept := await self._store.find(command, media_type)) is not None:
                return Done(evidence=kept)
        zone = self._site().zones.get(command.zone)
        entity, picture = await look(zone, self._equipped)
        evidence = await self._store.keep(command, picture.data, picture.media_type, self._clock.now())
        return Done(evidence=evidence, detail={"entity": entity})


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
