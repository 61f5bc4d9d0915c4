"""A runtime with a virtual clock and a journal in memory that refuses when told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hub.engine.program import Program
from hub.engine.rule import Rule
from hub.engine.state import EngineState
from hub.model.decision import Decision
from hub.model.entry import Entry, Note, Outcome
from hub.model.errors import JournalError
from hub.model.ids import EntityId
from hub.model.reading import Quality, Reading, Value
from hub.model.site import Site
from hub.runtime import core
from hub.runtime.core import Runtime
from hub.runtime.problems import Problems
from tests.kit.clock import VirtualClock, settle
from tests.kit.lane import site


class MemoryJournal:
    """A JournalPort. While ``refuses`` it raises; while ``gate`` is clear it takes its time."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.refuses = False
        self.tries = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def commit(self, entry: Entry) -> None:
        self.tries += 1
        await self.gate.wait()
        if self.refuses:
            raise JournalError("disk full")
        self.entries.append(entry)

    def of(self, kind: type) -> list[Decision | Outcome | Note]:
        """Return every decision, outcome and note of a kind that was committed."""
        found = [fact for entry in self.entries for fact in (*entry.decisions, *entry.outcomes, *entry.notes)]
        return [fact for fact in found if isinstance(fact, kind)]


class Loop:
    """A runtime and what it was built from."""

    def __init__(
        self,
        *rules: Rule,
        state: EngineState | None = None,
        clock: VirtualClock | None = None,
        of: Site | None = None,
    ) -> None:
        self.clock = clock or VirtualClock()
        self.journal = MemoryJournal()
        self.problems = Problems()
        self.site = of or site()
        self.runtime = Runtime(
            Program(rules, self.site), state or EngineState(), self.journal, self.clock, self.problems
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run while the context lasts."""
        task = asyncio.create_task(self.runtime.run())
        await settle()
        try:
            yield
        finally:
            self.journal.refuses = False
            self.journal.gate.set()
            self.runtime.stop()
            await task

    async def hear(self, entity: EntityId, value: Value | None, quality: Quality = Quality.GOOD) -> None:
        """Hear one reading and wait until what follows from it is done."""
        self.runtime.post(lambda batch: batch.feed(Reading(entity, value, quality, batch.now)))
        await settle()


#: Retry at once instead of twice a second.
IMPATIENT = (core, "RETRY", 0.0)
