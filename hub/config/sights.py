"""``see`` of a zone in hub.yaml: which cameras watch it, for what, and where in their pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.model.document import Node, Sequence
from hub.model.ids import ENTITY, EntityId, ZoneId
from hub.model.site import SEEN_AS, Decode, Role, Sees, Sight, ZoneKind, word_of

if TYPE_CHECKING:
    from hub.model.reader import Reader

#: The integration whose name the entities of cameras that see begin with.
DOMAIN = "vision"
#: Fewest and most corners of a lane; fewest and most points of floors (hub.vision.falling.calibration).
CORNERS, POINTS = (3, 64), (4, 400)
#: What is looked for inside a polygon, and what that is called.
OUTLINED = {Sees.LANE: "a lane", Sees.LIFT: "a lift car"}
#: Lowest and highest floor.
FLOORS = (-5, 150)


def read_sights(reader: Reader, node: Node | None, zone: str) -> tuple[Sight, ...]:
    """Read one camera or a list of them; what has findings is left out."""
    sights: list[Sight] = []
    for item in one_or_several(node):
        sight = _sight(reader, item)
        if sight is not None:
            sights.append(_named(sight, zone, sights))
    return tuple(sights)


def bound_to(bind: dict[Role, tuple[EntityId, ...]], see: tuple[Sight, ...]) -> dict[Role, tuple[EntityId, ...]]:
    """Bind a zone to what its cameras see, after what is bound already: nobody has to write it twice."""
    bound = dict(bind)
    for sight in see:
        if sight.entity is not None:
            role = SEEN_AS[sight.sees]
            there = bound.get(role, ())
            bound[role] = there if sight.entity in there else (*there, sight.entity)
    return bound


def heard_by(bind: dict[Role, tuple[EntityId, ...]], kind: ZoneKind, zone: ZoneId) -> dict[Role, tuple[EntityId, ...]]:
    """Bind a facade to the word of who reviews at the desk what fell, after any button: nobody has to write it."""
    there, word = bind.get(Role.REVIEW, ()), word_of(zone)
    return bind if kind is not ZoneKind.FACADE or word in there else bind | {Role.REVIEW: (*there, word)}


def one_or_several(node: Node | None) -> tuple[Node, ...]:
    """Return the items of a list, or the one that stands in its place."""
    if node is None:
        return ()
    return node.items if isinstance(node, Sequence) else (node,)


def _named(sight: Sight, zone: str, before: list[Sight]) -> Sight:
    role = SEEN_AS.get(sight.sees)
    if role is None:
        return sight
    number = sum(other.sees is sight.sees for other in before) + 1
    entity = EntityId(f"{DOMAIN}.{zone}_{role}" if number == 1 else f"{DOMAIN}.{zone}_{role}_{number}")
    return msgspec.structs.replace(sight, entity=entity)


def _sight(reader: Reader, node: Node) -> Sight | None:
    before = len(reader.findings)
    fields = reader.mapping(node, "`see`", required=("camera", "as"), optional=("polygon", "floors", "decode"))
    if fields is None:
        return None
    camera = reader.text(fields.get("camera"), "`camera`", 161)
    if camera is not None and not ENTITY.match(camera):
        reader.report(fields.get("camera") or node, f"`{camera}` is no entity: write `integration.object`, lower case")
    sees = reader.word(fields.get("as"), "what a camera looks for", Sees)
    outline, lines = fields.get("polygon"), fields.get("floors")
    polygon = tuple((x, y) for x, y, _ in _points(reader, outline, "`polygon`", "[0.2, 0.9]", 2))
    floors = tuple((x, y, int(number)) for x, y, number in _points(reader, lines, "`floors`", "[0.5, 0.8, 1]", 3))
    if sees in OUTLINED and len(reader.findings) == before and not CORNERS[0] <= len(polygon) <= CORNERS[1]:
        reader.report(outline or node, f"{OUTLINED[sees]} needs a `polygon` of {CORNERS[0]} to {CORNERS[1]} corners")
    if sees not in OUTLINED and outline is not None:
        reader.report(outline, f"`polygon` belongs to `as: {Sees.LANE}` and `as: {Sees.LIFT}`")
    if sees is not Sees.FALLING and lines is not None:
        reader.report(lines, f"`floors` belongs to `as: {Sees.FALLING}`")
    if floors and not POINTS[0] <= len(floors) <= POINTS[1]:
        reader.report(lines or node, f"`floors` needs {POINTS[0]} to {POINTS[1]} points, or none")
    how = fields.get("decode")
    decode = None if how is None else reader.word(how, "which pictures are decoded", Decode)
    if sees is Sees.FALLING and decode not in {None, Decode.FULL}:
        reader.report(how or node, f"what falls is seen in every picture or not at all: `decode: {Decode.FULL}`")
    if camera is None or sees is None or len(reader.findings) > before:
        return None
    return Sight(EntityId(camera), sees, None, polygon, floors, decode)


def _points(reader: Reader, node: Node | None, what: str, like: str, length: int) -> list[tuple[float, float, float]]:
    found = []
    for item in reader.sequence(node, what):
        parts = reader.sequence(item, "a point")
        numbers = [reader.number(part, "a part of a point") for part in parts]
        if len(numbers) != length or any(number is None for number in numbers):
            if all(number is not None for number in numbers):
                reader.report(item, f"a point of {what} is written like `{like}`")
            continue
        x, y, *rest = (number or 0.0 for number in numbers)
        floor = rest[0] if rest else 0.0
        if not (0 <= x <= 1 and 0 <= y <= 1):
            reader.report(item, "a place in a picture is between 0 (left, top) and 1")
        elif not FLOORS[0] <= floor <= FLOORS[1] or floor != int(floor):
            reader.report(item, f"a floor is a whole number from {FLOORS[0]} to {FLOORS[1]}")
        else:
            found.append((x, y, floor))
    return found
