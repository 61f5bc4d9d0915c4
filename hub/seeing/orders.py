"""What is watched: the cameras of all zones with what each must look for, and the entities that come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import structlog

from hub.model.errors import ModelError
from hub.model.ids import EntityId, entity_id
from hub.model.reading import Capability, Entity
from hub.model.site import Decode, Sees
from hub.model.text import Text, clean
from hub.sdk import Equipment, Watchable
from hub.vision.detect.box import Kind
from hub.vision.detect.card import CARD, read
from hub.vision.detect.store import installed
from hub.vision.falling.calibration import CalibrationError, Click, calibrate
from hub.vision.worker.wire import Falls, Lane, Lift, Watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub.model.site import Sight, Site

log = structlog.get_logger()

#: The integration that the entities belong to, and their configured device.
DOMAIN, DEVICE = "vision", "cameras"
_CAPABILITY = {Sees.LANE: Capability.PRESENCE, Sees.FALLING: Capability.ALARM, Sees.LIFT: Capability.PRESENCE}
_WHAT = {
    Sees.LANE: Text("车辆", "vehicle"),
    Sees.FALLING: Text("坠物", "falling object"),
    Sees.LIFT: Text("电动自行车", "e-bike"),
}
_BULKY = Text("有大件物品（仅提示，未识别）", "something bulky (a notice, not recognised)")


def cameras(site: Site) -> dict[EntityId, tuple[Sight, ...]]:
    """Return each camera that must see, and what."""
    found: dict[EntityId, tuple[Sight, ...]] = {}
    for zone in site.zones.values():
        for sight in zone.see:
            found[sight.camera] = (*found.get(sight.camera, ()), sight)
    return found


def equipment(site: Site) -> tuple[Equipment, ...]:
    """Return the entities: one for each place that is watched, and one for each camera that may go blind."""
    seen = [
        Entity(sight.entity, _CAPABILITY[sight.sees], _joined(zone.name, _WHAT[sight.sees]), device=str(sight.camera))
        for zone in site.zones.values()
        for sight in zone.see
        if sight.entity is not None
    ]
    blind = [
        Entity(blindness(camera), Capability.ALARM, Text("看不见", "Blind"), device=str(camera))
        for camera in cameras(site)
    ]
    bulk = [
        Entity(bulky(sight.entity), Capability.PRESENCE, _joined(zone.name, _BULKY), device=str(sight.camera))
        for zone in site.zones.values()
        for sight in zone.see
        if sight.sees is Sees.LIFT and sight.entity is not None
    ]
    return tuple(Equipment(entity) for entity in (*seen, *bulk, *blind))


def bulky(ebike: EntityId) -> EntityId:
    """Name the entity that says that something bulky is in a lift car; no rule of the hub holds a door for it."""
    return EntityId(f"{ebike}_bulky")


@dataclass(frozen=True, slots=True)
class Models:
    """The installed models, by name."""

    knows: tuple[tuple[str, frozenset[Kind]], ...] = ()
    """Folder of each, and what it can find."""
    unreadable: tuple[tuple[str, str], ...] = ()
    """Name of each that cannot be read, and why."""

    def first(self, *wanted: Kind) -> tuple[str, tuple[Kind, ...]]:
        """Return folder and kinds of the first that knows one of these, the most wanted first; empty without one."""
        for kind in wanted:
            for folder, kinds in self.knows:
                if kind in kinds:
                    return folder, tuple(sorted(kinds))
        return "", ()


def read_models(data: Path) -> Models:
    """Read the cards of the installed models; a bad one stands in no other's way. Not in the loop."""
    knows, unreadable = [], []
    for folder in installed(data):
        try:
            knows.append((str(folder), read(folder / CARD).kinds))
        except ModelError as error:
            unreadable.append((clean(folder.name, 40), str(error)))
    return Models(tuple(knows), tuple(unreadable))


def model_for(sees: set[Sees], models: Models) -> tuple[str, tuple[Kind, ...]]:
    """Return folder and kinds of the model for a camera; empty without one.

    A lift car is then judged by its floor only, a lane by the picture of the place, which is less sure of itself.
    """
    if Sees.LIFT in sees:
        return models.first(Kind.EBIKE, Kind.BICYCLE)
    return models.first(Kind.VEHICLE) if Sees.LANE in sees else ("", ())


def blindness(camera: EntityId) -> EntityId:
    """Name the entity that says whether a camera is blind."""
    return entity_id(DOMAIN, f"{camera}_blind")


def order(
    camera: EntityId,
    sights: tuple[Sight, ...],
    driver: object,
    ring_s: float,
    state: Callable[[Sight], bytes],
    model: tuple[str, tuple[Kind, ...]] = ("", ()),
    data: Path | None = None,
) -> Watch | None:
    """Return what a worker must do; None while the camera has no stream. ``model`` is for a lift car, else lanes."""
    url = driver.video if isinstance(driver, Watchable) else ""
    if not url:
        return None
    lanes = tuple(
        Lane(sight.entity, sight.polygon, state(sight))
        for sight in sights
        if sight.sees is Sees.LANE and sight.entity is not None
    )
    falls = next((_falls(sight) for sight in sights if sight.sees is Sees.FALLING), None)
    # what falls is seen in every picture or not at all; for a parked vehicle one a second is enough
    cars = [sight for sight in sights if sight.sees is Sees.LIFT and sight.entity is not None]
    needed = {Decode.FULL if falls is not None else Decode.ADAPTIVE if cars else Decode.KEY}
    wanted = {sight.decode for sight in sights if sight.decode is not None}
    policy = max(wanted if wanted and falls is None else needed | wanted, key=list(Decode).index)
    folder, knows = model
    lift = Lift(str(cars[0].entity), cars[0].polygon, knows) if cars else None
    watch = Watch(str(camera), url, policy, lanes, falls, lift, ring_s)
    if not cars and not lanes:
        return watch
    return msgspec.structs.replace(watch, model=folder, data=str(data or ""))


def _falls(sight: Sight) -> Falls:
    clicks = tuple(Click(x, y, floor) for x, y, floor in sight.floors)
    if not clicks:
        return Falls(str(sight.entity))
    try:
        return Falls(str(sight.entity), calibrate(clicks))
    except CalibrationError as error:
        log.warning("vision.calibration_refused", camera=sight.camera, reason=str(error))
        return Falls(str(sight.entity))


def _joined(name: Text, what: Text) -> Text:
    return Text(f"{name.zh}{what.zh}", f"{name.in_language('en')}: {what.en}")
