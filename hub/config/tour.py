"""Facade tours in hub.yaml: at which hours of the day, and which pictures of which zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.config.sights import one_or_several
from hub.model.document import Mapping
from hub.model.ids import ENTITY, EntityId
from hub.model.site import Sees, Stop

if TYPE_CHECKING:
    from hub.model.document import Node
    from hub.model.reader import Reader
    from hub.model.site import Zone

#: Most hours in a day, most stops of a zone, most characters of a preset's name (ONVIF PTZ: a Name has 64).
HOURS, STOPS, PRESET = 8, 64, 64


class TourSettings(msgspec.Struct, frozen=True):
    """When tours are made by themselves; never where it is empty."""

    at: tuple[int, ...] = ()
    """Seconds after midnight on the site's clock."""


def read_tour(reader: Reader, node: Node | None) -> TourSettings:
    """Read the section ``tour``."""
    if node is None:
        return TourSettings()
    fields = reader.mapping(node, "`tour`", required=("at",))
    if fields is None:
        return TourSettings()
    times = [reader.time_of_day(item, "an hour of a tour") for item in one_or_several(fields.get("at"))]
    if not 1 <= len(times) <= HOURS:
        reader.report(fields, f"`at` names 1 to {HOURS} hours of the day, like `10:00`")
    return TourSettings(tuple(sorted({time for time in times if time is not None})))


def read_stops(reader: Reader, node: Node | None) -> tuple[Stop, ...]:
    """Read ``tour`` of a zone: one stop or a list of them; what has findings is left out."""
    items = one_or_several(node)
    if node is not None and len(items) > STOPS:
        reader.report(node, f"a tour of one zone has at most {STOPS} stops")
    found = dict.fromkeys(stop for item in items[:STOPS] if (stop := _stop(reader, item)) is not None)
    return tuple(found)


def check_turning(reader: Reader, node: Node | None, zones: dict[str, Zone]) -> None:
    """Report cameras that a tour would turn away from what they watch."""
    watching = {
        sight.camera: name for name, zone in zones.items() for sight in zone.see if sight.sees is not Sees.HEALTH
    }
    for key, value in node.items if isinstance(node, Mapping) else ():
        zone = zones.get(key.text)
        for stop in () if zone is None else zone.tour:
            if stop.preset and stop.camera in watching:
                sentence = f"`{stop.camera}` watches `{watching[stop.camera]}`: a tour must not turn it away"
                reader.report(value.get("tour") if isinstance(value, Mapping) else value, sentence)  # type: ignore[arg-type]


def _stop(reader: Reader, node: Node) -> Stop | None:
    before = len(reader.findings)
    fields = reader.mapping(node, "a stop of a tour", required=("camera",), optional=("preset",))
    if fields is None:
        return None
    camera = reader.text(fields.get("camera"), "`camera`", 161)
    if camera is not None and not ENTITY.match(camera):
        reader.report(fields.get("camera") or node, f"`{camera}` is no entity: write `integration.object`, lower case")
    preset = reader.text(fields.get("preset"), "`preset`", PRESET) or ""
    return None if camera is None or len(reader.findings) > before else Stop(EntityId(camera), preset)
