"""One batch: what arrived together is decided together and committed in one journal transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.engine.listening import lasts
from hub.engine.step import adopt, requalify, step, wake
from hub.model.decision import Command
from hub.model.entry import Adopted, ClockJump, Entry, LinkBack, LinkLost, ModeChange, Note, Outcome, Started, Trust
from hub.model.reading import Quality, Reading
from hub.model.time import Instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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

    def feed(self, event: Reading | ModeChange | ClockJump) -> None:
        """Decide one input."""
        if isinstance(event, Reading):
            self.entry.readings.append(event)
        elif isinstance(event, ModeChange):  # it stands among the changes of its own step, too, with its own time
            self.entry.turns.append(msgspec.structs.replace(event, at=self.now))
        else:
            self.entry.jumps.append(event)
            self.entry.turns.append(event)
        self.take(step(self.program, self.state, event, self.now))

    def trust(self, entities: Iterable[EntityId], quality: Quality) -> None:
        """Trust ``entities`` otherwise.

        That is no reading, and nothing that a restart remembers: a hub that dies before its link is back must still
        know what was trusted before.
        """
        turn = Trust(self.now, quality, tuple(entities))
        if turn.entities:
            self.entry.turns.append(turn)
        self.take(requalify(self.program, self.state, turn.entities, quality, self.now), record=False)

    def start(self, since: Instant) -> None:
        """Note that the hub was away since its last commit."""
        event = Started(self.now, min(since, self.now))
        self.entry.turns.append(event)
        self.take(step(self.program, self.state, event, self.now))

    def lose(self, integrations: Iterable[str]) -> None:
        """Note that nothing is heard of some integrations' devices until ``regain``: their silence says nothing."""
        mine = tuple(sorted(set(integrations)))
        if mine and not lasts(self.state.absences):  # an absence of nobody in particular is the hub's own
            self._listen(LinkLost(self.now, mine))

    def regain(self) -> None:
        """Note that everybody can be heard again."""
        if lasts(self.state.absences):
            self._listen(LinkBack(self.now))

    def _listen(self, event: LinkLost | LinkBack) -> None:
        self.entry.turns.append(event)
        self.take(step(self.program, self.state, event, self.now))

    def adopt(self, program: Program) -> None:
        """Take a rule set over; what runs under an unchanged trigger goes on."""
        self.program = program
        self.entry.turns.append(Adopted(self.now))
        self.take(adopt(program, self.state, self.now))

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

    def order(self, command: Command) -> None:
        """Take a command of a person: committed and performed like one that a rule decided."""
        self.entry.decisions.append(command)

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
