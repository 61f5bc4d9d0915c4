"""What a device on loopback hears, and what is said when it refuses, lies or is silent."""

from __future__ import annotations

import asyncio
import math
from array import array
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import integrations.axis_speaker as integration
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
from hub.sdk.g711 import encode
from integrations.axis_speaker.config import Config
from integrations.axis_speaker.sound import AHEAD
from integrations.axis_speaker.tests.far_end import PASSWORD, USER, Axis

NAME = Text(zh="大门音箱")
KEY = CommandKey("0123456789abcdef" * 2)
CLIP = Clip(array("h", (int(9_000 * math.sin(n / 7)) for n in range(8_000))).tobytes())  # 1 s
SHORT = Clip(CLIP.pcm[:800])  # 50 ms


@pytest.fixture
async def tools(tmp_path: Path) -> AsyncIterator[Tools]:
    async with aiohttp.ClientSession() as http:
        yield Tools(http=http, site=tmp_path, data=tmp_path)


def config(url: str, **values: Any) -> Config:
    return Config(**{"name": NAME, "url": url, "user": USER, "password": PASSWORD, "timeout_s": 1.0, **values})


async def play(tools: Tools, config: Config, clip: Clip = SHORT, volume: int = 100) -> None:
    (equipment,) = await integration.connect("gate", config, tools)
    assert (equipment.entity.id, equipment.entity.capability) == ("axis_speaker.gate", Capability.SPEAKER)
    assert isinstance(equipment.driver, Speaker)
    async with asyncio.timeout(20):  # nothing hangs, whatever the far end does
        await equipment.driver.play(clip, volume, KEY)


@pytest.mark.parametrize("scheme", ["digest", "basic"])
async def test_a_stored_clip_is_the_chime_before_the_speech(scheme: str, tools: Tools) -> None:
    device = Axis(scheme=scheme)
    async with device.listen() as url:
        await play(tools, config(url, chime="Ding dong", chime_s=0.0), volume=60)
    assert device.played == ["clip=7&volume=60"]
    assert [len(request.body) for request in device.spoken] == [400], "and then the speech"
    lines = [request.line.split()[1] for request in device.requests if not request.refused]
    assert lines.index("/axis-cgi/playclip.cgi?clip=7&volume=60") < lines.index("/axis-cgi/audio/transmit.cgi")


async def test_a_clip_that_is_not_there_is_answered_with_those_that_are(tools: Tools) -> None:
    async with (device := Axis()).listen() as url:
        with pytest.raises(Unsupported, match="has no clip 'Gong'; it has: Ding dong, Alarm"):
            await play(tools, config(url, chime="Gong"))
    assert not device.spoken


@pytest.mark.parametrize("clips", [b"", b"\xff" * 1000, b"root.MediaClip.M.Name=Gong\r\n", b"x" * 100_000])
async def test_lies_about_clips(clips: bytes, tools: Tools) -> None:
    async with (device := Axis(clips=clips)).listen() as url:
        with pytest.raises(Unsupported):
            await play(tools, config(url, chime="Gong"))
    assert not device.played


@pytest.mark.parametrize("scheme", ["digest", "sha256", "basic", ""])
async def test_the_device_hears_the_clip_once(scheme: str, tools: Tools) -> None:
    async with (axis := Axis(scheme)).listen() as url:
        await play(tools, config(url), CLIP, 60)
        await play(tools, config(url + "/ignored?x=1#y"), SHORT)
    first, second = axis.spoken
    assert bytes(first.body) == encode(CLIP.pcm, "pcmu", 60)
    assert bytes(second.body) == encode(SHORT.pcm, "pcmu")
    assert {request.line for request in axis.requests} == {"POST /axis-cgi/audio/transmit.cgi HTTP/1.1"}
    assert {request.headers["content-type"] for request in axis.requests} == {"audio/basic"}
    assert {request.headers["content-length"] for request in axis.requests if request.refused} <= {"0"}
    assert {request.headers.get("transfer-encoding") for request in axis.requests} == {None}


async def test_it_is_sent_in_real_time(tools: Tools) -> None:
    loop = asyncio.get_running_loop()
    async with (axis := Axis()).listen() as url:
        start = loop.time()
        await play(tools, config(url), CLIP)
        took = loop.time() - start
    (request,) = axis.spoken
    begun = request.times[0][0]
    early = [count / 8_000 - (at - begun) for at, count in request.times]
    assert max(early) <= AHEAD + 0.2  # never more than that ahead of what is heard: one chunk, and a slow machine
    assert took >= CLIP.seconds


async def test_an_odd_and_an_empty_clip(tools: Tools) -> None:
    async with (axis := Axis()).listen() as url:
        await play(tools, config(url), Clip(b"\x01\x02\x03"))
        await play(tools, config(url), Clip(b""))
    assert [len(request.body) for request in axis.spoken] == [1]


