"""Still pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

import integrations.hikvision as integration
from hub.sdk import BadCredentials, DeviceError, Picture, Tools, Unreachable, Unsupported
from hub.sdk import Camera as CameraDriver
from integrations.hikvision.tests.kit import Hub, config
from integrations.sim.hikvision_camera import JPEG, Camera

PICTURE = "/ISAPI/Streaming/channels/101/picture"


@pytest.fixture
async def tools(tmp_path: Path) -> AsyncIterator[Tools]:
    async with aiohttp.ClientSession() as http:
        yield Hub().tools(http, tmp_path)


async def snapshot(tools: Tools, address: str, **changes: object) -> Picture:
    opened = await integration.connect("gate", config(address, **changes), tools)
    assert isinstance(opened, tuple)
    driver = opened[0].driver
    assert isinstance(driver, CameraDriver)
    return await driver.snapshot()


async def test_a_picture(tools: Tools) -> None:
    camera = Camera()
    async with camera.on_loopback() as address:
        assert await snapshot(tools, address) == Picture(JPEG, "image/jpeg")
        with pytest.raises(BadCredentials):
            await snapshot(tools, address, password="no")
        with pytest.raises(Unsupported):  # a recorder's input that is not there
            await snapshot(tools, address, channel=12)
    assert camera.asked == [f"GET {PICTURE}", f"GET {PICTURE.replace('101', '1201')}"]


@pytest.mark.parametrize(
    ("camera", "kind"),
    [
        (Camera(status=302), Unsupported),
        (Camera(status=503), Unreachable),
        (Camera(silent=frozenset({PICTURE})), Unreachable),
        (Camera(answers={PICTURE: b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nGIF"}), Unsupported),
        (Camera(answers={PICTURE: b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\xff\xd8\xff"}), Unreachable),
    ],
)
async def test_refusals(camera: Camera, kind: type[DeviceError], tools: Tools) -> None:
    async with camera.on_loopback() as address:
        with pytest.raises(kind):
            await snapshot(tools, address)
