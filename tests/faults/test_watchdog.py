"""A plugin that holds up the loop is named, with the line where it did; the hub's own slowness is not blamed on one."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.runtime import starved
from hub.runtime.problems import Problems
from hub.runtime.starved import Spent, spent_s, stolen_s
from hub.runtime.watchdog import HELD, Watchdog
from tests.kit.wait import until

CODE = """\
import ctypes
import re
import threading
import time


def sleep() -> None:
    time.sleep(0.4)


def spin() -> None:
    end = time.thread_time() + 0.4
    while time.thread_time() < end:
        pass


def backtrack() -> None:
    end = time.thread_time() + 0.4
    while time.thread_time() < end:
        re.match("(a+)+b", "a" * 20)


def brief() -> None:
    end = time.thread_time() + 0.015
    while time.thread_time() < end:
        pass


keeps_the_interpreter = ctypes.PyDLL(None).usleep


def keep() -> None:
    keeps_the_interpreter(400_000)
    brief()


def beside() -> None:
    threading.Thread(target=keeps_the_interpreter, args=(400_000,)).start()
    brief()
"""


@asynccontextmanager
async def watched(folder: Path, spent: Callable[[int], Spent] = spent_s) -> AsyncIterator[Problems]:
    problems = Problems()
    task = asyncio.create_task(Watchdog(problems, lambda: {"slow": folder / "slow"}, spent=spent).run())
    await asyncio.sleep(0.1)
    try:
        yield problems
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def plugin(folder: Path, how: str) -> Callable[[], None]:
    (folder / "slow").mkdir()
    file = folder / "slow" / "device.py"
    file.write_text(CODE, "utf-8")
    spec = importlib.util.spec_from_file_location("slow_device", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[], None] = getattr(module, how)
    return found


@pytest.mark.parametrize("how", ["sleep", "spin", "backtrack"])
async def test_who_holds_up_the_loop_is_named(how: str, tmp_path: Path) -> None:
    block = plugin(tmp_path, how)
    async with watched(tmp_path) as problems:
        block()
        await asyncio.sleep(0.2)
        (problem,) = problems.texts()
        assert "slow" in problem.en
        assert "device.py:" in problem.en
        assert "isolation: process" in problem.zh


async def test_who_keeps_the_interpreter_is_named_where_the_system_tells_no_times(tmp_path: Path) -> None:
    block = plugin(tmp_path, "keep")
    async with watched(tmp_path, lambda _thread: Spent()) as problems:
        block()
        await asyncio.sleep(0.2)
        (problem,) = problems.texts()
        assert "slow" in problem.en


async def test_a_plugin_that_waits_as_it_should_is_not_named(tmp_path: Path) -> None:
    async with watched(tmp_path) as problems:
        await asyncio.sleep(4 * HELD)
        time.sleep(3 * HELD)  # noqa: ASYNC251 - this stands for slow code of the hub
        await asyncio.sleep(0.2)
        assert problems.texts() == []


async def test_a_plugin_that_had_no_processor_is_not_named(tmp_path: Path) -> None:
    block = plugin(tmp_path, "spin")
    async with watched(tmp_path, lambda _thread: Spent(queued=time.monotonic())) as problems:  # it queues all the time
        block()
        await asyncio.sleep(0.2)
        assert problems.texts() == []


async def test_a_plugin_that_waited_for_a_thread_without_a_processor_is_not_named(tmp_path: Path) -> None:
    block, mine = plugin(tmp_path, "sleep"), threading.get_native_id()
    thread = threading.Thread(target=(over := threading.Event()).wait)
    thread.start()
    try:
        async with watched(tmp_path, lambda one: Spent(queued=0.0 if one == mine else time.monotonic())) as problems:
            block()
            await asyncio.sleep(0.2)
            assert problems.texts() == []
    finally:
        over.set()
        thread.join()


async def test_a_time_in_the_queue_that_is_counted_at_its_end_excuses_a_plugin(tmp_path: Path) -> None:
    block, over = plugin(tmp_path, "sleep"), list[float]()
    async with watched(tmp_path, lambda _thread: Spent(queued=sum(over))) as problems:
        block()  # looked at while it lasts, it has not queued at all
        over.append(0.4)
        await asyncio.sleep(0.2)
        assert problems.texts() == []


async def test_a_plugin_that_ran_while_the_machine_stood_still_is_not_named(tmp_path: Path) -> None:
    """A host that has others to serve stops a virtual machine: all its clocks but one jump."""
    work, mine = plugin(tmp_path, "brief"), os.getpid()
    async with watched(tmp_path) as problems:
        host = await asyncio.create_subprocess_shell(f"sleep 0.1; kill -STOP {mine}; sleep 0.5; kill -CONT {mine}")
        while host.returncode is None:
            work()
            await asyncio.sleep(0)
        await asyncio.sleep(0.2)
        assert problems.texts() == []


async def test_a_plugin_that_waited_for_the_interpreter_is_not_named(tmp_path: Path) -> None:
    start = plugin(tmp_path, "beside")
    async with watched(tmp_path) as problems:
        start()
        await asyncio.sleep(0.2)
        assert problems.texts() == []


def test_the_system_tells_what_a_thread_spent() -> None:
    before = spent_s(threading.get_native_id())
    sum(range(100_000))
    after = spent_s(threading.get_native_id())
    assert 0 < before.ran <= after.ran
    assert 0 <= before.queued <= after.queued
    assert spent_s(0) == Spent()


async def test_a_plugin_whose_processor_was_stolen_is_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block, began = plugin(tmp_path, "sleep"), time.monotonic()
    monkeypatch.setattr(starved, "stolen_s", lambda: (0.0, time.monotonic() - began))
    async with watched(tmp_path) as problems:
        block()
        await asyncio.sleep(0.2)
        assert problems.texts() == []


def test_the_system_tells_what_its_host_stole() -> None:
    before, after = stolen_s(), stolen_s()
    assert len(before) == len(after) > 0
    assert all(0 <= early <= late for early, late in zip(before, after, strict=True))


async def test_what_two_processors_lost_is_not_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop can have been on one of them only: each was away for less than what makes up for the hold."""
    block, began = plugin(tmp_path, "sleep"), time.monotonic()
    monkeypatch.setattr(starved, "stolen_s", lambda: ((time.monotonic() - began) / 2,) * 2)
    async with watched(tmp_path, lambda _: Spent()) as problems:
        block()
        await asyncio.sleep(0.2)
        (problem,) = problems.texts()
        assert "slow" in problem.en


def test_the_thread_ends_with_the_loop(tmp_path: Path) -> None:
    async def main() -> None:
        async with watched(tmp_path):
            assert "watchdog" in {thread.name for thread in threading.enumerate()}

    asyncio.run(main())
    until(lambda: "watchdog" not in {thread.name for thread in threading.enumerate()}, within=5)
