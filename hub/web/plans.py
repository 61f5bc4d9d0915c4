"""Plans: pictures of the site, and where a person says that its zones and devices are."""

from __future__ import annotations

from typing import Annotated

import msgspec
from aiohttp import web

from hub.config.picture import LARGEST, MEDIA
from hub.config.plans import FEWEST, MOST_CORNERS, Plan, Point
from hub.model.ids import EntityId, ZoneId
from hub.model.text import Text, clean
from hub.web.audit import audit
from hub.web.context import CONTEXT
from hub.web.devices import edit
from hub.web.errors import Refusal
from hub.web.handlers import answer, upload
from hub.web.handlers import body as read_body
from hub.web.routing import Route, UserRole
from hub.web.schema import Page

#: Part of a picture's side, from 0 (left, top) to 1.
_Part = Annotated[float, msgspec.Meta(ge=0, le=1)]
#: Decimals kept of a place: 0.8 pixels of the longest side.
_DECIMALS = 4
#: Name of a plan whose picture comes without one.
_UNNAMED = {"zh": "小区平面图", "en": "Site plan"}


class PlanOut(msgspec.Struct, frozen=True):
    """A plan. Places are ``[x, y]``, parts of the picture's width and height from its upper left corner."""

    id: str
    name: Text
    zones: dict[ZoneId, tuple[Point, ...]]
    devices: dict[EntityId, Point]


class ShapeIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The corners of a zone on a plan, in their order."""

    polygon: Annotated[tuple[tuple[_Part, _Part], ...], msgspec.Meta(min_length=FEWEST, max_length=MOST_CORNERS)]


class SpotIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a device is on a plan."""

    x: _Part
    y: _Part


async def plans(request: web.Request) -> web.Response:
    """List the plans."""
    found = request.app[CONTEXT].folder().settings.plans.values()
    return answer(Page([PlanOut(one.id, one.name, one.zones, one.devices) for one in found]))


async def picture(request: web.Request) -> web.StreamResponse:
    """Send the picture of a plan."""
    context, plan = request.app[CONTEXT], _plan(request)
    path = context.editor.folder / plan.image  # checked when hub.yaml was read: plans/<name>.<ending>
    if not path.is_file() or path.is_symlink():
        raise Refusal(404, "not_found", "the picture of this plan is not in the site folder")
    media = MEDIA[path.suffix.removeprefix(".")]
    headers = {"Content-Type": media, "Content-Disposition": "inline", "Cache-Control": "private, no-cache"}
    return web.FileResponse(path, headers=headers)


async def put_picture(request: web.Request) -> web.Response:
    """Take the picture of a plan, which is made when it is not there; what was placed on it stays."""
    context, name = request.app[CONTEXT], request.match_info["id"]
    given = clean(request.query.get("name", ""), 60).strip()
    shown = {"zh": given} if given else None if name in context.folder().settings.plans else _UNNAMED
    data = await upload(request, LARGEST)
    try:
        await edit(lambda: context.editor.put_picture(name, data, shown))
    except ValueError as error:
        raise Refusal(422, "picture", str(error)) from None
    await audit(request, {"bytes": len(data)}, target=name)
    return web.Response(status=204)


async def remove_plan(request: web.Request) -> web.Response:
    """Take a plan and its picture away."""
    context, name = request.app[CONTEXT], request.match_info["id"]
    await edit(lambda: context.editor.remove_plan(name))
    await audit(request, target=name)
    return web.Response(status=204)


async def draw_zone(request: web.Request) -> web.Response:
    """Draw a zone on a plan, or draw it anew."""
    wanted: ShapeIn = await read_body(request, ShapeIn)
    return await _drawn(request, tuple(_rounded(*corner) for corner in wanted.polygon))


async def erase_zone(request: web.Request) -> web.Response:
    """Take a zone off a plan."""
    return await _drawn(request, None)


async def place_device(request: web.Request) -> web.Response:
    """Place a device on a plan, or move it."""
    wanted: SpotIn = await read_body(request, SpotIn)
    return await _placed(request, _rounded(wanted.x, wanted.y))


async def lift_device(request: web.Request) -> web.Response:
    """Take a device off a plan."""
    return await _placed(request, None)


async def _drawn(request: web.Request, corners: tuple[Point, ...] | None) -> web.Response:
    context, plan, zone = request.app[CONTEXT], request.match_info["id"], request.match_info["zone"]
    await edit(lambda: context.editor.draw(plan, zone, corners))
    await audit(request, {"plan": plan}, target=zone)
    return web.Response(status=204)


async def _placed(request: web.Request, spot: Point | None) -> web.Response:
    context, plan, entity = request.app[CONTEXT], request.match_info["id"], request.match_info["entity"]
    await edit(lambda: context.editor.place(plan, entity, spot))
    await audit(request, {"plan": plan}, target=entity)
    return web.Response(status=204)


def _rounded(x: float, y: float) -> Point:
    return round(x, _DECIMALS), round(y, _DECIMALS)


def _plan(request: web.Request) -> Plan:
    plan = request.app[CONTEXT].folder().settings.plans.get(request.match_info["id"])
    if plan is None:
        raise Refusal(404, "not_found", "no such plan")
    return plan


_VIEWER, _MANAGER = UserRole.VIEWER, UserRole.MANAGER
_ONE = "/api/v1/plans/{id}"
PLANS: tuple[Route, ...] = (
    Route("GET", "/api/v1/plans", "plans", "Plans of the site, and what is where on them", _VIEWER, plans,
          returns=Page[PlanOut]),
    Route("GET", f"{_ONE}/picture", "plan_picture", "The picture of a plan", _VIEWER, picture,
          media="image/*"),
    Route("PUT", f"{_ONE}/picture", "put_plan", "Give a plan its picture (the body: PNG, JPEG or WebP, at most 8 MiB)",
          _MANAGER, put_picture, status=204, query=(("name", "of the plan, at most 60 characters"),)),
    Route("DELETE", _ONE, "remove_plan", "Take a plan away", _MANAGER, remove_plan, status=204),
    Route("PUT", f"{_ONE}/zones/{{zone}}", "draw_zone", "Draw a zone on a plan", _MANAGER, draw_zone, takes=ShapeIn,
          status=204),
    Route("DELETE", f"{_ONE}/zones/{{zone}}", "erase_zone", "Take a zone off a plan", _MANAGER, erase_zone, status=204),
    Route("PUT", f"{_ONE}/devices/{{entity}}", "place_device", "Place a device on a plan", _MANAGER, place_device,
          takes=SpotIn, status=204),
    Route("DELETE", f"{_ONE}/devices/{{entity}}", "lift_device", "Take a device off a plan", _MANAGER, lift_device,
          status=204),
)  # fmt: skip
