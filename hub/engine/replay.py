"""Lives through recorded history with the live engine: each input at its instant, each wake-up between them at its own.

The journal holds far more repeats than changes, so a reading that cannot change an answer is only noted: the same word
again, or a number on the same side of every limit, from a source that was trusted and not yet silent. A look of the
engine at such a reading decides nothing, because whatever time alone changes has its own wake-up. What was noted is
written into the state before the engine looks again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.engine.program import watched
from hub.engine.step import adopt, requalify, step, wake
from hub.engine.terms import Count, Preceded, Silent, SupplySilent, leaves
from hub.engine.truth import latched
from hub.model.activation import Phase
from hub.model.entry import Adopted, ClockJump, LinkBack, LinkLost, ModeChange, Started, Trust, Turn
from hub.model.ids import EntityId
from hub.model.memory import NO_MEMORY
from hub.model.reading import Quality, Reading, State, value_from_store
from hub.model.time import DAY, Instant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub.engine.program import Program
    from hub.engine.state import EngineState, Step
    from hub.model.decision import Decision
    from hub.model.reading import Value

#: One reading as the journal keeps it: sequence number, entity, value, quality, instant.
Row = tuple[int, str, str | float | None, str, int]
#: Later than anything.
NEVER = Instant(1 << 62)
#: Most that a replay begins before the moment that is asked for.
LONGEST = 7 * DAY


class _Heard:
    """The last trusted value of one entity, with what was noted of it since the engine looked."""

    __slots__ = ("at", "patience", "since", "value")

    def __init__(self, value: Value, since: Instant, at: Instant, patience: int) -> None:
        self.value: str | float = value if isinstance(value, float) else str(value)
        self.since = since
        self.at = at
        self.patience = patience
        """After how long without a word a rule may call it silent, in microseconds."""


class Replay:
    """An engine with its memory, and a clock that moves with the history."""

    def __init__(self, program: Program, state: EngineState, now: Instant) -> None:
        """Begin at ``now`` with a look at everything, as a rule set that is taken over does."""
        self.program = program
        self.state = state
        self.decisions: list[Decision] = []
        self._now = now
        self._down = False
        self._heard: dict[str, _Heard] = {}
        self._due: int = NEVER
        self._patience = _patience(program)
        self._turn(Adopted(now))

    @property
    def idle(self) -> bool:
        """Whether no rule is between its trigger and its clear."""
        return all(slot.phase not in {Phase.PENDING, Phase.ACTIVE} for slot in self.state.slots.values())

    def live(self, inputs: Iterable[Row | Turn]) -> None:
        """Live through ``inputs`` in their order."""
        heard = self._heard
        for item in inputs:
            if type(item) is not tuple:
                self._turn(item)  # type: ignore[arg-type]  # a Row is the only tuple
                continue
            _, entity, value, quality, at = item
            known = heard.get(entity)
            if (
                known is not None
                and quality == "good"
                and at <= self._due
                and at - known.at < known.patience
                and (value == known.value or self._is_still(entity, known.value, value))
            ):
                if value != known.value:
                    known.value, known.since = value, at  # type: ignore[assignment]  # a number, then
                known.at = at  # type: ignore[assignment]  # an Instant
            else:
                self._read(EntityId(entity), value, Quality(quality), Instant(at))

    def until(self, end: Instant) -> None:
        """Decide what is due before ``end``."""
        if not self._down:
            self._pass(end)
        self._note()

    def _read(self, entity: EntityId, value: str | float | None, quality: Quality, at: Instant) -> None:
        if not self._down:
            self._pass(at)
        self._note()
        self._take(step(self.program, self.state, Reading(entity, value_from_store(value), quality, at), at), at)
        self._know(entity)

    def _turn(self, turn: Turn) -> None:
        if not self._down:
            # a jump is recorded on the clock that has moved already
            self._pass(Instant(turn.at - turn.by if isinstance(turn, ClockJump) else _seen(turn)))
        self._note()
        match turn:
            case Started():
                self._down = True
                made = step(self.program, self.state, turn, turn.at)
            case Adopted():
                self._down = False
                made = adopt(self.program, self.state, turn.at)
            case Trust():
                made = requalify(self.program, self.state, turn.entities, turn.quality, turn.at)
            case ModeChange() | ClockJump() | LinkLost() | LinkBack():
                made = step(self.program, self.state, turn, turn.at)
        self._take(made, turn.at)
        for entity in self.state.states:
            self._know(entity)

    def _pass(self, end: Instant) -> None:
        """Decide what is due before ``end``, as the runtime does when nothing arrives."""
        while (due := self.state.next_wake()) is not None and due < end:
            self._note()
            self._now = max(due, self._now)
            key = self.state.take_due(due)
            if key is not None:
                change = wake(self.program, self.state, key, self._now)
                self.state.apply(change)
                self.decisions.extend(change.decisions)
        self._due = NEVER if due is None else due

    def _take(self, change: Step, at: Instant) -> None:
        """Take over what an input changes; nothing else is decided at the same instant."""
        self.state.apply(change)
        self.decisions.extend(change.decisions)
        self._now = Instant(at + 1)
        due = self.state.next_wake()
        self._due = NEVER if due is None else due

    def _know(self, entity: EntityId) -> None:
        state = self.state.states[entity]
        if state.quality is Quality.GOOD and state.value is not None:
            patience = self._patience.get(entity, NEVER)
            self._heard[entity] = _Heard(state.value, state.since, state.at, patience)
        else:
            self._heard.pop(entity, None)

    def _note(self) -> None:
        """Write what was noted into the state."""
        for entity, heard in self._heard.items():
            name = EntityId(entity)
            if heard.at != self.state.states[name].at:
                value = value_from_store(heard.value)
                self.state.states[name] = State(value, Quality.GOOD, heard.since, heard.at)

    def _is_still(self, entity: str, before: str | float, value: str | float | None) -> bool:
        """Tell whether a number lies on the same side of every limit as the one before it."""
        if type(value) is not float or type(before) is not float:
            return False
        name = EntityId(entity)
        tracking = self.program.tracked.get(name)
        if tracking is None:
            return True
        latches = self.state.memories.get(name, NO_MEMORY).latches
        for latch, term in tracking.limits.items():
            was = latch in latches
            if latched(term, value, was=was) is not was:
                return False
        return True


def span(program: Program) -> int:
    """Return how long before a moment history must begin, in microseconds, so that all that was running then runs.

    Its parts are a day each at most by the language (hub.engine.parse); only repeated steps may take longer.
    """
    longest = 0
    for rule in program.rules:
        found = (leaf for term in watched(rule) for leaf in leaves(term))
        window = max((leaf.within for leaf in found if isinstance(leaf, Count | Preceded)), default=0)
        steps = max((step.after + (step.times - 1) * step.every for step in rule.escalation), default=0)
        parts = rule.trigger.hold, rule.clear.hold, rule.cooldown, rule.tolerate_gap, window, steps
        longest = max(longest, sum(parts))
    return min(longest, LONGEST)


def _seen(turn: Turn) -> Instant:
    """Return until when the hub decided what was due before ``turn``."""
    return Instant(turn.since + 1) if isinstance(turn, Started) else turn.at


def _patience(program: Program) -> dict[EntityId, int]:
    """Return, for each entity whose silence a rule speaks of, the shortest one."""
    found: dict[EntityId, int] = {}
    for slot in program.slots.values():
        for term in watched(slot.rule):
            for leaf in leaves(term):
                if isinstance(leaf, Silent):
                    for entity in slot.zone.bound(leaf.role):
                        found[entity] = min(leaf.time, found.get(entity, NEVER))
                elif isinstance(leaf, SupplySilent):
                    for entity in (entity for supply in slot.supplies for entity in supply):
                        found[entity] = min(leaf.time, found.get(entity, NEVER))
    return found
