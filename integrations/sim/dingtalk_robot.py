"""The platform as its documents describe it: a token, the chosen security settings, 20 messages a minute.

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

TOKEN, SECRET = "566cc69da782ec01e3", "SECdf5c7a2b+/=&?密"


@dataclass
class Platform(GroupRobot):
    """The platform's side of one group."""

    PATH: ClassVar = "/robot/send"

    secret: str = SECRET
    """Empty: the robot is not secured by a signature."""
    keyword: str = ""
    hours_ahead: float = 0.0
    """How far the platform's clock is ahead of ours."""

    def _judge(self, request: web.Request, body: Any) -> tuple[int, str]:
        if request.query.get("access_token") != TOKEN:
            return 300005, f"token is not exist: {request.query_string}"
        if why := self._insecure(request, body):
            return 310000, f"{why}, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]"
        if request.content_type != "application/json" or body.get("msgtype") != "text":
            return 400105, "unsupported message type"
        if self._too_fast((60, 20)):
            return 130101, "send too fast, exceed 20 times per minute"
        self._take(body["text"]["content"])
        return 0, "ok"

    def _insecure(self, request: web.Request, body: Any) -> str:
        stamp = request.query.get("timestamp", "")
        if self.secret and (len(stamp) != 13 or abs(time.time() + self.hours_ahead * 3600 - int(stamp) / 1000) > 3600):
            return "invalid timestamp"
        if self.secret and request.query.get("sign") != base64.b64encode(self._hmac(stamp)).decode():
            return "sign not match"
        return "" if self.keyword in body["text"]["content"] else "keywords not in content"

    def _hmac(self, stamp: str) -> bytes:
        key = self.secret.encode().ljust(64, b"\0")
        inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + f"{stamp}\n{self.secret}".encode()).digest()
        return hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).digest()
