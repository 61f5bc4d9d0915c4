"""The hand on a simulated device: ``PUT /scene`` with the truth that its sensor shall see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from integrations.sim.web import Handler, json_body


def scene_routes(field: str, change: Callable[[bool], None], show: Callable[[], dict[str, Any]]) -> list[web.RouteDef]:
    """Return GET and PUT of ``/scene``; a PUT takes exactly ``{field: true or false}``."""

    async def get(_: web.Request) -> web.StreamResponse:
        return web.json_response(show())

    async def put(request: web.Request) -> web.StreamResponse:
        body = await json_body(request)
        value = body.get(field)
        if set(body) != {field} or not isinstance(value, bool):
            raise web.HTTPBadRequest(text=f'expected {{"{field}": true}} or {{"{field}": false}}\n')
        change(value)
        return web.json_response(show())

    getter: Handler = get
    putter: Handler = put
    return [web.get("/scene", getter), web.put("/scene", putter)]
