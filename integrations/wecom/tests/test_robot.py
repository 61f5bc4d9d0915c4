"""What the platform on loopback is sent, and what becomes of its answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

import integrations.wecom as integration
from hub.sdk import BadCredentials, Text, Tools, Unreachable, Unsupported
from integrations.sim.wecom_robot import KEY, Platform
from integrations.wecom.config import Config
from tests.kit.notifiers import LIES, NOTICE, TOLD, check_lie, check_manifest, check_reason, driver

NAME = Text(zh="值班群")
PATH = f"/cgi-bin/webhook/send?key={KEY}"


@pytest.fixture
async def tools(tmp_path: Path) -> AsyncIterator[Tools]:
    async with aiohttp.ClientSession() as http:
        yield Tools(http=http, site=tmp_path, data=tmp_path)


@pytest.fixture
async def platform() -> AsyncIterator[tuple[Platform, str]]:
    far, app = Platform(), web.Application()
    app.add_routes(far.routes())
    async with TestServer(app) as server:
        yield far, str(server.make_url("/")).rstrip("/")


async def test_a_notice_is_told(platform: tuple[Platform, str], tools: Tools) -> None:
    far, base = platform
    await (await driver(integration, Config(name=NAME, url=base + PATH), tools)).tell(NOTICE)
    (text,) = far.taken
    assert all(part in text for part in TOLD)


async def test_a_long_text_is_cut_and_taken(platform: tuple[Platform, str], tools: Tools) -> None:
    far, base = platform
    robot = await driver(integration, Config(name=NAME, url=base + PATH), tools)
    for pad in range(4):  # the cut falls on each byte of a character once
        await robot.tell(msgspec.structs.replace(NOTICE, text=Text(zh="a" * pad + "占" * 2000)))
    assert [text[-1] for text in far.taken] == ["…"] * 4
    assert all(2044 < len(text.encode()) <= 2048 for text in far.taken)
    assert not [text for text in far.taken if "\ufffd" in text]


async def test_wrong_key(platform: tuple[Platform, str], tools: Tools) -> None:
    far, base = platform
    robot = await driver(integration, Config(name=NAME, url=base + "/cgi-bin/webhook/send?key=hunter2"), tools)
    with pytest.raises(BadCredentials, match="errcode 93000") as caught:
        await robot.tell(NOTICE)
    check_reason(caught.value, "hunter2")
    assert not far.taken


async def test_the_21st_message_of_a_minute_is_not_sent(platform: tuple[Platform, str], tools: Tools) -> None:
    far, base = platform
    robot = await driver(integration, Config(name=NAME, url=base + PATH), tools)
    outcomes = await asyncio.gather(*(robot.tell(NOTICE) for _ in range(25)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if outcome is not None]
    assert len(far.taken) == 20
    assert len(refused) == 5
    for error in refused:
        assert isinstance(error, Unreachable)
        assert error.reason == "20 messages in a minute are sent; wait 65 s"
    another = await driver(integration, Config(name=NAME, url=base + PATH), tools)  # somebody else uses the robot, too
    with pytest.raises(Unreachable, match="errcode 45009"):
        await another.tell(NOTICE)


@pytest.mark.parametrize("name", LIES)
async def test_lies(name: str, tools: Tools) -> None:
    async def tell(base: str) -> None:
        await (await driver(integration, Config(name=NAME, url=base + PATH, timeout_s=1), tools)).tell(NOTICE)

    await check_lie(name, tell, KEY)


async def test_nobody_there(tools: Tools) -> None:
    robot = await driver(integration, Config(name=NAME, url=f"http://127.0.0.1:1{PATH}"), tools)
    with pytest.raises(Unreachable):
        await robot.tell(NOTICE)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "robot?key=secret",
        "ftp://robot/?key=secret",
        "http://?key=secret",
        "http://[::1/?key=secret",
        "http://robot:x/?key=secret",
        "https://a:secret@robot/?key=b",
        "https://robot/cgi-bin/webhook/send",
        "https://robot/cgi-bin/webhook/send?key=",
        "https://robot/cgi-bin/webhook/secret?token=secret",
    ],
)
async def test_wrong_addresses_are_refused_at_once(url: str, tools: Tools) -> None:
    with pytest.raises(Unsupported) as caught:
        await integration.connect("duty", Config(name=NAME, url=url), tools)
    check_reason(caught.value, "secret")


@pytest.mark.parametrize("timeout_s", [0, 0.9, 31, -1])
def test_time_limits(timeout_s: float) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"name": {"zh": "值班群"}, "url": "https://x/?key=y", "timeout_s": timeout_s}, Config)


def test_manifest_names_every_field_and_its_default() -> None:
    check_manifest(integration, Config, "url")
