"""SMS gateways of three kinds on loopback: JSON with a bearer token, a form with user and password, a query."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN = "tok-5f1d"  # noqa: S105 - of a simulated gateway


@dataclass
class Sms:
    """One gateway that is spoken to in three ways."""

    token: str = TOKEN
    hear: Callable[[str], None] = lambda _: None
    """Called with each text that it takes."""
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    """Phone, text and key of each message that was taken."""
    bad: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Phones that are answered otherwise, and how."""
    down: set[str] = field(default_factory=set)
    """Phones for which the gateway answers 503."""

    def app(self) -> web.Application:
        """Return its routes, as an application."""
        app = web.Application()
        app.add_routes(self.routes())
        return app

    def routes(self) -> list[web.RouteDef]:
        """Return its routes."""
        return [
            web.post("/json", self._json),
            web.put("/json", self._json),
            web.post("/form", self._form),
            web.get("/query", self._query),
            web.get("/basic", self._basic),
        ]

    async def _json(self, request: web.Request) -> web.Response:
        if request.headers.getall("Authorization", []) != [f"Bearer {self.token}"]:
            return web.Response(status=401)
        if request.headers.getall("Content-Type", []) != ["application/json"]:
            return web.Response(status=415)
        body = await request.json()
        return self._take(body["to"][0]["mobile"], body["message"], request.headers["Idempotency-Key"])

    async def _form(self, request: web.Request) -> web.Response:
        if request.content_type != "application/x-www-form-urlencoded":
            return web.Response(status=415)
        form = dict(await request.post())
        if set(form) != {"account", "pwd", "mobile", "content", "uid"} or form["pwd"] != self.token:
            return web.json_response({"code": 107, "msg": f"bad password {form}"})
        return self._take(str(form["mobile"]), str(form["content"]), str(form["uid"]))

    async def _query(self, request: web.Request) -> web.Response:
        if set(request.query) != {"v", "m", "c"} or request.query["v"] != "2 a&b":
            return web.json_response({"code": 1})
        return self._take(request.query["m"], request.query["c"], request.headers["Idempotency-Key"])

    async def _basic(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Basic " + base64.b64encode(f"wuye:{self.token}".encode()).decode():
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="sms"'})
        return self._take(request.query["m"], request.query["c"], request.headers["Idempotency-Key"])

    def _take(self, phone: str, text: str, key: str) -> web.Response:
        if phone in self.down:
            return web.Response(status=503)
        if phone in self.bad:
            return web.json_response(self.bad[phone])
        self.sent.append((phone, text, key))
        self.hear(text)
        return web.json_response({"code": 0, "data": {"result": "OK"}, "sent": True})
