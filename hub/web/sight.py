"""What the cameras that see have before them: state, health, and the picture with what is seen drawn into it."""

from __future__ import annotations

import msgspec
from aiohttp import web

from hub.model.errors import DeviceError
from hub.model.ids import EntityId, ZoneId
from hub.model.site import Sees
from hub.model.text import Text, clean
from hub.model.time import SECOND, Instant, isoformat
from hub.web.audit import USER
from hub.web.context import CONTEXT
from hub.web.errors import Refusal
from hub.web.handlers import answer
from hub.web.routing import Route, UserRole
from hub.web.schema import Page


class SeenOut(msgspec.Struct, frozen=True):
    """A place that a camera watches. Corners and boxes are parts of its picture, from 0 (left, top) to 1.

    ``state`` is ``present``, ``absent`` or ``unsure``; empty where it was not judged yet, and for what is no lane.
    """

    zone: ZoneId
    name: Text
    sees: Sees
    entity: EntityId | None
    polygon: tuple[tuple[float, float], ...]
    state: str = ""
    since: str | None = None
    confidence: float = 0.0
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    """Left, top, right, bottom of what stands there."""


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
    """Key frames that were not looked at, as there was no time."""
    garbage: int
    ring_bytes: int
    seen: list[SeenOut]


async def sight(request: web.Request) -> web.Response:
    """List the cameras that see, with what each sees now."""
    context = request.app[CONTEXT]
    cameras: dict[EntityId, list[SeenOut]] = {}
    manager = context.eyes.manager
    health, lanes = ({}, {}) if manager is None else (manager.health, manager.lanes)
    for zone in context.folder().settings.site.zones.values():
        for one in zone.see:
            shown = SeenOut(zone.id, zone.name, one.sees, one.entity, one.polygon)
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
            )
        )
    return answer(Page(found))


async def sight_picture(request: web.Request) -> web.Response:
    """Show the last picture with what is seen in it. Who may only look on gets a small one without number plates."""
    context, user = request.app[CONTEXT], request[USER]
    camera = EntityId(request.match_info["entity"])
    if not context.eyes.watched(camera) or context.eyes.manager is None:
        raise Refusal(404, "not_found", "no camera of that name is watched")
    public = user.role < UserRole.GUARD or request.query.get("public") == "1"
    try:
        jpeg = await context.eyes.manager.picture(camera, public=public)
    except DeviceError as error:
        raise Refusal(502, "device", clean(error.reason, 160)) from None
    return web.Response(body=jpeg, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


SIGHT: tuple[Route, ...] = (
    Route("GET", "/api/v1/sight", "sight", "Cameras that see, and what each sees now", UserRole.VIEWER, sight,
          returns=Page[SightOut]),
    Route("GET", "/api/v1/sight/{entity}/picture", "sight_picture", "Its last picture, with lanes, boxes and time",
          UserRole.VIEWER, sight_picture, media="image/jpeg",
          query=(("public", "1: small and without number plates, as it is for viewers"),)),
)  # fmt: skip
