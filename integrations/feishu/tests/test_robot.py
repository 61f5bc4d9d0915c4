"""What the platform on loopback is sent, and what becomes of its answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
from aiohttp.test_utils import TestServer

import integrations.feishu as integration
from hub.sdk import BadCredentials, Text, Tools, Unreachable, Unsupported
from integrations.feishu.config import Config
from integrations.feishu.robot import LIMITS, Robot
from integrations.sim.feishu_robot import SECRET, TOKEN, Platform
from tests.kit.notifiers import LIES, NOTICE, TOLD, check_lie, check_manifest, check_reason, driver

NAME = Text(zh="值班群")
PATH = f"/open-apis/bot/v2/hook/{TOKEN}"


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
    for _ in range(5):
        await robot.tell(NOTICE)
    assert len(far.taken) == 5
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
        (PATH, "", 0, "19021"),
        (PATH, SECRET, 2, "clock"),
        ("/open-apis/bot/v2/hook/hunter2", SECRET, 0, "19001"),
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


async def test_the_6th_message_of_a_second_is_not_sent(platform: tuple[Platform, str], tools: Tools) -> None:
    far, base = platform
    config = Config(name=NAME, url=base + PATH, secret=SECRET)
    robot = await driver(integration, config, tools)
    outcomes = await asyncio.gather(*(robot.tell(NOTICE) for _ in range(8)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if outcome is not None]
    assert len(far.taken) == 5
    assert len(refused) == 3
    for error in refused:
        assert isinstance(error, Unreachable)
        assert error.reason.endswith("wait 1 s")
    another = await driver(integration, config, tools)  # somebody else uses the robot, too
    with pytest.raises(Unreachable, match="code 11232"):
        await another.tell(NOTICE)


async def test_each_limit_counts(platform: tuple[Platform, str], tools: Tools) -> None:
    far, base = platform
    assert LIMITS == ((100, 60.0), (5, 1.0))
    robot = Robot(tools.http, Config(name=NAME, url=base + PATH, secret=SECRET), ((2, 60.0), (5, 1.0)))
    await robot.tell(NOTICE)
    await robot.tell(NOTICE)
    with pytest.raises(Unreachable, match=r"wait (59|60) s"):
        await robot.tell(NOTICE)
    assert len(far.taken) == 2


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
        "robot/bot/v2/hook/secret",
        "ftp://robot/bot/v2/hook/secret",
        "http:///bot/v2/hook/secret",
        "http://[::1/bot/v2/hook/secret",
        "http://robot:x/bot/v2/hook/secret",
        "https://a:secret@robot/bot/v2/hook/b",
        "https://robot/open-apis/bot/hook/secret",
        "https://robot/open-apis/bot/v2/hook/",
    ],
)
async def test_wrong_addresses_are_refused_at_once(url: str, tools: Tools) -> None:
    with pytest.raises(Unsupported) as caught:
        await integration.connect("duty", Config(name=NAME, url=url), tools)
    check_reason(caught.value, "secret")


@pytest.mark.parametrize("timeout_s", [0, 0.9, 31, -1])
def test_time_limits(timeout_s: float) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"name": {"zh": "值班群"}, "url": "https://x/bot/v2/hook/y", "timeout_s": timeout_s}, Config)


def test_manifest_names_every_field_and_its_default() -> None:
    check_manifest(integration, Config, "url", "secret")
