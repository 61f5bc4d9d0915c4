"""Opens the fake camera as the hub does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

import integrations.onvif as integration
from hub.sdk import Connection, Text, Tools
from integrations.onvif.config import Config
from integrations.sim.onvif_camera import PASSWORD, USER, FakeCamera

NAME = Text(zh="大门摄像机", en="Gate camera")


def config(url: str, **more: Any) -> Config:
    plain = Config(name=NAME, url=url, user=USER, password=PASSWORD, timeout_s=2.0)
    return msgspec.structs.replace(plain, **more)


@asynccontextmanager
async def opened(camera: FakeCamera, tools: Tools, **more: Any) -> AsyncIterator[Connection]:
    """Open ``camera``, and close it in the end."""
    async with camera.serve() as url:
        connection = await integration.connect("gate", config(url, **more), tools)
        try:
            yield connection
        finally:
            assert connection.close is not None
            await connection.close()