@pytest.mark.parametrize("scheme", ["digest", "basic"])
@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"user": "nobody"}])
async def test_wrong_credentials(scheme: str, wrong: dict[str, str], tools: Tools) -> None:
    async with (axis := Axis(scheme)).listen() as url:
        with pytest.raises(BadCredentials) as caught:
            await play(tools, config(url, **wrong))
    assert "wrong" not in caught.value.reason
    assert all(request.refused for request in axis.requests)


@pytest.mark.parametrize("scheme", ["bearer", "broken"])
async def test_a_log_in_that_is_not_known(scheme: str, tools: Tools) -> None:
    async with Axis(scheme).listen() as url:
        with pytest.raises((Unsupported, BadCredentials, Unreachable)):
            await play(tools, config(url))


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("503 Busy", Unreachable),
        ("409 Conflict", Unreachable),
        ("403 Forbidden", BadCredentials),
        ("404 Not Found", Unsupported),
        ("415 Unsupported Media Type", Unsupported),
        ("302 Found\r\nLocation: http://127.0.0.1:1/", Unsupported),
    ],
)
async def test_refusals(status: str, kind: type[DeviceError], early: bool, tools: Tools) -> None:
    said = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
    axis = Axis(early=said) if early else Axis(answer=said)
    async with axis.listen() as url:
        with pytest.raises(kind):
            await play(tools, config(url))


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + bytes(10_000_000),
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"\r\n",  # what older products say
        b"",
    ],
    ids=["10 MB", "204", "an empty line", "nothing"],
)
async def test_answers_that_are_good_enough(said: bytes, tools: Tools) -> None:
    async with (axis := Axis(answer=said)).listen() as url:
        await play(tools, config(url))
    assert len(axis.spoken) == 1


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 999999 \xff\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 100_000,
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_lies_in_mid_speech(said: bytes, tools: Tools) -> None:
    async with Axis(early=said, deaf=True).listen() as url:
        with pytest.raises(Unreachable):
            await play(tools, config(url), CLIP)


async def test_silence(tools: Tools) -> None:
    async with (axis := Axis(silent=True)).listen() as url:
        with pytest.raises(Unreachable, match="no answer within 1 s"):
            await play(tools, config(url))
        axis.silent, axis.deaf = False, True
        with pytest.raises(Unreachable, match="no answer within 1 s"):
            await play(tools, config(url))


async def test_nobody_there_and_no_certificate(tools: Tools) -> None:
    with pytest.raises(Unreachable):
        await play(tools, config("http://127.0.0.1:1"))
    async with Axis().listen() as url:
        with pytest.raises(Unreachable):
            await play(tools, config(url.replace("http:", "https:")))


async def test_cancelled_it_falls_silent(tools: Tools) -> None:
    async with (axis := Axis()).listen() as url:
        task = asyncio.create_task(play(tools, config(url), Clip(CLIP.pcm * 10)))
        async with asyncio.timeout(10):
            while not axis.spoken:  # noqa: ASYNC110 (the far end is watched)
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(10):
            while not axis.spoken[0].cut:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert len(axis.spoken[0].body) < 3 * 8_000


@pytest.mark.parametrize(
    "wrong",
    [{"url": "speaker"}, {"url": "ftp://speaker/"}, {"url": "http://a:secret@speaker/"}, {"user": "a:b"}],
)
async def test_wrong_configuration_is_refused_at_once(wrong: dict[str, str], tools: Tools) -> None:
    with pytest.raises(Unsupported) as caught:
        await integration.connect("gate", config(**{"url": "http://speaker", **wrong}), tools)
    assert "secret" not in caught.value.reason


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.booleans())
def test_hostile_answers_raise_only_device_errors(said: bytes, headed: bool) -> None:
    async def run() -> None:
        reply = (b"HTTP/1.1 401 No\r\nWWW-Authenticate: Digest " if headed else b"") + said + b"\r\n\r\n"

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(reply)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, aiohttp.ClientSession() as http:
            with pytest.raises(DeviceError) as caught:
                await play(Tools(http=http, site=Path(), data=Path()), config(url))
            assert caught.value.reason.isprintable()

    asyncio.run(run())


def test_manifest_names_every_field_and_its_default() -> None:
    manifest = yaml.safe_load(Path(integration.__file__).with_name("manifest.yaml").read_text())
    assert manifest["domain"] == integration.plugin.domain
    declared = {name: field.get("default", msgspec.NODEFAULT) for name, field in manifest["config"].items()}
    assert declared == {field.name: field.default for field in msgspec.structs.fields(Config)}
