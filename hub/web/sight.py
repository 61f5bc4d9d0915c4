"""What the cameras that see have before them: state, health, and the picture with what is seen drawn into it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from aiohttp import web

from hub.config.sights import CORNERS, FLOORS, POINTS
from hub.model.errors import DeviceError
from hub.model.ids import EntityId, ZoneId
from hub.model.site import Decode, Sees
from hub.model.text import Text, clean
from hub.model.time import SECOND, Instant, isoformat
from hub.sdk import Camera
from hub.web.audit import USER, audit
from hub.web.context import CONTEXT
from hub.web.devices import edit
from hub.web.errors import Refusal
from hub.web.handlers import answer, body
from hub.web.onlookers import ONLOOKERS
from hub.web.routing import Route, UserRole
from hub.web.schema import Page

#: Part of a picture's side, and the number of a floor.
_Part = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Floor = Annotated[int, msgspec.Meta(ge=FLOORS[0], le=FLOORS[1])]
#: Decimals kept of a place: a fifth of a pixel of 1920.
DECIMALS = 4


class SeenOut(msgspec.Struct, frozen=True):
    """A place that a camera watches. Corners and boxes are parts of its picture, from 0 (left, top) to 1.

    ``state`` is ``present``, ``absent`` or ``unsure``; empty where it was not judged yet, and for what is no lane.
    """

    zone: ZoneId
    name: Text
    sees: Sees
    entity: EntityId | None
    polygon: tuple[tuple[float, float], ...]
    floors: tuple[tuple[float, float, int], ...]
    state: str = ""
    since: str | None = None
    confidence: float = 0.0
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    """Left, top, right, bottom of what stands there."""
    decode: Decode | None = None
    """Which pictures are decoded, where somebody has said so."""


class SightIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where in its picture a camera looks: a lane has a polygon, a facade floor lines (or none)."""

    polygon: Annotated[tuple[tuple[_Part, _Part], ...], msgspec.Meta(max_length=CORNERS[1])] = ()
    floors: Annotated[tuple[tuple[_Part, _Part, _Floor], ...], msgspec.Meta(max_length=POINTS[1])] = ()
    """Points on the line where a floor begins: across, down, number of the floor (the ground floor is 1)."""
    decode: Decode | None = None
    """Which pictures are decoded; null leaves it as it is."""


class SightOut(msgspec.Struct, frozen=True):
    """A camera that sees. ``link`` is ``off`` while it is not watched; ``picture`` is what is wrong with it."""

    camera: EntityId
    link: str
    reason: str
    picture: str
    fps: float
    lag_s: float
    decoded: int
    skipped: int
    """Pictures that were not looked at, as there was no time."""
    garbage: int
    ring_bytes: int
    seen: list[SeenOut]
    usual_fps: float = 0.0
    """Pictures a second that used to come, where there have been too few for some time; else 0."""
    ahead_s: float | None = None
    """Seconds that the camera's clock is ahead of the hub's, where it is wrong; else null."""
    model: str = ""
    """The model that looks at its pictures; a lane or a lift car without one would gain by it."""
    width: int = 0
    height: int = 0
    """Pixels of its last picture; 0 while there is none."""
    trouble: Text | None = None
    """What is not right with it, in words; null where nothing is known to be."""
    dropped: int = 0
    """Records of what passed that were not kept, as there was no time: those cannot be found again."""


async def sight(request: web.Request) -> web.Response:
    """List the cameras that see, with what each sees now."""
    context = request.app[CONTEXT]
    cameras: dict[EntityId, list[SeenOut]] = {}
    manager = context.eyes.manager
    health, lanes = ({}, {}) if manager is None else (manager.health, manager.lanes)
    for zone in context.folder().settings.site.zones.values():
        for one in zone.see:
            shown = SeenOut(zone.id, zone.name, one.sees, one.entity, one.polygon, one.floors, decode=one.decode)
            now = None if one.entity is None else lanes.get(one.entity)
            if now is not None:
                since = isoformat(Instant(round(now.since * SECOND))) if now.since else None
                shown = msgspec.structs.replace(
                    shown,
                    state=str(now.presence or ""),
                    since=since,
                    confidence=round(now.confidence, 2),
                    boxes=now.boxes,
                )
            cameras.setdefault(one.camera, []).append(shown)
    found = []
    for camera, seen in cameras.items():
        known = health.get(camera)
        found.append(
            SightOut(camera, "off", "", "", 0.0, 0.0, 0, 0, 0, 0, seen)
            if known is None
            else SightOut(
                camera,
                str(known.link),
                known.reason,
                str(known.picture or ""),
                known.fps,
                round(known.lag_s, 2),
                known.decoded,
                known.skipped,
                known.garbage,
                known.ring_bytes,
                seen,
                known.usual_fps,
                None if known.ahead_s is None else round(known.ahead_s),
                "" if manager is None else manager.model(camera),
                known.width,
                known.height,
                None if manager is None else manager.trouble.get(camera),
                0 if manager is None else manager.dropped[camera],
            )
        )
    return answer(Page(found))


