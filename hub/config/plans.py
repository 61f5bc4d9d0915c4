"""`plans` of hub.yaml: pictures of the site, and where on them its zones and devices are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from hub.config.picture import MEDIA
from hub.model.document import Mapping, Node
from hub.model.ids import ENTITY, EntityId, ZoneId
from hub.model.reader import Reader, suggest
from hub.model.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection

#: The folder of pictures beside hub.yaml.
PLANS = "plans"
#: Corners of one polygon.
FEWEST, MOST_CORNERS = 3, 40

_IMAGE = re.compile(rf"{PLANS}/[a-z][a-z0-9_]{{0,63}}\.({'|'.join(MEDIA)})\Z")

#: A place on a picture: parts of its width from the left and of its height from the top, each from 0 to 1.
Point = tuple[float, float]


class Plan(msgspec.Struct, frozen=True):
    """A picture of the site. ``image`` is its file, relative to the site folder."""

    id: str
    name: Text
    image: str
    zones: dict[ZoneId, tuple[Point, ...]] = {}
    devices: dict[EntityId, Point] = {}
    """Where entities are. One that is not there at present keeps its place."""


def read_plans(reader: Reader, node: Node | None, zones: Collection[str]) -> dict[str, Plan]:
    """Read ``plans``; each plan with findings is left out."""
    plans = ((name, _plan(reader, name, value, zones)) for name, _, value in reader.entries(node, "`plans`"))
    return {name: plan for name, plan in plans if plan is not None}


def _plan(reader: Reader, name: str, node: Node, zones: Collection[str]) -> Plan | None:
    fields = reader.mapping(node, "a plan", required=("name", "image"), optional=("zones", "devices"))
    if fields is None:
        return None
    words, image = reader.words(fields.get("name"), "`name`", 60), reader.text(fields.get("image"), "`image`", 80)
    if image is not None and not _IMAGE.match(image):
        reader.report(fields.get("image") or node, f"`image` must be a file like `{PLANS}/main.png` (png, jpg or webp)")
    shapes, spots = _shapes(reader, fields.get("zones"), zones), _spots(reader, fields.get("devices"))
    return None if words is None or image is None else Plan(name, words, image, shapes, spots)


def _shapes(reader: Reader, node: Node | None, zones: Collection[str]) -> dict[ZoneId, tuple[Point, ...]]:
    found = {}
    for name, key, value in reader.entries(node, "`zones` of a plan"):
        if name not in zones:
            reader.report(key, f"no zone `{name}`{suggest(name, zones)}")
        corners = reader.sequence(value, "a polygon")
        if not FEWEST <= len(corners) <= MOST_CORNERS:
            reader.report(value, f"a polygon has {FEWEST} to {MOST_CORNERS} corners, this has {len(corners)}")
        points = [_point(reader, corner) for corner in corners]
        found[ZoneId(name)] = tuple(point for point in points if point is not None)
    return found


def _spots(reader: Reader, node: Node | None) -> dict[EntityId, Point]:
    fields = reader.mapping(node, "`devices` of a plan")
    found = {}
    for key, value in fields.items if isinstance(fields, Mapping) else ():
        if not ENTITY.match(key.text):
            reader.report(key, f"`{key.text}` is no entity: write `integration.object`, lower case")
        point = _point(reader, value)
        if point is not None:
            found[EntityId(key.text)] = point
    return found


def _point(reader: Reader, node: Node) -> Point | None:
    """Read ``[x, y]``."""
    parts = reader.sequence(node, "a place on a plan")
    if len(parts) != 2:
        reader.report(node, "a place on a plan is `[x, y]`, parts of the picture's width and height like `[0.25, 0.6]`")
        return None
    numbers = [reader.number(part, "a place on a plan") for part in parts]
    for part, number in zip(parts, numbers, strict=True):
        if number is not None and not 0 <= number <= 1:
            reader.report(part, f"a place on a plan lies between 0 and 1, not at {number:g}")
    x, y = numbers
    return None if x is None or y is None else (x, y)
