"""100,000 pending ``for`` timers: what one costs to arm and keep, and how long the loop stands still when all are due.

Engine, runtime and journal are the hub's own; the storm is committed to a real disk.
"""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import msgspec

from hub.engine.program import Program
from hub.engine.state import EngineState
from hub.engine.step import step
from hub.journal.store import Journal
from hub.model.ids import EntityId
from hub.model.reading import Presence, Quality, Reading
from hub.model.time import SECOND, Duration, Instant
from hub.runtime.clock import SystemClock, wall
from hub.runtime.core import Runtime
from hub.runtime.problems import Problems
from tests.bench.engine import entity, rules, site
from tests.bench.figure import Figure

TIMERS = 100_000
#: How far ahead the storm is, in seconds: arming must be over by then.
AHEAD = 25


def program(count: int, hold: int) -> Program:
    """Return one rule for each of ``count`` lanes, all with the same ``for``."""
    (rule,) = rules(1, 1)
    trigger = msgspec.structs.replace(rule.trigger, hold=Duration(hold))
    return Program((msgspec.structs.replace(rule, only=(), trigger=trigger),), site(count))


def figures() -> Iterator[Figure]:
    """Arm them in memory, then let a storm of them come."""
    yield from _memory()
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as name:
        yield from asyncio.run(_storm(Path(name)))


def _memory() -> Iterator[Figure]:
    compiled, state = program(TIMERS, 3_600 * SECOND), EngineState()
    names = [entity(number) for number in range(TIMERS)]
    for number, name in enumerate(names):
        _hear(compiled, state, name, Presence.ABSENT, number)
    for number, name in enumerate(names[: TIMERS // 10]):  # closures are made when they are first needed
        _hear(compiled, state, name, Presence.PRESENT, TIMERS + number)
        _hear(compiled, state, name, Presence.ABSENT, TIMERS + number)
    began = time.process_time()
    for number, name in enumerate(names):
        _hear(compiled, state, name, Presence.PRESENT, 2 * TIMERS + number)
    arming = (time.process_time() - began) / TIMERS * 1e6
    yield Figure("timers", "timers.arm_us", round(arming, 2), "us", TIMERS, "one reading that begins a `for`; want 15")
    for number, name in enumerate(names):
        _hear(compiled, state, name, Presence.ABSENT, 3 * TIMERS + number)
    gc.collect()
    tracemalloc.start()
    for number, name in enumerate(names):
        _hear(compiled, state, name, Presence.PRESENT, 4 * TIMERS + number)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    yield Figure("timers", "timers.bytes_each", round(kept / TIMERS), "B", TIMERS, "slot, heap and state; want 1,000")


def _hear(compiled: Program, state: EngineState, name: EntityId, value: Presence, now: int) -> None:
    at = Instant(1_000_000_000_000 + now)
    state.apply(step(compiled, state, Reading(name, value, Quality.GOOD, at), at))


async def _storm(folder: Path) -> Iterator[Figure]:
    journal = Journal(folder)
    state = EngineState()
    clock = SystemClock(wall())
    due = Instant(clock.now() + AHEAD * SECOND)
    compiled = program(TIMERS, AHEAD * SECOND)
    began = Instant(due - AHEAD * SECOND)
    for number in range(TIMERS):  # all of them at the same instant
        reading = Reading(entity(number), Presence.PRESENT, Quality.GOOD, began)
        state.apply(step(compiled, state, reading, began))
    runtime = Runtime(compiled, state, journal, clock, Problems())
    fired = 0
    over = asyncio.Event()

    def count(_command: object) -> None:
        nonlocal fired
        fired += 1
        if fired == TIMERS:
            over.set()

    runtime.dispatch_to(count)
    gc.collect()
    gc.freeze()
    if clock.now() > due:
        raise RuntimeError(f"arming took longer than {AHEAD} s")
    loop = asyncio.create_task(runtime.run())
    stalls: list[float] = []
    ticking = asyncio.create_task(_tick(stalls))
    await over.wait()
    spent = (clock.now() - due) / SECOND
    ticking.cancel()
    runtime.stop()
    await loop
    await journal.close()
    gc.unfreeze()
    note = "longest stop of the loop while all are decided and committed; want 100"
    return iter(
        (
            Figure("timers", "timers.storm_stall_ms", round(max(stalls) * 1_000, 1), "ms", len(stalls), note),
            Figure("timers", "timers.storm_s", round(spent, 2), "s", TIMERS, "from due to the last command"),
        )
    )


async def _tick(stalls: list[float]) -> None:
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.001)
        stalls.append(time.monotonic() - before - 0.001)
