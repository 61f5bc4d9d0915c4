"""One batch: what arrived together is decided together and committed in one journal transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.engine.step import step, wake
from hub.model.decision import Command
from hub.model.entry import ClockJump, Entry, ModeChange, Note, Outcome
from hub.model.reading import Reading
from hub.model.time import Instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.engine.program import Program
    from hub.engine.state import EngineState, Step
    from hub.model.ids import EntityId

#: Most timers decided in one transaction, about 10 ms of work; the next turn goes on with the rest.
DUE = 500


class Batch:
    """Collects one transaction while inputs are decided, and what to do once it is on the disk."""

    def __init__(self, program: Program, state: EngineState, now: Instant) -> None:
        self.program = program
        self.state = state
        self.now = now
        self.entry = Entry(at=now)
        self._committed: list[Callable[[], None]] = []

    def feed(self, event: Reading | ModeChange | ClockJump, *, record: bool = True) -> None:
        """Decide one input.

        ``record`` False keeps a change of mere trust out of the readings and of what a restart remembers: a hub that
        dies before its link is back must still know what was trusted before.
        """
        if isinstance(event, Reading):
            if record:
                self.entry.readings.append(event)
        elif isinstance(event, ModeChange):
            pass  # it stands among the changes of its own step
        else:
            self.entry.jumps.append(event)
        self.take(step(self.program, self.state, event, self.now), record=record)

    def remember(self, entity: EntityId) -> None:
        """Have a restart remember the state of ``entity`` as it is now, trust included."""
        self.entry.states[entity] = self.state.states[entity]

    def take(self, change: Step, *, record: bool = True) -> None:
        """Take over what a step changes. The next one has a later instant, so that no two activations share an id."""
        self._take(change, record=record)
        self.now = Instant(self.now + 1)

    def _take(self, change: Step, *, record: bool = True) -> None:
        self.state.apply(change)
        if record:
            self.entry.states.update(change.states)
        self.entry.memories.update(change.memories)
        self.entry.slots.update(change.slots)
        self.entry.modes.extend(change.modes)
        self.entry.decisions.extend(change.decisions)

    def pass_time(self) -> None:
        """Decide what is due, earliest first; of a storm only so much as leaves room for what arrives meanwhile."""
        for _ in range(DUE):
            key = self.state.take_due(self.now)
            if key is None:
                return
            self._take(wake(self.program, self.state, key, self.now))

    def record(self, fact: Outcome | Note) -> None:
        """Journal a fact that the engine does not decide on."""
        if isinstance(fact, Outcome):
            self.entry.outcomes.append(fact)
        else:
            self.entry.notes.append(fact)

    def when_committed(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once everything of this batch is on the disk: acknowledgements go here."""
        self._committed.append(callback)

    def committed(self) -> tuple[Callable[[], None], ...]:
        """Return the callbacks, in order."""
        return tuple(self._committed)

    @property
    def commands(self) -> list[Command]:
        """What is to be done to the world."""
        return [decision for decision in self.entry.decisions if isinstance(decision, Command)]
