"""Who speaks HTTP to a device: the configuration that leads each to the liar, and all that it then tries."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from hub.config import integrations
from hub.model.document import Mapping as Node
from hub.model.errors import DeviceError
from hub.sdk import Camera, Clip, CommandKey, Connection, Notice, Notifier, Sample, Speaker, Text, Tools, Vitals

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

#: No name and no password may leave by a sentence on the page.
PASSWORD = "opensesame"
_LOGIN = {"user": "menshen", "password": PASSWORD}
#: By domain, and what else there is to it. ``{server}`` is where the liar listens.
GUESTS: dict[str, dict[str, Any]] = {
    "axis_speaker": {"name": "甲", "url": "{server}", "timeout_s": 1, **_LOGIN},
    "axis_speaker clips": {"name": "甲", "url": "{server}", "timeout_s": 1, "chime": "Gong", **_LOGIN},
    "dahua": {"name": "甲", "address": "{server}", "timeout_s": 0.5, **_LOGIN},
    "dahua events": {"name": "甲", "address": "{server}", "timeout_s": 0.5, "events": ["motion"], **_LOGIN},
    "dingtalk": {"name": "甲", "url": "{server}/robot/send?access_token=t", "secret": PASSWORD, "timeout_s": 1},
    "feishu": {"name": "甲", "url": "{server}/open-apis/bot/v2/hook/t", "secret": PASSWORD, "timeout_s": 1},
    "generic_camera": {"name": "甲", "snapshot": "{server}/picture.jpg", "timeout_s": 1, **_LOGIN},
    "hikvision": {"name": "甲", "address": "{server}", "timeout_s": 0.5, "speaker": "builtin", **_LOGIN},
    "hikvision events": {"name": "甲", "address": "{server}", "timeout_s": 0.5, "events": ["motion"], **_LOGIN},
    "http_speaker": {"name": "甲", "url": "{server}/play", "timeout_s": 1, **_LOGIN},
    "onvif": {"name": "甲", "url": "{server}", "timeout_s": 0.5, **_LOGIN},
    "sms_gateway": {"name": "甲", "url": "{server}/send", "phones": ["13800000000"], "timeout_s": 1,
                    "fields": {"to": "{phone}", "text": "{text}"}, "success_field": "code", "success_value": "0",
                    **_LOGIN},
    "wecom": {"name": "甲", "url": "{server}/cgi-bin/webhook/send?key=k", "timeout_s": 1},
}  # fmt: skip
_KEY = CommandKey("0" * 32)
_NOTICE = Notice(
    _KEY, Text("示范小区", "Example"), Text("北门", "North gate"), "fire_lane_blocked", Text("保安", "Guard"),
    "2026-01-01T00:00:00Z", Text("消防通道被占用", "Fire lane blocked"),
)  # fmt: skip


async def tried(
    guest: str, url: str, folder: Path, other: Mapping[str, Any] | None = None
) -> dict[str, DeviceError | None]:
    """Open the device of a guest at ``url`` and do all that it can; return what each ended with, None for success.

    ``other`` takes the place of fields of its configuration.

    Whatever is no DeviceError is raised: the hub would call it a fault of the integration.
    """
    part = integrations.plugin(guest.split()[0]).session
    assert part is not None
    values = {name: _led(value, url) for name, value in GUESTS[guest].items()} | dict(other or {})
    config = integrations.convert(Node("config", 1, 1, ()), values, part.config)
    ended: dict[str, DeviceError | None] = {}

    async def attempt(what: str, how: Callable[[], Awaitable[object]]) -> None:
        try:
            await how()
        except DeviceError as error:
            ended[what] = error
        else:
            ended[what] = None

    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
        try:
            opened = await part.connect("device", config, Tools(http, folder, folder, _report))
        except DeviceError as error:
            return {"open": error}
        connection = opened if isinstance(opened, Connection) else Connection(opened)
        if connection.close is not None:
            stack.push_async_callback(connection.close)
        for driver in {id(one.driver): one.driver for one in connection.equipment}.values():
            if isinstance(driver, Camera):
                await attempt("snapshot", driver.snapshot)
            if isinstance(driver, Speaker):
                await attempt("play", lambda it=driver: it.play(Clip(pcm=bytes(3200)), 50, _KEY))  # type: ignore[misc]
            if isinstance(driver, Notifier):
                await attempt("tell", lambda it=driver: it.tell(_NOTICE))  # type: ignore[misc]
        if connection.run is not None:
            await attempt("run", connection.run)
    await asyncio.sleep(0)
    return ended


async def _report(*said: Sample | Vitals) -> None:
    await asyncio.sleep(0)


def _led(value: Any, url: str) -> Any:
    return value.replace("{server}", url) if isinstance(value, str) else value
