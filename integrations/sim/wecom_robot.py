"""WeCom as its document 91770 describes it: one robot with a key, 20 messages a minute, texts up to 2,048 bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"


@dataclass
class Platform:
    """The robot's side of one group. ``hear`` is called with each text that it takes."""

    hear: Callable[[str], None] = lambda _: None
    taken: list[str] = field(default_factory=list)
    """Texts in the group."""
    _times: list[float] = field(default_factory=list)

    def routes(self) -> list[web.RouteDef]:
        """Return the one route."""
        return [web.post("/cgi-bin/webhook/send", self._send)]

    async def _send(self, request: web.Request) -> web.Response:
        code, said = self._judge(request, await request.json())
        return web.json_response({"errcode": code, "errmsg": said})

    def _judge(self, request: web.Request, body: Any) -> tuple[int, str]:
        now = asyncio.get_running_loop().time()
        if request.query.get("key") != KEY:
            return 93000, f"invalid webhook url, hint: [{request.query_string}]"
        if request.content_type != "application/json" or body.get("msgtype") != "text":
            return 40008, "invalid message type"
        if not body["text"]["content"] or set(body["text"]) != {"content"}:
            return 44004, "empty content"
        if len(body["text"]["content"].encode()) > 2048:
            return 40058, "text.content exceed max length 2048"
        self._times = [at for at in self._times if at > now - 60]
        if len(self._times) >= 20:
            return 45009, "api freq out of limit"
        self._times.append(now)
        self.taken.append(body["text"]["content"])
        self.hear(body["text"]["content"])
        return 0, "ok"
