"""What a loudspeaker's web server on loopback is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import aiohttp
import msgspec
import pytest
import yaml
from aiohttp.test_utils import TestServer

import integrations.http_speaker as integration
from hub.sdk import (
    BadCredentials,
    Capability,
    Clip,
    CommandKey,
    DeviceError,
    Speaker,
    Text,
    Tools,
    Unreachable,
    Unsupported,
)
from integrations.http_speaker.config import Config
from integrations.http_speaker.tests.far_end import PASSWORD, USER, Loudspeaker

NAME = Text(zh="大门音箱")
KEY = CommandKey("0123456789abcdef" * 2)
CLIP = Clip(pcm=bytes(range(256)) * 400)  # 6.4 s, more than one read of a socket


@pytest.fixture
async def tools(tmp_path: Path) -> AsyncIterator[Tools]:
    async with aiohttp.ClientSession() as http:
        yield Tools(http=http, site=tmp_path, data=tmp_path)


async def play(tools: Tools, config: Config, volume: int = 80) -> None:
    (equipment,) = await integration.connect("gate", config, tools)
    assert (equipment.entity.id, equipment.entity.capability) == ("http_speaker.gate", Capability.SPEAKER)
    assert isinstance(equipment.driver, Speaker)
    await equipment.driver.play(CLIP, volume, KEY)


@pytest.mark.parametrize("scheme", ["", "Basic", "Digest"])
async def test_the_clip_arrives_once(scheme: Literal["", "Basic", "Digest"], tools: Tools) -> None:
    speaker = Loudspeaker(scheme)
    async with TestServer(speaker.app()) as server:
        url = str(server.make_url("/play?channel=1&volume=5&名=门#top"))
        await play(tools, Config(name=NAME, url=url, user=USER, password=PASSWORD), volume=65)
        ((query, content_type, key, body),) = speaker.played
        assert query == {"channel": "1", "名": "门", "volume": "65"}
        assert (content_type, key) == ("audio/wav", KEY)
        assert Clip.from_wav(body) == CLIP
        if scheme:
            with pytest.raises(BadCredentials):
                await play(tools, Config(name=NAME, url=url, user=USER, password="wrong"))
            with pytest.raises(BadCredentials):
                await play(tools, Config(name=NAME, url=url))
        assert len(speaker.played) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [(503, Unreachable), (429, Unreachable), (403, BadCredentials), (404, Unsupported), (302, Unsupported)],
)
async def test_refusals(status: int, kind: type[DeviceError], tools: Tools) -> None:
    async with TestServer(Loudspeaker(status=status).app()) as server:
        with pytest.raises(kind):
            await play(tools, Config(name=NAME, url=str(server.make_url("/play"))))


async def test_nobody_there(tools: Tools) -> None:
    with pytest.raises(Unreachable):
        await play(tools, Config(name=NAME, url="http://127.0.0.1:1/play"))


@pytest.mark.parametrize(
    "url", ["", "speaker", "ftp://speaker/", "http://", "http://[::1/", "http://speaker:x/", "http://a:secret@speaker/"]
)
async def test_wrong_addresses_are_refused_at_once(url: str, tools: Tools) -> None:
    with pytest.raises(Unsupported) as caught:
        await integration.connect("gate", Config(name=NAME, url=url), tools)
    assert "secret" not in caught.value.reason


def test_manifest_names_every_field_and_its_default() -> None:
    manifest = yaml.safe_load(Path(integration.__file__).with_name("manifest.yaml").read_text())
    assert manifest["domain"] == integration.plugin.domain
    declared = {name: field.get("default", msgspec.NODEFAULT) for name, field in manifest["config"].items()}
    assert declared == {field.name: field.default for field in msgspec.structs.fields(Config)}
