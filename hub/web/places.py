"""The community, its areas and zones: a person names the places, and what hangs on what."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from aiohttp import web

from hub.model.site import Role, ZoneKind
from hub.model.text import Text
from hub.runtime.troubles import PARTS, entity
from hub.web.audit import audit
from hub.web.context import CONTEXT
from hub.web.devices import edit
from hub.web.handlers import answer, body
from hub.web.routing import Route, UserRole
from hub.web.schema import Page

_Id = Annotated[str, msgspec.Meta(max_length=64)]


class AreaOut(msgspec.Struct, frozen=True):
    """A place in the tree: building, unit, gate, garage."""

    id: str
    name: Text
    parent: str | None


class AreaIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an area is called and where it lies."""

    name: Text
    parent: _Id | None = None


class SiteNameIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the community is called."""

    name: Text


class ZoneIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a zone is for, what it is called, where it lies, and on what its devices hang."""

    kind: ZoneKind
    name: Text
    area: _Id | None = None
    supplied_by: Annotated[tuple[_Id, ...], msgspec.Meta(max_length=8)] = ()


async def name_site(request: web.Request) -> web.Response:
    """Write the name of the community into hub.yaml."""
    context = request.app[CONTEXT]
    wanted: SiteNameIn = await body(request, SiteNameIn)
    await edit(lambda: context.editor.name_site(_words(wanted.name)))
    await audit(request, msgspec.to_builtins(wanted))
    return web.Response(status=204)


async def watch_hub(request: web.Request) -> web.Response:
    """Write a zone for each part of the hub itself that no zone is bound to, so that a rule can watch it."""
    context = request.app[CONTEXT]
    bound = {name for zone in context.folder().settings.site.zones.values() for name in zone.bound(Role.ALARM)}
    zones = {
        f"hub_{cause}": {"kind": ZoneKind.HUB.value, "name": _words(part), "bind": {Role.ALARM.value: entity(cause)}}
        for cause, part in PARTS.items()
        if entity(cause) not in bound
    }
    await edit(lambda: context.editor.add_zones(zones))
    await audit(request, {"zones": list(zones)})
    return web.Response(status=204)


async def areas(request: web.Request) -> web.Response:
    """List the areas."""
    found = request.app[CONTEXT].folder().settings.site.areas.values()
    return answer(Page([AreaOut(area.id, area.name, area.parent) for area in found]))


async def put_area(request: web.Request) -> web.Response:
    """Write an area into hub.yaml, or change it."""
    context, name = request.app[CONTEXT], request.match_info["id"]
    wanted: AreaIn = await body(request, AreaIn)
    await edit(lambda: context.editor.put_area(name, _words(wanted.name), wanted.parent))
    await audit(request, msgspec.to_builtins(wanted), target=name)
    return web.Response(status=204)


async def remove_area(request: web.Request) -> web.Response:
    """Take an area out of hub.yaml; refused while a zone or an area lies in it."""
    context, name = request.app[CONTEXT], request.match_info["id"]
    await edit(lambda: context.editor.remove("areas", name))
    await audit(request, target=name)
    return web.Response(status=204)


async def put_zone(request: web.Request) -> web.Response:
    """Write a zone into hub.yaml, or change it; what is bound to it stays."""
    context, name = request.app[CONTEXT], request.match_info["id"]
    wanted: ZoneIn = await body(request, ZoneIn)
    values: dict[str, Any] = {"kind": wanted.kind.value, "name": _words(wanted.name)}
    if wanted.area is not None:
        values["area"] = wanted.area
    if wanted.supplied_by:
        values["supplied_by"] = list(wanted.supplied_by)
    await edit(lambda: context.editor.put_zone(name, values))
    await audit(request, msgspec.to_builtins(wanted), target=name)
    return web.Response(status=204)


async def remove_zone(request: web.Request) -> web.Response:
    """Take a zone out of hub.yaml; refused while a rule or a zone names it."""
    context, name = request.app[CONTEXT], request.match_info["id"]
    await edit(lambda: context.editor.remove("zones", name))
    await audit(request, target=name)
    return web.Response(status=204)


def _words(text: Text) -> dict[str, str]:
    return {"zh": text.zh, **({"en": text.en} if text.en else {})}


_VIEWER, _MANAGER = UserRole.VIEWER, UserRole.MANAGER
PLACES: tuple[Route, ...] = (
    Route("PUT", "/api/v1/site/name", "name_site", "Say what the community is called", _MANAGER, name_site,
          takes=SiteNameIn, status=204),
    Route("PUT", "/api/v1/site/hub", "watch_hub", "Give each part of the hub itself a zone", _MANAGER, watch_hub,
          status=204),
    Route("GET", "/api/v1/areas", "areas", "The areas of the community", _VIEWER, areas, returns=Page[AreaOut]),
    Route("PUT", "/api/v1/areas/{id}", "put_area", "Write an area, or change it", _MANAGER, put_area, takes=AreaIn,
          status=204),
    Route("DELETE", "/api/v1/areas/{id}", "remove_area", "Take an area away", _MANAGER, remove_area, status=204),
    Route("PUT", "/api/v1/zones/{id}", "put_zone", "Write a zone, or change it", _MANAGER, put_zone, takes=ZoneIn,
          status=204),
    Route("DELETE", "/api/v1/zones/{id}", "remove_zone", "Take a zone away", _MANAGER, remove_zone, status=204),
)  # fmt: skip
