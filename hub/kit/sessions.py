"""A session against a far end on loopback: as recorded, lost, lying; and what it leaves behind.

A capture of a session is ``{"config": {…}}`` with ``{server}`` where the address of the device stands, then lines of
``request`` (``method``, ``path``) and ``response`` (``status``, ``headers``, ``body`` or ``body_b64``); ``push`` for
what the device sends to the hub, with the ``answer`` (a status) it must get; ``do`` for a command: ``snapshot``,
``play``, ``hold`` or ``tell``. The last is ``{"expect": {"samples": […], "vitals": […]}}``: all that it reports, in
order, a repetition once.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from hub.config import integrations
from hub.kit import promises
from hub.kit.captures import CaptureError, told
from hub.kit.far_end import ELSEWHERE, FarEnd, Mood
from hub.model.document import Mapping
from hub.model.errors import ConfigError, DeviceError
from hub.sdk import Camera, Clip, CommandKey, Connection, Notice, Notifier, Push, Relay, Sample, Speaker, Text, Tools

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from hub.kit.captures import Line
    from hub.sdk import Driver, Equipment, Plugin, PushAnswer, Vitals

#: Seconds in which a recorded session must have said all, and in which a bad far end must have been noticed.
PLAYED, NOTICED = 10.0, 35.0
#: Longest that a session may hold up the loop, in seconds.
LAG = 0.1
NAME = "device"
_KEY = CommandKey("0" * 32)
_NOTICE = Notice(
    _KEY, Text("示范小区", "Example"), Text("北门", "North gate"), "fire_lane_blocked", Text("保安", "Guard"),
    "2026-01-01T00:00:00Z", Text("消防通道被占用", "Fire lane blocked"),
)  # fmt: skip


@dataclass
class Bench:
    """What a session was lent, and what came of it."""

    folder: Path
    http: aiohttp.ClientSession
    reported: list[Sample | Vitals] = field(default_factory=list)
    handler: Callable[[Push], Awaitable[PushAnswer]] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def tools(self) -> Tools:
        """Return tools that keep what is reported."""
        return Tools(self.http, self.folder, self.folder, self._report, self._receive)

    async def _report(self, *said: Sample | Vitals) -> None:
        self.reported += [one for one in said if one not in self.reported[-4:]]
        self.changed.set()
        await asyncio.sleep(0)

    def _receive(self, handler: Callable[[Push], Awaitable[PushAnswer]]) -> str:
        self.handler = handler
        return f"/hooks/kit/{NAME}"


async def recorded(plugin: Plugin, lines: list[Line], folder: Path) -> list[str]:
    """Play one capture; return what was otherwise than it says. Raises CaptureError."""
    async with FarEnd(lines) as far_end, aiohttp.ClientSession(trust_env=False) as http:
        bench = Bench(folder, http)
        async with _Lag() as lag:
            broken = await _play(plugin, lines, far_end, bench)
        return [*broken, *lag.findings()]


async def mooded(plugin: Plugin, lines: list[Line], mood: Mood, folder: Path) -> list[str]:
    """Let the far end misbehave; the session must say so with a DeviceError and leave the loop alone."""
    async with FarEnd(lines, mood) as far_end, aiohttp.ClientSession(trust_env=False) as http:
        findings = await _noticed(plugin, lines, far_end, Bench(folder, http), mood)
        if any(path == ELSEWHERE for _, path, _ in far_end.asked):
            return ["it followed the redirect: use fetch(), or allow_redirects=False"]
        return findings


async def _noticed(plugin: Plugin, lines: list[Line], far_end: FarEnd, bench: Bench, mood: Mood) -> list[str]:
    understood = mood is not Mood.GARBLED  # with garbage it may go on and wait for something that it understands
    try:
        async with asyncio.timeout(NOTICED):
            await _live(plugin, lines, far_end, bench)
    except DeviceError as error:
        return list(promises.of_text(error.reason, "the reason of a DeviceError", promises.LONGEST_REASON))
    except TimeoutError:
        return [f"it did not notice within {NOTICED:g} s"] if understood else []
    except Exception as error:  # noqa: BLE001 - any other error is what this is looking for
        return [f"{type(error).__name__} instead of a DeviceError: {error}"]
    return ["nothing was raised: the device would be shown as working"] if understood else []


def speaks_http(lines: list[Line]) -> bool:
    """Tell whether a capture is of HTTP that this far end can play."""
    return any("{server}" in str(line.said.get("config", "")) for line in lines)


def sessional(lines: list[Line]) -> bool:
    """Tell whether a capture is of a session at all."""
    return not any("topic" in line.said for line in lines)


async def _play(plugin: Plugin, lines: list[Line], far_end: FarEnd, bench: Bench) -> list[str]:
    try:
        connection = await _connect(plugin, lines, far_end, bench)
    except DeviceError as error:
        return [f"it could not be opened: {type(error).__name__}: {error.reason}"]
    task = None if connection.run is None else asyncio.ensure_future(connection.run())
    broken: list[str] = []
    try:
        for line in lines:
            broken += await _line(line, connection, bench)
        expected = next((line.said["expect"] for line in reversed(lines) if "expect" in line.said), None)
        if expected is not None:
            broken += await _heard(expected, bench, task)
    finally:
        await _end(connection, task)
    entities = [equipment.entity for equipment in connection.equipment]
    return [*broken, *promises.of_said(entities, bench.reported)]


async def _line(line: Line, connection: Connection, bench: Bench) -> list[str]:
    said = line.said
    where = f"{line.file}:{line.number}"
    if "push" in said:
        if bench.handler is None:
            return [f"{where}: the session takes no pushes: it never called tools.receive"]
        given = dict(said["push"])
        push = Push(given.get("method", "POST"), given.get("query", {}), given.get("headers", {}),
                    given.get("body", "").encode())  # fmt: skip
        answer = await bench.handler(push)
        if answer.status != said.get("answer", 200):
            return [f"{where}: answered {answer.status}, not {said.get('answer', 200)}"]
    elif "do" in said:
        try:
            await _do(said["do"], connection.equipment)
        except DeviceError as error:
            return [f"{where}: {said['do']} failed: {error.reason}"]
        except LookupError:
            return [f"{where}: no equipment can `{said['do']}`"]
    return []


async def _heard(expected: dict[str, Any], bench: Bench, task: asyncio.Task[None] | None) -> list[str]:
    """Wait until all that is expected was reported."""
    count = sum(len(rows) for rows in expected.values())
    with suppress(TimeoutError):
        async with asyncio.timeout(PLAYED):
            while len(bench.reported) < count and not (task is not None and task.done()):
                bench.changed.clear()
                await asyncio.wait({asyncio.ensure_future(bench.changed.wait())}, timeout=0.2)
    if task is not None and task.done() and not task.cancelled() and (error := task.exception()) is not None:
        return [f"`run` ended early: {type(error).__name__}: {error}"]
    found = told(bench.reported[:count])
    return [] if found == expected else [f"reported {found}, the capture expects {expected}"]


async def _live(plugin: Plugin, lines: list[Line], far_end: FarEnd, bench: Bench) -> None:
    """Open, run and command a device until something ends it."""
    connection = await _connect(plugin, lines, far_end, bench)
    task = None if connection.run is None else asyncio.ensure_future(connection.run())
    try:
        for line in lines:
            if "do" in line.said:
                with suppress(LookupError):
                    await _do(line.said["do"], connection.equipment)
        if task is not None:
            await task
    finally:
        await _end(connection, task)


async def _connect(plugin: Plugin, lines: list[Line], far_end: FarEnd, bench: Bench) -> Connection:
    part = plugin.session
    if part is None:
        raise CaptureError(f"{plugin.domain} has no session")
    values: dict[str, Any] = next((line.said["config"] for line in lines if "config" in line.said), {})
    try:
        config = integrations.convert(Mapping("config", 1, 1, ()), _served(values, far_end.url), part.config)
    except ConfigError as error:
        raise CaptureError(f"{lines[0].file}: `config` is wrong: {error}") from None
    opened = await part.connect(NAME, config, bench.tools())
    return opened if isinstance(opened, Connection) else Connection(opened)


def _served(values: Any, url: str) -> Any:
    if isinstance(values, dict):
        return {key: _served(value, url) for key, value in values.items()}
    return values.replace("{server}", url) if isinstance(values, str) else values


async def _do(command: str, equipment: tuple[Equipment, ...]) -> None:
    """Command the first driver that can. Raises DeviceError, LookupError when none can."""
    drivers: list[Driver | None] = [item.driver for item in equipment]
    for driver in drivers:
        if command == "snapshot" and isinstance(driver, Camera):
            await driver.snapshot()
        elif command == "play" and isinstance(driver, Speaker):
            await driver.play(Clip(pcm=bytes(1600)), 50, _KEY)
        elif command == "hold" and isinstance(driver, Relay):
            await driver.hold(1.0, _KEY)
        elif command == "tell" and isinstance(driver, Notifier):
            await driver.tell(_NOTICE)
        else:
            continue
        return
    raise LookupError(command)


async def _end(connection: Connection, task: asyncio.Task[None] | None) -> None:
    """Unload as the hub does."""
    if task is not None:
        task.cancel()
        await asyncio.wait({task}, timeout=5)
    if connection.close is not None:
        await connection.close()


class _Lag:
    """Watches how long the loop is held up."""

    async def __aenter__(self) -> _Lag:
        self._worst = 0.0
        self._task = asyncio.ensure_future(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def findings(self) -> Iterator[str]:
        """Return what was too long."""
        if self._worst > LAG:
            yield f"it held up the loop for {self._worst:.1f} s: wait with await, or say `isolation: process`"

    async def _watch(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            self._worst = max(self._worst, time.monotonic() - before - 0.01)
