"""The engine: ``step(program, state, input, now)`` says what an input changes, and changes nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from hub.engine.activation import advance, end
from hub.engine.recall import recall
from hub.engine.state import EngineState, Step, WakeKey
from hub.engine.view import View
from hub.model.activation import Slot, SlotKey
from hub.model.decision import Decision
from hub.model.entry import ClockJump, ModeChange
from hub.model.memory import NO_MEMORY, Memory
from hub.model.reading import NEVER_HEARD, Quality, Reading, next_state
from hub.model.site import Mode
from hub.model.time import Instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hub.engine.program import Program
    from hub.model.ids import EntityId
    from hub.model.reading import State

Kept = TypeVar("Kept", bound=msgspec.Struct)


def step(program: Program, state: EngineState, event: Reading | ModeChange | ClockJump, now: Instant) -> Step:
    """Return what ``event`` changes."""
    if isinstance(event, Reading):
        return _sense(program, state, event, now)
    if isinstance(event, ModeChange):
        return _advance(program, state, program.watching_mode(event.mode), now, modes=(event,))
    return _shift(program, state, event, now)


def requalify(
    program: Program, state: EngineState, entities: Iterable[EntityId], quality: Quality, now: Instant
) -> Step:
    """Return what changes when ``entities`` are trusted otherwise: all at once, so that none fires meanwhile."""
    changed = {
        entity: next_state(state.states.get(entity, NEVER_HEARD), Reading(entity, None, quality, now))
        for entity in entities
    }
    keys = dict.fromkeys(key for entity in changed for key in program.watching(entity))
    return _advance(program, state, keys, now, states=changed)


def wake(program: Program, state: EngineState, key: WakeKey, now: Instant) -> Step:
    """Return what the mere passing of time changes for what ``EngineState.take_due`` gave."""
    if key[0] == "":
        mode = Mode(key[1])
        return step(program, state, ModeChange(mode=mode, on=False, at=now, by="expired"), now)
    return _advance(program, state, (SlotKey(*key),), now)  # type: ignore[arg-type]  # a WakeKey is a SlotKey's pair


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
    fresh = EngineState(state.states, kept, state.modes.values(), {**state.memories, **memories})
    looked = _advance(program, fresh, program.slots, now)
    return Step(memories=memories, slots={**slots, **looked.slots}, decisions=tuple(decisions) + looked.decisions)


def _sense(program: Program, state: EngineState, reading: Reading, now: Instant) -> Step:
    entity = reading.entity
    prior = state.states.get(entity, NEVER_HEARD)
    changed = next_state(prior, reading)
    memories: dict[EntityId, Memory] = {}
    tracking = program.tracked.get(entity)
    if tracking is not None:
        before = state.memories.get(entity, NO_MEMORY)
        after = recall(tracking, before, prior, changed, now)
        if after != before:
            memories[entity] = after
    return _advance(program, state, program.watching(entity), now, states={entity: changed}, memories=memories)


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
    program: Program,
    state: EngineState,
    keys: Iterable[SlotKey],
    now: Instant,
    states: dict[EntityId, State] | None = None,
    modes: tuple[ModeChange, ...] = (),
    memories: Mapping[EntityId, Memory] | None = None,
) -> Step:
    changed, remembered = states or {}, dict(memories or {})
    current: Mapping[Mode, ModeChange] = state.modes
    if modes:
        current = {**state.modes, **{change.mode: change for change in modes if change.on}}
        for change in modes:
            if not change.on:
                current.pop(change.mode, None)
    view = View(now, state.states, changed, remembered, state.memories, current)
    slots: dict[SlotKey, Slot | None] = {}
    decisions: list[Decision] = []
    for key in keys:
        compiled = program.slots.get(key)
        if compiled is None:
            continue
        before = state.slots.get(key)
        after, made = advance(compiled, before, view, now)
        if after != before:
            slots[key] = after
        decisions.extend(made)
    return Step(states=changed, memories=remembered, slots=slots, modes=modes, decisions=tuple(decisions))


def _shift(program: Program, state: EngineState, jump: ClockJump, now: Instant) -> Step:
    """Move every kept instant with the clock, so that what was due in a minute still is.

    Then look at every slot: the time of day, the day or the sun may be another at once.
    """
    moved = _moved_along(state, jump)
    fresh = EngineState(
        moved.states, {key: slot for key, slot in moved.slots.items() if slot}, moved.modes, moved.memories
    )
    looked = _advance(program, fresh, program.slots, now)
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
    )


def _moved(kept: Kept, by: int, fields: tuple[str, ...]) -> Kept:
    return msgspec.structs.replace(kept, **{name: value + by for name in fields if (value := getattr(kept, name))})