async def sight_picture(request: web.Request) -> web.Response:
    """Show the last picture with what is seen in it. Who may only look on gets a small one without number plates.

    A camera that is not watched yet is asked for a picture, so that its places can be drawn.
    """
    context, user = request.app[CONTEXT], request[USER]
    camera = EntityId(request.match_info["entity"])
    public = user.role < UserRole.GUARD or request.query.get("public") == "1"
    plain = request.query.get("plain") == "1"
    driver = context.registry.driver(camera)
    try:
        if context.eyes.manager is not None and context.eyes.watched(camera):
            jpeg, media = await context.eyes.manager.picture(camera, public=public, plain=plain), "image/jpeg"
        elif isinstance(driver, Camera) and not public:  # nobody hides the plates in what the camera itself sends
            picture = await driver.snapshot()
            jpeg, media = picture.data, picture.media_type
        else:
            raise Refusal(404, "not_found", "no camera of that name is watched")
    except DeviceError as error:
        raise Refusal(502, "device", clean(error.reason, 160)) from None
    if not public and request.app[ONLOOKERS].begins(user.name, camera, context.clock.now()):
        await audit(request, target=camera)
    return web.Response(body=jpeg, content_type=media, headers={"Cache-Control": "no-store"})


class CardOut(msgspec.Struct, frozen=True):
    """Whether a camera sees the test card that somebody holds before it: then it is live, and the one that is meant."""

    at: str
    """When the picture was taken: one from before the card was held up proves nothing."""
    seen: bool
    box: tuple[float, float, float, float] | None
    """Left, top, right, bottom in parts of the picture."""


async def sight_card(request: web.Request) -> web.Response:
    """Look for the test card in the last picture."""
    manager, camera = request.app[CONTEXT].eyes.manager, EntityId(request.match_info["entity"])
    if manager is None or not manager.watched(camera):
        raise Refusal(404, "not_found", "no camera of that name is watched")
    try:
        found = await manager.prove(camera)
    except DeviceError as error:
        raise Refusal(502, "device", clean(error.reason, 160)) from None
    box = None if found.box is None else tuple(round(part, DECIMALS) for part in found.box)
    return answer(CardOut(isoformat(Instant(round(found.at * SECOND))), box is not None, box))  # type: ignore[arg-type]


async def put_sight(request: web.Request) -> web.Response:
    """Have a camera look for something in a zone, or change where; written into hub.yaml."""
    wanted: SightIn = await body(request, SightIn)
    values: dict[str, Any] = {
        key: [list(point) for point in points]
        for key, points in (
            ("polygon", [(round(x, DECIMALS), round(y, DECIMALS)) for x, y in wanted.polygon]),
            ("floors", [(round(x, DECIMALS), round(y, DECIMALS), floor) for x, y, floor in wanted.floors]),
        )
        if points
    }
    if wanted.decode is not None:
        values["decode"] = wanted.decode.value
    _must_fit(wanted.floors)
    return await _written(request, values)


async def remove_sight(request: web.Request) -> web.Response:
    """Have a camera look no more."""
    return await _written(request, None)


async def _written(request: web.Request, values: dict[str, Any] | None) -> web.Response:
    context, zone, camera = request.app[CONTEXT], request.match_info["zone"], request.match_info["entity"]
    try:
        sees = Sees(request.match_info["sees"])
    except ValueError:
        raise Refusal(404, "not_found", "a camera sees `lane`, `falling` or `health`") from None
    await edit(lambda: context.editor.see(zone, camera, sees, values))
    await audit(request, {"camera": camera, "as": sees.value, **(values or {})}, target=zone)
    return web.Response(status=204)


def _must_fit(floors: tuple[tuple[float, float, int], ...]) -> None:
    """Refuse floor lines that contradict each other. Without numpy nothing is watched, and nothing tried."""
    if not floors:
        return
    try:
        from hub.vision.falling.calibration import CalibrationError, Click, calibrate
    except ImportError:
        return
    try:
        calibrate(tuple(Click(*floor) for floor in floors))
    except CalibrationError as error:
        raise Refusal(422, "floors", str(error)) from None


_ONE = "/api/v1/zones/{zone}/sight/{entity}/{sees}"
SIGHT: tuple[Route, ...] = (
    Route("GET", "/api/v1/sight", "sight", "Cameras that see, and what each sees now", UserRole.VIEWER, sight,
          returns=Page[SightOut]),
    Route("PUT", _ONE, "put_sight", "Have a camera look for something in a zone, or change where", UserRole.MANAGER,
          put_sight, takes=SightIn, status=204),
    Route("DELETE", _ONE, "remove_sight", "Have a camera look no more", UserRole.MANAGER, remove_sight, status=204),
    Route("GET", "/api/v1/sight/{entity}/picture", "sight_picture", "Its last picture, with lanes, boxes and time",
          UserRole.VIEWER, sight_picture, media="image/jpeg",
          query=(("plain", "1: with nothing drawn into it but the time"),
                 ("public", "1: small and without number plates, as it is for viewers"))),
    Route("GET", "/api/v1/sight/{entity}/card", "sight_card", "Whether it sees the test card held before it",
          UserRole.GUARD, sight_card, returns=CardOut),
)  # fmt: skip
