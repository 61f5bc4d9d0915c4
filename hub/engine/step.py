"""The engine: ``step(program, state, input, now)`` says what an input changes, and changes nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from hub.engine.activation import advance
from hub.engine.state import EngineState, Step, View, WakeKey
from hub.model.activation import Slot, SlotKey
from hub.model.decision import Cleared, Decision, IncidentClosed, PendingDropped, Reason
from hub.model.entry import ClockJump, ModeChange
from hub.model.reading import NEVER_HEARD, Quality, Reading, next_state
from hub.model.site import Mode
from hub.model.time import Duration, Instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hub.engine.program import Program
    from hub.model.ids import EntityId
    from hub.model.reading import State


Kept = TypeVar("Kept", bound=msgspec.Struct)


def step(program: Program, state: EngineState, event: Reading | ModeChange | ClockJump, now: Instant) -> Step:
    """Return what ``event`` changes."""
    if isinstance(event, Reading):
        prior = state.states.get(event.entity, NEVER_HEARD)
        changed = {event.entity: next_state(prior, event)}
        return _advance(program, state, program.watching(event.entity), now, states=changed)
    if isinstance(event, ModeChange):
        return _advance(program, state, program.watching_mode(event.mode), now, modes=(event,))
    return _shift(state, event)


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
            decisions.extend(_end(key, slot, now))
    ended = Step(slots=slots, decisions=tuple(decisions))
    fresh = EngineState(state.states, {key: slot for key, slot in state.slots.items() if key not in slots})
    fresh.modes = state.modes
    looked = _advance(program, fresh, program.slots, now)
    return Step(slots={**ended.slots, **looked.slots}, decisions=ended.decisions + looked.decisions)


def _end(key: SlotKey, slot: Slot, now: Instant) -> Iterable[Decision]:
    if slot.activation is None:
        if slot.announced:
            ran = Duration(now - slot.since)
            yield PendingDropped(rule=key.rule, zone=key.zone, at=now, reason=Reason.RULE_CHANGED, ran=ran)
        return
    common = {"rule": key.rule, "zone": key.zone, "at": now, "activation": slot.activation}
    yield Cleared(**common, reason=Reason.RULE_CHANGED)  # type: ignore[arg-type]
    if slot.incident:
        yield IncidentClosed(**common, reason=Reason.RULE_CHANGED)  # type: ignore[arg-type]


def _advance(
    program: Program,
    state: EngineState,
    keys: Iterable[SlotKey],
    now: Instant,
    states: Mapping[EntityId, State] | None = None,
    modes: tuple[ModeChange, ...] = (),
) -> Step:
    changed = dict(states or {})
    current = dict(state.modes)
    for change in modes:
        current.pop(change.mode, None)
        if change.on:
            current[change.mode] = change
    view = View(state, changed, current)
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
    return Step(states=changed, slots=slots, modes=modes, decisions=tuple(decisions))


def _shift(state: EngineState, jump: ClockJump) -> Step:
    """Move every kept instant with the clock, so that what was due in a minute still is."""
    return Step(
        states={entity: _moved(kept, jump.by, ("since", "at")) for entity, kept in state.states.items()},
        slots={
            key: _moved(slot, jump.by, ("since", "due", "wake", "blind_since", "clearing_since"))
            for key, slot in state.slots.items()
        },
        modes=tuple(_moved(change, jump.by, ("at", "until")) for change in state.modes.values()),
    )


def _moved(kept: Kept, by: int, fields: tuple[str, ...]) -> Kept:
    return msgspec.structs.replace(kept, **{name: value + by for name in fields if (value := getattr(kept, name))})
