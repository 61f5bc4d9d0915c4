"""From the messages of one push to what they say of the bays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hub.sdk import Capability, Entity, Instant, Presence, Quality, Sample, Text, Unsupported, Vitals, clean, entity_id
from integrations.onenet.config import DOMAIN, Bay, Config
from integrations.onenet.memory import Memory
from integrations.onenet.wire import Point, Status, word

#: Stream under which it is remembered when a device went offline.
OFFLINE = ""
#: A message from further in the future, in milliseconds, is taken but not remembered: one wrong clock, theirs or ours,
#: must not make the bay deaf.
_FUTURE = 24 * 3600 * 1000
_HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """One bay."""

    entity: Entity
    bay: Bay

    def sample(self, point: Point, at: Instant | None, quality: Quality) -> Sample:
        """Say what ``point`` says of the bay; a value that was not agreed on is unknown, not free."""
        said = word(point.value)
        if said == word(self.bay.occupied):
            return Sample(self.entity.id, Presence.PRESENT, quality, at)
        if said == word(self.bay.free):
            return Sample(self.entity.id, Presence.ABSENT, quality, at)
        return Sample(self.entity.id, None, Quality.UNKNOWN, at)


@dataclass(frozen=True, slots=True)
class News:
    """What one push says that was not said before, and what to remember of it."""

    said: list[Sample | Vitals] = field(default_factory=list)
    seen: dict[tuple[str, str], int] = field(default_factory=dict)


def places(name: str, config: Config) -> tuple[Place, ...]:
    """Return the bays of one configured push. Raises Unsupported for one that cannot be told from another."""
    found = tuple(_place(name, key, bay, config.silent_after_h) for key, bay in config.bays.items())
    if len({place.entity.id for place in found}) < len(found):
        raise Unsupported("two bays have the same short name")
    for key, bay in config.bays.items():
        if word(bay.occupied) == word(bay.free):
            raise Unsupported(f"bay {clean(key, 40)}: the same value means occupied and free")
    return found


def _place(name: str, key: str, bay: Bay, silent_after_h: float) -> Place:
    shown = bay.name if isinstance(bay.name, Text) else Text(clean(bay.name))
    entity = Entity(
        id=entity_id(DOMAIN, f"{name}_{key}"),
        capability=Capability.PRESENCE,
        name=shown,
        device=clean(f"{name} {key}"),
        expire_after=round(silent_after_h * _HOUR),
    )
    return Place(entity, bay)


def news(bays: tuple[Place, ...], memory: Memory, items: Iterable[Point | Status], now: int) -> News:
    """Return what is new in ``items``; ``now`` in milliseconds since 1970."""
    found = News()

    def newest(device: str, stream: str) -> int:
        return found.seen.get((device, stream), memory.newest(device, stream))

    for item in items:
        mine = [place for place in bays if str(place.bay.dev_id) == item.device]
        if isinstance(item, Point):
            stream, said = item.stream, _point(mine, item, went_offline=newest(item.device, OFFLINE))
        else:
            stream, said = OFFLINE, _status(mine, item)
        if said and item.at > newest(item.device, stream):
            found.said.extend(said)
            if item.at <= now + _FUTURE:
                found.seen[item.device, stream] = item.at
    return found


def _point(mine: list[Place], point: Point, went_offline: int) -> list[Sample | Vitals]:
    at = Instant(point.at * 1000)
    # a value that was sent again after its device went offline is known, but not confirmed
    quality = Quality.STALE if point.at < went_offline else Quality.GOOD
    said: list[Sample | Vitals] = [
        place.sample(point, at, quality) for place in mine if place.bay.ds_id == point.stream
    ]
    percent = _percent(point.value)
    if percent is not None:
        said += [Vitals(place.entity.device, battery=percent) for place in mine if place.bay.battery == point.stream]
    return said


def _percent(value: object) -> float | None:
    try:
        found = float(word(value) or "")
    except ValueError:
        return None
    return found if 0 <= found <= 100 else None


def _status(mine: list[Place], status: Status) -> list[Sample | Vitals]:
    """Offline: not confirmed any more. Online says nothing: what happened meanwhile is only known from a value."""
    return [] if status.online else [Sample(place.entity.id, None, Quality.STALE) for place in mine]
