"""What the platform on loopback is sent, and what becomes of its answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
from aiohttp.test_utils import TestServer

import integrations.dingtalk as integration
from hub.sdk import BadCredentials, Text, Tools, Unreachable, Unsupported
from integrations.dingtalk.config import Config
from integrations.sim.dingtalk_robot import SECRET, TOKEN, Platform
from tests.kit.notifiers import LIES, NOTICE, TOLD, check_lie, check_manifest, check_reason, driver

NAME = Text(zh="值班群")
PATH = f"/robot/send?access_token={TOKEN}"


@pytest.fixture
async def tools(tmp_path: Path) -> AsyncIterator[Tools]:
    async with aiohttp.ClientSession() as http:
        yield Tools(http=http, site=tmp_path, data=tmp_path)


@pytest.fixture
async def platform() -> AsyncIterator[tuple[Platform, str]]:
    far = Platform()
    async with TestServer(far.app()) as server:
        yield far, str(server.make_url("/")).rstrip("/")


async def test_a_notice_is_told(platform: tuple[Platform, str], tools: Tools) -> None:
    far, base = platform
    robot = await driver(integration, Config(name=NAME, url=base + PATH, secret=SECRET), tools)
    for _ in range(10):  # ten moments, ten signatures
        await robot.tell(NOTICE)
    assert len(far.taken) == 10
    assert all(part in text for part in TOLD for text in far.taken)


async def test_a_robot_with_a_keyword_needs_no_secret(platform: tuple[Platform, str], tools: Tools) -> None:
    far, base = platform
    far.secret, far.keyword = "", "北京时间"
    robot = await driver(integration, Config(name=NAME, url=base + PATH), tools)
    await robot.tell(NOTICE)
    far.keyword = "物业"
    with pytest.raises(BadCredentials, match="北京时间"):
        await robot.tell(NOTICE)
    assert len(far.taken) == 1


@pytest.mark.parametrize(
    ("path", "secret", "hours", "says"),
    [
        (PATH, "SECwrong", 0, "signing secret"),
        (PATH, "", 0, "security settings"),
        (PATH, SECRET, 2, "clock"),
        ("/robot/send?access_token=hunter2", SECRET, 0, "300005"),
    ],
)
async def test_refused_log_in(
    path: str, secret: str, hours: float, says: str, platform: tuple[Platform, str], tools: Tools
) -> None:
    far, base = platform
    far.hours_ahead = hours
    robot = await driver(integration, Config(name=NAME, url=base + path, secret=secret), tools)
    with pytest.raises(BadCredentials, match=says) as caught:
        await robot.tell(NOTICE)
    check_reason(caught.value, "hunter2", SECRET, "SECwrong", TOKEN)
    assert not far.taken


async def test_the_21st_message_of_a_minute_is_not_sent(platform: tuple[Platform, str], tools: Tools) -> None:
    far, base = platform
    config = Config(name=NAME, url=base + PATH, secret=SECRET)
    robot = await driver(integration, config, tools)
    outcomes = await asyncio.gather(*(robot.tell(NOTICE) for _ in range(25)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if outcome is not None]
    assert len(far.taken) == 20
    assert len(refused) == 5
    for error in refused:
        assert isinstance(error, Unreachable)
        assert error.reason == "20 messages in a minute are sent; wait 65 s"
    another = await driver(integration, config, tools)  # somebody else uses the robot, too
    with pytest.raises(Unreachable, match="errcode 130101"):
        await another.tell(NOTICE)


@pytest.mark.parametrize("name", LIES)
async def test_lies(name: str, tools: Tools) -> None:
    async def tell(base: str) -> None:
        await (await driver(integration, Config(name=NAME, url=base + PATH, secret=SECRET, timeout_s=1), tools)).tell(
            NOTICE
        )

    await check_lie(name, tell, TOKEN, SECRET)


async def test_nobody_there(tools: Tools) -> None:
    robot = await driver(integration, Config(name=NAME, url=f"http://127.0.0.1:1{PATH}"), tools)
    with pytest.raises(Unreachable):
        await robot.tell(NOTICE)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "robot?access_token=secret",
        "ftp://robot/?access_token=secret",
        "http://?access_token=secret",
        "http://[::1/?access_token=secret",
        "http://robot:x/?access_token=secret",
        "https://a:secret@robot/?access_token=b",
        "https://robot/robot/send",
        "https://robot/robot/send?access_token=",
        "https://robot/robot/secret?token=secret",
    ],
)
async def test_wrong_addresses_are_refused_at_once(url: str, tools: Tools) -> None:
    with pytest.raises(Unsupported) as caught:
        await integration.connect("duty", Config(name=NAME, url=url), tools)
    check_reason(caught.value, "secret")


@pytest.mark.parametrize("timeout_s", [0, 0.9, 31, -1])
def test_time_limits(timeout_s: float) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"name": {"zh": "值班群"}, "url": "https://x/?access_token=y", "timeout_s": timeout_s}, Config)


def test_manifest_names_every_field_and_its_default() -> None:
    check_manifest(integration, Config, "url", "secret")
