"""Pictures by HTTP from a server on loopback, the order of the sources, and the configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import aiohttp
import msgspec
import pytest
import yaml
from aiohttp.test_utils import TestServer

import integrations.generic_camera as integration
from hub.sdk import BadCredentials, Camera, Capability, DeviceError, Picture, Text, Tools, Unreachable, Unsupported
from integrations.generic_camera.camera import GenericCamera
from integrations.generic_camera.config import Config
from integrations.generic_camera.tests.far_end import JPEG, PASSWORD, USER, camera

NAME = Text(zh="东门摄像机", en="East gate")


@pytest.fixture
async def tools(tmp_path: Path) -> AsyncIterator[Tools]:
    async with aiohttp.ClientSession() as http:
        yield Tools(http=http, site=tmp_path, data=tmp_path)


async def snapshot(tools: Tools, config: Config) -> Picture:
    (equipment,) = await integration.connect("east_gate", config, tools)
    assert isinstance(equipment.driver, Camera)
    return await equipment.driver.snapshot()


@pytest.mark.parametrize("scheme", ["", "Basic", "Digest"])
async def test_picture_by_http(scheme: Literal["", "Basic", "Digest"], tools: Tools) -> None:
    async with TestServer(camera(scheme)) as server:
        url = str(server.make_url("/snapshot?channel=1"))
        config = Config(name=NAME, snapshot=url, user=USER, password=PASSWORD)
        assert await snapshot(tools, config) == Picture(data=JPEG, media_type="image/jpeg")
        if scheme:
            for wrong in ("wrong", ""):
                with pytest.raises(BadCredentials):
                    await snapshot(tools, Config(name=NAME, snapshot=url, user=USER if wrong else "", password=wrong))


@pytest.mark.parametrize(
    ("answer", "status", "kind"),
    [
        (b"<html>please log in</html>", 200, Unsupported),
        (b"", 200, Unsupported),
        (JPEG, 302, Unsupported),
        (JPEG, 403, BadCredentials),
        (JPEG, 404, Unsupported),
        (JPEG, 503, Unreachable),
        (JPEG + bytes(17 * 1024 * 1024), 200, Unsupported),
    ],
    ids=["page", "empty", "redirect", "forbidden", "not found", "busy", "huge"],
)
async def test_what_is_no_picture(answer: bytes, status: int, kind: type[DeviceError], tools: Tools) -> None:
    async with TestServer(camera("", answer, status)) as server:
        with pytest.raises(kind, match=r"^snapshot: "):
            await snapshot(tools, Config(name=NAME, snapshot=str(server.make_url("/snapshot"))))


async def test_dead_camera_is_known_and_unreachable(tools: Tools) -> None:
    (equipment,) = await integration.connect("East gate", Config(name=NAME, snapshot="http://127.0.0.1:1/"), tools)
    assert (equipment.entity.id, equipment.entity.capability) == ("generic_camera.east_gate", Capability.CAMERA)
    assert isinstance(equipment.driver, Camera)
    with pytest.raises(Unreachable):
        await equipment.driver.snapshot()


class Scripted:
    """A source that gives or raises what it was told."""

    def __init__(self, label: str, outcome: Picture | DeviceError) -> None:
        self.label, self.outcome, self.asked = label, outcome, 0

    async def picture(self) -> Picture:
        self.asked += 1
        if isinstance(self.outcome, DeviceError):
            raise self.outcome
        return self.outcome


async def test_second_source_is_asked_only_when_the_first_fails() -> None:
    good = Picture(data=JPEG, media_type="image/jpeg")
    first, second = Scripted("snapshot", good), Scripted("rtsp", good)
    await GenericCamera((first, second)).snapshot()
    assert (first.asked, second.asked) == (1, 0)
    first.outcome = BadCredentials("no")
    assert await GenericCamera((first, second)).snapshot() == good


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (Unreachable("a"), Unsupported("b"), Unreachable),
        (Unsupported("a"), Unreachable("b"), Unreachable),
        (BadCredentials("a"), Unsupported("b"), BadCredentials),
    ],
)
async def test_the_error_that_leaves_hope_wins(
    first: DeviceError, second: DeviceError, kind: type[DeviceError]
) -> None:
    both = GenericCamera((Scripted("snapshot", first), Scripted("rtsp", second)))
    with pytest.raises(kind, match=r"^snapshot: a; rtsp: b$"):
        await both.snapshot()


@pytest.mark.parametrize(
    "addresses",
    [
        {},
        {"snapshot": "ftp://camera/"},
        {"snapshot": "file:///etc/passwd"},
        {"snapshot": "http://"},
        {"snapshot": "http://[::1/"},
        {"snapshot": "http://camera:port/"},
        {"snapshot": "http://admin:secret@camera/"},
        {"rtsp": "http://camera/"},
        {"rtsp": "rtsp://admin:secret@camera/"},
        {"snapshot": "http://camera/", "rtsp": "udp://camera/"},
    ],
)
async def test_wrong_addresses_are_refused_at_once(addresses: dict[str, str], tools: Tools) -> None:
    with pytest.raises(Unsupported) as caught:
        await integration.connect("east_gate", msgspec.convert({"name": {"zh": "东门"}, **addresses}, Config), tools)
    assert "secret" not in caught.value.reason


async def test_only_rtsp_without_the_extra_is_refused_at_once(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integration, "video_installed", lambda: False)
    with pytest.raises(Unsupported, match=r"menshen\[video\]"):
        await integration.connect("east_gate", Config(name=NAME, rtsp="rtsp://camera/"), tools)
    both = Config(name=NAME, snapshot="http://camera/", rtsp="rtsp://camera/")
    assert await integration.connect("east_gate", both, tools)


def test_manifest_names_every_field_and_its_default() -> None:
    manifest = yaml.safe_load(Path(integration.__file__).with_name("manifest.yaml").read_text())
    assert manifest["domain"] == integration.plugin.domain
    declared = {name: field.get("default", msgspec.NODEFAULT) for name, field in manifest["config"].items()}
    assert declared == {field.name: field.default for field in msgspec.structs.fields(Config)}
