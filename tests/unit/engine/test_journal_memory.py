"""What the real journal gives back after a restart is what the engine knew: states, memories, slots, modes."""

from __future__ import annotations

from pathlib import Path

from hub.engine.state import EngineState, Step
from hub.engine.step import Event
from hub.journal.store import Journal
from hub.model.entry import ClockJump, Entry, LinkBack, LinkLost, Started
from tests.kit.golden import Golden
from tests.kit.machine import Machine, picture


class Recorded(Machine):
    """Keeps every step, as the runtime's batches do."""

    def _take(self, change: Step) -> int:
        self.__dict__.setdefault("steps", []).append(change)
        return super()._take(change)

    def _feed(self, event: Event) -> int:
        if isinstance(event, ClockJump | Started | LinkLost | LinkBack):
            self.__dict__.setdefault("turns", []).append(event)
        return super()._feed(event)

    def entry(self) -> Entry:
        """Return one transaction of what happened since the last."""
        entry, steps = Entry(at=self.now), self.__dict__.pop("steps", [])
        entry.turns = self.__dict__.pop("turns", [])
        for step in steps:
            entry.states.update(step.states)
            entry.memories.update(step.memories)
            entry.slots.update(step.slots)
            entry.modes.extend(step.modes)
        return entry


async def test_the_journal_gives_back_what_the_engine_knew(tmp_path: Path) -> None:
    golden = Golden(Recorded)
    machine = golden.machine
    assert isinstance(machine, Recorded)
    for _ in range(12):
        golden.live(60)
        journal = Journal(tmp_path)
        await journal.commit(machine.entry())
        await journal.close()
        kept = Journal(tmp_path)
        memory = kept.load()
        await kept.close()
        state = EngineState(memory.states, memory.slots, memory.modes, memory.memories, memory.absences)
        assert picture(state) == picture(machine.state)
        assert state.next_wake() == machine.state.next_wake()
        machine.state = state  # and it goes on with that
    assert machine.state.memories
    assert machine.state.slots
    assert machine.state.absences
