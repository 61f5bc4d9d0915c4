"""The platform as its guide describes it: a token, the chosen security settings, 100 messages a minute and 5 a second.

It works out the signature for itself, byte by byte as RFC 2104 says, not with our function.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN, SECRET = "1c2d3e4f-aaaa-bbbb-cccc-0123456789ab", "fEiShU+/=密"


@dataclass
class Platform:
    """The platform's side of one group."""

    secret: str = SECRET
    """Empty: the robot is not secured by a signature."""
    keyword: str = ""
    hours_ahead: float = 0.0
    """How far the platform's clock is ahead of ours."""
    hear: Callable[[str], None] = lambda _: None
    """Called with each text that it takes."""
    taken: list[str] = field(default_factory=list)
    """Texts in the group."""
    _times: list[float] = field(default_factory=list)

    def app(self) -> web.Application:
        """Return its one route, as an application."""
        app = web.Application()
        app.add_routes(self.routes())
        return app

    def routes(self) -> list[web.RouteDef]:
        """Return its one route."""
        return [web.post("/open-apis/bot/v2/hook/{token}", self._send)]

    async def _send(self, request: web.Request) -> web.Response:
        code, said = self._judge(request, await request.json())
        return web.json_response({"code": code, "msg": said, "data": {}})

    def _judge(self, request: web.Request, body: Any) -> tuple[int, str]:
        now = asyncio.get_running_loop().time()
        if request.match_info["token"] != TOKEN:
            return 19001, f"param invalid: incoming webhook access token invalid: {request.path}"
        if request.content_type != "application/json" or body.get("msg_type") != "text":
            return 9499, "Bad Request"
        if self.secret and not self._is_signed(body.get("timestamp"), body.get("sign")):
            return 19021, "sign match fail or timestamp is not within one hour from current time"
        if self.keyword not in body["content"]["text"]:
            return 19024, "Key Words Not Found"
        if sum(at > now - 1 for at in self._times) >= 5 or sum(at > now - 60 for at in self._times) >= 100:
            return 11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"
        self._times.append(now)
        self.taken.append(body["content"]["text"])
        self.hear(body["content"]["text"])
        return 0, "success"

    def _is_signed(self, stamp: object, sign: object) -> bool:
        if not isinstance(stamp, str) or len(stamp) != 10:
            return False
        if abs(time.time() + self.hours_ahead * 3600 - int(stamp)) > 3600:
            return False
        key = f"{stamp}\n{self.secret}".encode().ljust(64, b"\0")
        inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key)).digest()
        outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).digest()
        return sign == base64.b64encode(outer).decode()
