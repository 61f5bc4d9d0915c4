"""The engine: ``step(program, state, input, now)`` says what an input changes, and changes nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from hub.engine.activation import advance, end
from hub.engine.listening import heard, jumped
from hub.engine.recall import recall
from hub.engine.state import EngineState, Step, WakeKey
from hub.engine.view import View
from hub.model.activation import Slot, SlotKey
from hub.model.decision import Decision
from hub.model.entry import ClockJump, LinkBack, LinkLost, ModeChange, Started
from hub.model.memory import NO_MEMORY, Memory
from hub.model.reading import NEVER_HEARD, Quality, Reading, next_state
from hub.model.site import Mode
from hub.model.time import Instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hub.engine.listening import Absences
    from hub.engine.program import Program, SlotProgram
    from hub.model.ids import EntityId
    from hub.model.reading import State

#: Stands for no changes; never written to.
NOTHING: dict[Any, Any] = {}
Kept = TypeVar("Kept", bound=msgspec.Struct)


Event = Reading | ModeChange | ClockJump | Started | LinkLost | LinkBack


def step(program: Program, state: EngineState, event: Event, now: Instant) -> Step:
    """Return what ``event`` changes."""
    if isinstance(event, Reading):
        return _sense(program, state, event, now)
    if isinstance(event, ModeChange):
        return _advance(state, program.watching_mode(event.mode), now, modes=(event,))
    if isinstance(event, Started | LinkLost | LinkBack):
        return _listen(program, state, event, now)
    return _shift(program, state, event, now)


def _listen(program: Program, state: EngineState, event: Started | LinkLost | LinkBack, now: Instant) -> Step:
    """Note when somebody listened. After a start the rule set is taken over, and with it every slot is looked at."""
    absences = heard(state.absences, event)
    if not isinstance(event, LinkBack):
        return Step(absences=absences)
    looked = _advance(state, program.watching_silence(), now, absences=absences)  # which asked for no other time
    return msgspec.structs.replace(looked, absences=absences)


def requalify(
    program: Program, state: EngineState, entities: Iterable[EntityId], quality: Quality, now: Instant
) -> Step:
    """Return what changes when ``entities`` are trusted otherwise: all at once, so that none fires meanwhile."""
    changed = {
        entity: next_state(state.states.get(entity, NEVER_HEARD), Reading(entity, None, quality, now))
        for entity in entities
    }
    watching = dict.fromkeys(slot for entity in changed for slot in program.watching(entity))
    return _advance(state, watching, now, states=changed)


def wake(program: Program, state: EngineState, key: WakeKey, now: Instant) -> Step:
    """Return what the mere passing of time changes for what ``EngineState.take_due`` gave."""
    if key[0] == "":
        mode = Mode(key[1])
        return step(program, state, ModeChange(mode=mode, on=False, at=now, by="expired"), now)
    compiled = program.slots.get(key)  # type: ignore[call-overload]  # a SlotKey is such a pair
    return _advance(state, () if compiled is None else (compiled,), now)


def adopt(program: Program, state: EngineState, now: Instant) -> Step:
    """Return what a new rule set changes: slots whose trigger is unchanged go on, the others end with that reason."""
    slots: dict[SlotKey, Slot | None] = {}
    decisions: list[Decision] = []
    for key, slot in sorted(state.slots.items()):
        compiled = program.slots.get(key)
        if compiled is None or compiled.fingerprint != slot.trigger:
            slots[key] = None
            decisions.extend(end(key, slot, now))
    memories = _memories(program, state, now)
    kept = {key: slot for key, slot in state.slots.items() if key not in slots}
    fresh = EngineState(state.states, kept, state.modes.values(), {**state.memories, **memories}, state.absences)
    looked = _advance(fresh, program.slots.values(), now)
    return Step(memories=memories, slots={**slots, **looked.slots}, decisions=tuple(decisions) + looked.decisions)


def _sense(program: Program, state: EngineState, reading: Reading, now: Instant) -> Step:
    entity = reading.entity
    prior = state.states.get(entity, NEVER_HEARD)
    changed = next_state(prior, reading)
    memories = NOTHING
    tracking = program.tracked.get(entity)
    if tracking is not None:
        before = state.memories.get(entity, NO_MEMORY)
        after = recall(tracking, before, prior, changed, now)
        if after != before:
            memories = {entity: after}
    return _advance(state, program.watching(entity), now, {entity: changed}, memories)


def _memories(program: Program, state: EngineState, now: Instant) -> dict[EntityId, Memory]:
    """Return the memories that a new rule set needs and the state does not have yet."""
    found: dict[EntityId, Memory] = {}
    for entity, tracking in program.tracked.items():
        before, known = state.memories.get(entity, NO_MEMORY), state.states.get(entity, NEVER_HEARD)
        after = recall(tracking, before, known, known, now)
        if after != before:
            found[entity] = after
    return found


def _advance(
    state: EngineState,
    watching: Iterable[SlotProgram],
    now: Instant,
    states: dict[EntityId, State] = NOTHING,
    memories: dict[EntityId, Memory] = NOTHING,
    modes: tuple[ModeChange, ...] = (),
    absences: Absences | None = None,
) -> Step:
    """Look at each slot with what has changed. Most readings touch none: they cost no more than their own state."""
    if not watching:
        return Step(states, memories, NOTHING, modes)
    current: Mapping[Mode, ModeChange] = state.modes
    if modes:
        current = {**state.modes, **{change.mode: change for change in modes if change.on}}
        for change in modes:
            if not change.on:
                current.pop(change.mode, None)
    away = state.absences if absences is None else absences
    view = View(now, state.states, states, memories, state.memories, current, absences=away)
    slots: dict[SlotKey, Slot | None] = {}
    decisions: list[Decision] = []
    for compiled in watching:
        key = compiled.key
        before = state.slots.get(key)
        after, made = advance(compiled, before, view, now)
        if after is not before and after != before:
            slots[key] = after
        decisions += made
    return Step(states, memories, slots, modes, tuple(decisions))


def _shift(program: Program, state: EngineState, jump: ClockJump, now: Instant) -> Step:
    """Move every kept instant with the clock, so that what was due in a minute still is.

    Then look at every slot: the time of day, the day or the sun may be another at once.
    """
    moved = _moved_along(state, jump)
    fresh = EngineState(
        moved.states,
        {key: slot for key, slot in moved.slots.items() if slot},
        moved.modes,
        moved.memories,
        moved.absences or (),
    )
    looked = _advance(fresh, program.slots.values(), now)
    return msgspec.structs.replace(moved, slots={**moved.slots, **looked.slots}, decisions=looked.decisions)


def _moved_along(state: EngineState, jump: ClockJump) -> Step:
    slot_fields = ("since", "began", "due", "wake", "blind_since", "clearing_since")
    return Step(
        states={entity: _moved(kept, jump.by, ("since", "at")) for entity, kept in state.states.items()},
        memories={
            entity: Memory(tuple((Instant(at + jump.by), word) for at, word in memory.edges), memory.latches)
            for entity, memory in state.memories.items()
        },
        slots={key: _moved(slot, jump.by, slot_fields) for key, slot in state.slots.items()},
        modes=tuple(_moved(change, jump.by, ("at", "until")) for change in state.modes.values()),
        absences=jumped(state.absences, jump.by),
    )


def _moved(kept: Kept, by: int, fields: tuple[str, ...]) -> Kept:
    return msgspec.structs.replace(kept, **{name: value + by for name in fields if (value := getattr(kept, name))})
