"""A running hub without devices: the real loop, intake and journal file around one gate, on a virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from hub.engine.program import Program
from hub.engine.replay import Replay
from hub.engine.state import EngineState
from hub.journal.chain import Fresh
from hub.journal.history import History
from hub.journal.migrate import migrate
from hub.journal.store import FILE, Anchor, _load, connect
from hub.journal.writer import write
from hub.model.decision import Decision
from hub.model.entry import Entry, ModeChange
from hub.model.ids import EntityId
from hub.model.reading import Capability, Entity, Quality, Reading, Value
from hub.model.site import Mode
from hub.model.text import Text
from hub.model.time import Instant
from hub.runtime.batch import Batch
from hub.runtime.core import Runtime
from hub.runtime.intake import Decoder, Intake
from hub.runtime.problems import Problems
from hub.runtime.registry import Registry
from hub.sdk import Device
from tests.kit.clock import VirtualClock, settle


class Recorder:
    """Records what a program decides while it lives; ``program`` has slots for every entity that is heard."""

    def __init__(self, folder: Path, program: Program, start: Instant) -> None:
        self.folder = folder
        self.program = program
        self.clock = VirtualClock(start)
        self.decisions: list[Decision] = []
        self.entities = tuple(dict.fromkeys(name for slot in program.slots.values() for name in slot.entities()))
        self._db = connect(folder / FILE)
        self._db.execute("PRAGMA synchronous = OFF")  # nobody cuts the power of a test
        migrate(self._db)

    async def commit(self, entry: Entry) -> None:
        """Write an entry, as the journal's thread does."""
        self._db.execute("BEGIN")
        write(self._db, entry, Fresh())
        anchor = msgspec.json.encode(Anchor(self.clock.now(), "", 0)).decode()
        self._db.execute("INSERT OR REPLACE INTO meta VALUES ('anchor', ?)", (anchor,))
        self._db.execute("COMMIT")
        self.decisions += entry.decisions

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the hub while the context lasts; what it had not committed then is lost."""
        memory = _load(self._db)
        problems, registry = Problems(), Registry()
        state = EngineState(memory.states, memory.slots, memory.modes, memory.memories, memory.absences)
        self.runtime = Runtime(self.program, state, self, self.clock, problems)
        readers = tuple(Decoder(domain, ()) for domain in ("vehicle", "door"))  # a card speaks otherwise
        self.intake = Intake("mqtt", self.runtime, registry, readers, problems)
        known = tuple(Entity(name, Capability.PRESENCE, Text(name), "") for name in self.entities)
        registry.announce("test", "all", (Device("1", Text(""), known, ()),))

        def resume(batch: Batch) -> None:
            batch.start(batch.now if memory.anchor is None else memory.anchor.at)
            self.intake.distrust(batch, "restart")
            batch.adopt(self.program)

        task = asyncio.create_task(self.runtime.run())
        self.runtime.post(resume)
        await settle()
        try:
            yield
        finally:
            self.runtime.stop()
            await task

    async def hear(self, *readings: tuple[EntityId, Value | None, Quality]) -> None:
        """Hear readings that arrive together."""
        for entity, value, quality in readings:
            self.runtime.post(
                lambda batch, entity=entity, value=value, quality=quality: batch.feed(  # type: ignore[misc]
                    Reading(entity, value, quality, batch.now)
                )
            )
        await settle()

    async def mode(self, mode: Mode, *, on: bool, until: Instant | None = None) -> None:
        """Switch a mode, as the page does."""
        clicked = self.clock.now()
        self.runtime.post(lambda batch: batch.feed(ModeChange(mode, on, clicked, until)))
        await settle()

    async def jump(self, by: int) -> None:
        """Move the wall clock."""
        self.clock.jump(by)
        self.runtime.clock_jumped(by)
        await settle()

    def replayed(self, begin: Instant) -> list[Decision]:
        """Return what the journal says that the program would have decided since ``begin``."""
        history = History(self.folder)
        try:
            replay = Replay(self.program, history.known(self.entities, begin), begin)
            replay.live(history.inputs(self.entities, begin, Instant(1 << 61)))
            replay.until(Instant(self.clock.now() + 1))
            return replay.decisions
        finally:
            history.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Ask the file."""
        found: list[tuple[object, ...]] = self._db.execute(sql).fetchall()
        return found
