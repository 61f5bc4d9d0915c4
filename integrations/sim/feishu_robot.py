"""The platform as its guide describes it: a token, the chosen security settings, 100 messages a minute and 5 a second.

It works out the signature for itself, byte by byte as RFC 2104 says, not with our function.
"""

from __future__ import annotations

import base64
import hashlib
import time
from dataclasses import dataclass
from typing import Any, ClassVar

from aiohttp import web

from integrations.sim.group_robot import GroupRobot

TOKEN, SECRET = "1c2d3e4f-aaaa-bbbb-cccc-0123456789ab", "fEiShU+/=密"


@dataclass
class Platform(GroupRobot):
    """The platform's side of one group."""

    PATH: ClassVar = "/open-apis/bot/v2/hook/{token}"
    SAYS: ClassVar = ("code", "msg")
    BESIDE: ClassVar = {"data": {}}

    secret: str = SECRET
    """Empty: the robot is not secured by a signature."""
    keyword: str = ""
    hours_ahead: float = 0.0
    """How far the platform's clock is ahead of ours."""

    def _judge(self, request: web.Request, body: Any) -> tuple[int, str]:
        if request.match_info["token"] != TOKEN:
            return 19001, f"param invalid: incoming webhook access token invalid: {request.path}"
        if request.content_type != "application/json" or body.get("msg_type") != "text":
            return 9499, "Bad Request"
        if self.secret and not self._is_signed(body.get("timestamp"), body.get("sign")):
            return 19021, "sign match fail or timestamp is not within one hour from current time"
        if self.keyword not in body["content"]["text"]:
            return 19024, "Key Words Not Found"
        if self._too_fast((1, 5), (60, 100)):
            return 11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"
        self._take(body["content"]["text"])
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
