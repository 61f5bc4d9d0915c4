"""WeCom as its document 91770 describes it: one robot with a key, 20 messages a minute, texts up to 2,048 bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from aiohttp import web

from integrations.sim.group_robot import GroupRobot

KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"


@dataclass
class Platform(GroupRobot):
    """The robot's side of one group."""

    PATH: ClassVar = "/cgi-bin/webhook/send"

    def _judge(self, request: web.Request, body: Any) -> tuple[int, str]:
        if request.query.get("key") != KEY:
            return 93000, f"invalid webhook url, hint: [{request.query_string}]"
        if request.content_type != "application/json" or body.get("msgtype") != "text":
            return 40008, "invalid message type"
        if not body["text"]["content"] or set(body["text"]) != {"content"}:
            return 44004, "empty content"
        if len(body["text"]["content"].encode()) > 2048:
            return 40058, "text.content exceed max length 2048"
        if self._too_fast((60, 20)):
            return 45009, "api freq out of limit"
        self._take(body["text"]["content"])
        return 0, "ok"
