"""The hand on a simulated device: ``PUT /scene`` with the truth that its sensor shall see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from integrations.sim.web import Handler, json_body


def scene_routes(field: str, change: Callable[[bool], None], show: Callable[[], dict[str, Any]]) -> list[web.RouteDef]:
    """Return GET and PUT of ``/scene``; a PUT takes exactly ``{field: true or false}``."""
    return scenes_routes({field: change}, show)


def scenes_routes(
    changes: Mapping[str, Callable[[bool], None]], show: Callable[[], dict[str, Any]]
) -> list[web.RouteDef]:
    """Return the same for a device that sees several things; a PUT takes exactly one of them."""
    example = " or ".join(f'{{"{field}": true}}' for field in changes)

    async def get(_: web.Request) -> web.StreamResponse:
        return web.json_response(show())

    async def put(request: web.Request) -> web.StreamResponse:
        body = await json_body(request)
        field, value = next(iter(body.items()), ("", None))
        if len(body) != 1 or field not in changes or not isinstance(value, bool):
            raise web.HTTPBadRequest(text=f"expected {example} (or false)\n")
        changes[field](value)
        return web.json_response(show())

    getter: Handler = get
    putter: Handler = put
    return [web.get("/scene", getter), web.put("/scene", putter)]
