"""Decide, commit, act: how many matched readings a second the loop and the journal carry, and how late a command is.

Runtime and journal as in the hub (WAL, synchronous=FULL, group commit), on a real disk. ``durable_rate``: every reading
moves a rule, it opens an activation with a command for the outbox, or clears it. ``fired_rate`` and the open loops:
every reading fires one of two opposite rules and clears the other, about twice the work. Open loop: a latency counts
from the moment at which the reading was due to the moment at which its command is handed out, so that a slow loop
cannot hide behind a slow generator. Home Assistant with its recorder, not durable: 1,363 to 1,426/s; p99 at 1,000/s
264 ms.
"""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from hub.engine.program import Program
from hub.engine.state import EngineState
from hub.journal.store import Journal
from hub.model.entry import Entry
from hub.model.reading import Quality, Reading
from hub.runtime.batch import Batch
from hub.runtime.clock import SystemClock, wall
from hub.runtime.core import Runtime
from hub.runtime.problems import Problems
from tests.bench.engine import PAIR, entity, rules, site
from tests.bench.figure import Figure, percentile

ENTITIES, RULES = 1_000, 2_000
RATES = (100, 1_000, 5_000)
#: Seconds of each open loop, and readings of the closed one.
SECONDS, CLOSED = 10, 150_000
#: Readings that may wait at the same time in the closed loop.
OUTSTANDING = 2_000


class Pipe:
    """A loop with its journal; notes when each command is handed out."""

    def __init__(self, folder: Path, every: int) -> None:
        self.journal = Journal(folder)
        program = Program(rules(RULES, ENTITIES)[::every], site(ENTITIES))
        self.runtime = Runtime(program, EngineState(), self.journal, SystemClock(wall()), Problems())
        self.handed = 0
        self.late: list[float] = []
        self.due: dict[str, float] = {}
        self.sent = self.carried = 0
        self.done = asyncio.Event()
        self.runtime.dispatch_to(self._hand)

    def _hand(self, command: object) -> None:
        self.handed += 1
        due = self.due.pop(command.zone, None)  # type: ignore[attr-defined]
        if due is not None:
            self.late.append(time.monotonic() - due)

    def heard(self, entry: Entry) -> None:
        """Post as many readings as were committed, until there were enough."""
        self.carried += len(entry.readings)
        if self.carried >= CLOSED:
            self.done.set()
            return
        for _ in entry.readings:
            self.hear()

    def hear(self, due: float | None = None) -> None:
        """Post the next reading: each entity in turn, its value the other one each time around."""
        turn, number = divmod(self.sent, ENTITIES)
        self.sent += 1
        value, name = PAIR[turn % 2], entity(number)
        if due is not None:
            self.due[f"lane_{number}"] = due

        def work(batch: Batch) -> None:
            batch.feed(Reading(name, value, Quality.GOOD, batch.now))

        self.runtime.post(work)


@asynccontextmanager
async def running(folder: Path, every: int = 1) -> AsyncIterator[Pipe]:
    """Run a pipe while the context lasts; of the opposite rules ``every`` so many are used."""
    pipe = Pipe(folder, every)
    gc.collect()
    gc.freeze()
    task = asyncio.create_task(pipe.runtime.run())
    try:
        yield pipe
    finally:
        pipe.runtime.stop()
        await task
        await pipe.journal.close()
        gc.unfreeze()


def figures() -> Iterator[Figure]:
    """Measure the closed loop, then the open ones."""
    for every, figure, note in (
        (2, "durable_rate", "each reading opens or clears an activation, FULL; want 15,000"),
        (1, "fired_rate", "each reading fires one rule and clears another, FULL"),
    ):
        with tempfile.TemporaryDirectory(prefix="menshen-bench-") as name:
            rate = asyncio.run(_closed(Path(name), every))
        yield Figure("pipeline", f"pipeline.{figure}", round(rate), "/s", CLOSED, note)
    for offered in RATES:
        with tempfile.TemporaryDirectory(prefix="menshen-bench-") as name:
            late, kept = asyncio.run(_open(Path(name), offered))
        for part, word in ((0.5, "p50"), (0.99, "p99")):
            value = round(percentile(late, part) * 1_000, 2)
            yield Figure(
                "pipeline", f"pipeline.{word}_ms@{offered}", value, "ms", len(late), "due → command handed out"
            )
        yield Figure("pipeline", f"pipeline.kept_up@{offered}", round(kept, 3), "x", len(late), "carried/offered")


async def _closed(folder: Path, every: int) -> float:
    async with running(folder, every) as pipe:
        began = time.monotonic()
        pipe.runtime.listen(pipe.heard)
        for _ in range(OUTSTANDING):
            pipe.hear()
        await pipe.done.wait()
        return pipe.carried / (time.monotonic() - began)


async def _open(folder: Path, rate: int) -> tuple[list[float], float]:
    async with running(folder) as pipe:
        began, total = time.monotonic(), rate * SECONDS
        while pipe.sent < total:
            while pipe.sent < total and (due := began + pipe.sent / rate) <= time.monotonic():
                pipe.hear(due)
            await asyncio.sleep(max(0.0, began + pipe.sent / rate - time.monotonic()))
        end = time.monotonic() + 20
        while pipe.handed < total and time.monotonic() < end:  # noqa: ASYNC110 - it must not disturb what it measures
            await asyncio.sleep(0.01)
        return pipe.late, pipe.handed / rate / (time.monotonic() - began)
