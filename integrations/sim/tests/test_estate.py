"""The whole estate: its devices, its story, and its page's requests."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from integrations.sim.process import Address
from integrations.sim.web import serving
from tests.kit.broker import Broker, find_mosquitto
from tests.kit.patience import eventually
from tests.kit.program import Program

pytestmark = pytest.mark.slow


def free_base() -> int:
    """Return a base with all ports of the estate free above it."""
    for _ in range(50):
        base = random.randrange(20_000, 30_000, 25)
        taken: list[socket.socket] = []
        try:
            taken.extend(socket.create_server(("127.0.0.1", base + offset)) for offset in range(1, 25))
        except OSError:
            continue
        finally:
            for one in taken:
                one.close()
        return base
    raise AssertionError("no free ports")


@contextmanager
def running_estate(folder: Path, broker: str) -> Iterator[Program]:
    """Lend an estate: fifteen processes, which start in seconds."""
    arguments = ("--mqtt", broker, "--data", str(folder / "data"), "--stay", "1.5")
    login = ("--user", "admin", "--password", "pw")
    with Program("integrations.sim.estate", "--base-port", str(free_base()), *arguments, *login) as program:
        yield program


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Lend one to the tests that leave it as it was, or say first what they need; it ends well."""
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed: tests against a real MQTT broker cannot run")
    folder = tmp_path_factory.mktemp("estate")
    broker = Broker(folder / "broker")
    broker.start()
    try:
        with running_estate(folder, broker.address) as program:
            yield program
            code, out, errors = program.terminate()
            assert (code, out, errors) == (0, "", "")
    finally:
        broker.stop()


async def state(http: aiohttp.ClientSession, estate: Program) -> dict[str, Any]:
    async with http.get(estate.url("/state", "page")) as answer:
        found: dict[str, Any] = await answer.json()
        return found


async def test_a_dead_device_comes_back_and_sees_the_scene(http: aiohttp.ClientSession, estate: Program) -> None:
    async with http.post(estate.url("/scene", "page"), json={"vehicle": True, "open": True}) as answer:
        assert await answer.json() == {
            "vehicle": True, "unfelt": False, "open": True, "alarm": False, "smoke": False,
            "entrance": False, "bay": False, "plant": False, "gate": False, "roof": False, "card": False,
            "lane6": False, "bay7": False, "west": False, "fall": False, "ebike": False, "pump": False, "cellar": False,
            "lift6": False,
        }  # fmt: skip
    before = {one["name"]: one["pid"] for one in (await state(http, estate))["devices"]}
    os.kill(before["magnetometer"], signal.SIGKILL)

    async def sees() -> bool:
        try:
            async with http.get(estate.url("/scene", "magnetometer")) as answer:
                return bool((await answer.json())["vehicle"])
        except aiohttp.ClientError:
            return False

    await eventually(lambda: state(http, estate), lambda now: now["devices"][3]["restarts"] == 1)
    await eventually(sees, bool)
    async with http.post(estate.url("/scene", "page"), json={"vehicle": "yes"}) as answer:
        assert answer.status == 400


async def test_page_picture_and_lists(http: aiohttp.ClientSession, estate: Program) -> None:
    async with http.get(estate.url("/", "page")) as answer:
        page = await answer.text()
    assert all(word in page for word in ("来一辆车", "开走", "开门", "关门", "播放故事"))
    async with http.get(estate.url("/picture.jpg", "page")) as answer:
        assert (await answer.read()).startswith(b"\xff\xd8\xff")
    async with http.post(estate.url("/notify", "webhook"), json={"title": "消防通道占用"}) as answer:
        assert answer.status == 200
    assert [one["headline"] for one in (await state(http, estate))["messages"]] == ["消防通道占用"]


async def test_the_story(http: aiohttp.ClientSession, estate: Program) -> None:
    async def seen() -> tuple[bool, bool]:
        """Ask the devices themselves."""
        result = []
        for device in ("camera", "magnetometer"):
            async with http.get(estate.url("/scene", device)) as answer:
                result.append(bool((await answer.json())["vehicle"]))
        return result[0], result[1]

    async with http.post(estate.url("/scene", "page"), json={"vehicle": False, "open": False}) as answer:
        assert answer.status == 200
    await eventually(seen, lambda both: both == (False, False))
    url = estate.url("/story", "page")
    async with http.post(url, headers={"Origin": "http://evil.example"}) as answer:
        assert answer.status == 403
    async with http.post(url, headers={"Origin": estate.url("", "page")}) as answer:
        assert answer.status == 202
    async with http.post(url) as answer:
        assert answer.status == 409
    await eventually(seen, lambda both: both == (True, True))
    await eventually(seen, lambda both: both == (False, False))
    async with http.post(url) as answer:
        assert answer.status == 202


def test_a_port_in_use_ends_it_with_a_sentence(tmp_path: Path) -> None:
    base = free_base()
    with socket.create_server(("127.0.0.1", base + 3)):
        program = Program(
            "integrations.sim.estate", "--base-port", str(base), "--mqtt", "127.0.0.1:1", "--data", str(tmp_path)
        )
        with pytest.raises(RuntimeError, match="estate: speaker did not start") as caught, program:
            pass
    assert "Traceback" not in str(caught.value)


async def test_it_can_begin_by_itself(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    arguments = ("--mqtt", "127.0.0.1:1", "--data", str(tmp_path), "--stay", "30", "--auto", "0.2")
    with Program("integrations.sim.estate", "--base-port", str(free_base()), *arguments) as estate:
        await eventually(lambda: state(http, estate), lambda now: now["story"]["running"] and now["scene"]["vehicle"])
        code, _, errors = estate.terminate()
        assert (code, errors) == (0, "")


async def test_killing_the_estate_ends_its_devices(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    with running_estate(tmp_path, "127.0.0.1:1") as estate:
        pids = [one["pid"] for one in (await state(http, estate))["devices"]]
        estate.kill()

    async def alive() -> list[int]:
        return [pid for pid in pids if _is_ours(pid)]

    assert await eventually(alive, lambda left: not left, within=4) == []


def _is_ours(pid: int) -> bool:
    """Tell whether a device runs under this id; a number that was given to another program does not count."""
    try:
        return b"integrations.sim" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


async def test_what_joins_late_waits_for_the_hub_and_does_not_end_the_estate(
    http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    base = free_base()
    arguments = ("--base-port", str(base), "--mqtt", "127.0.0.1:1", "--data", str(tmp_path), "--late", "quarter")
    with socket.create_server(("127.0.0.1", base + 18)), Program("integrations.sim.estate", *arguments) as estate:
        assert "quarter" not in {one["name"] for one in (await state(http, estate))["devices"]}
        async with serving([], Address("127.0.0.1", base)):
            assert await asyncio.to_thread(estate.next_line) == {"late": []}
        assert len((await state(http, estate))["devices"]) == 9
        assert "estate: quarter did not start" in estate.terminate()[2]


async def test_building_6_joins_and_sees_the_scene(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    base = free_base()
    arguments = ("--base-port", str(base), "--mqtt", "127.0.0.1:1", "--data", str(tmp_path), "--late", "quarter")
    with Program("integrations.sim.estate", *arguments) as estate:
        async with http.post(estate.url("/scene", "page"), json={"pump": True}) as answer:
            assert answer.status == 200
        async with serving([], Address("127.0.0.1", base)):
            assert await asyncio.to_thread(estate.next_line) == {"late": ["quarter"]}
        assert (await state(http, estate))["devices"][-1]["name"] == "quarter"

        async with http.get(estate.url("/scene", "quarter")) as answer:
            assert (await answer.json())["pump"]
