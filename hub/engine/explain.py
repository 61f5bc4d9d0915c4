"""Why a rule did not fire in a zone, or that it did: the one thing that stands in the way, and since when.

Since when: a leaf is as it is since the value that decides it is what it is. A compound that fails does so at least
since the part of it that has failed longest (``all``), or since the last part failed (``any``); one that holds, the
other way round. Where nobody keeps the instant (a mode that is off, a count that was never reached) there is none.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from hub.engine.terms import (
    All,
    AnyOf,
    Beyond,
    Count,
    DayIs,
    Is,
    Leaf,
    ModeIs,
    Not,
    Preceded,
    Silent,
    SunIs,
    SupplySilent,
    Term,
    TimeIs,
    WeekdayIs,
)
from hub.engine.trace import witnesses
from hub.engine.truth import compile_term
from hub.engine.view import View
from hub.model.activation import Phase, Slot, SlotKey
from hub.model.decision import Witness
from hub.model.ids import ActivationId, EntityId, RuleId, ZoneId
from hub.model.reading import ACTIVE_VALUES, Quality, State
from hub.model.time import DAY, Instant, after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub.engine.program import Program, SlotProgram
    from hub.engine.rule import Rule
    from hub.engine.state import EngineState
    from hub.engine.truth import Truth
    from hub.model.site import Role, Zone

#: Days that are looked back for the last change of a condition about time: longer than any holiday.
LOOK_BACK = 14


class Cause(StrEnum):
    """What stands in the way, or that nothing does."""

    SWITCHED_OFF = "switched_off"
    NOT_OF_KIND = "not_of_kind"
    EXCLUDED = "excluded"
    NOT_BOUND = "not_bound"
    """No entity serves the zone in a role that the trigger asks for."""
    TRIGGER_FALSE = "trigger_false"
    RUNNING = "running"
    SOURCE_UNKNOWN = "source_unknown"
    CONDITION_FALSE = "condition_false"
    COOLDOWN = "cooldown"
    ACTIVE = "active"
    """It fired; in a dry run it only says so."""
    DUE = "due"
    """Nothing: it fires now."""


class Judged(msgspec.Struct, frozen=True):
    """A condition: whether it holds, since when at least, and the leaf that decides."""

    holds: bool | None
    since: Instant | None
    term: Term
    witness: Witness


class Explanation(msgspec.Struct, frozen=True):
    """The answer. ``since`` is when the cause began, ``until`` when it ends by itself."""

    rule: RuleId
    zone: ZoneId
    at: Instant
    cause: Cause
    since: Instant | None = None
    until: Instant | None = None
    term: Term | None = None
    """The leaf that decides, negated where the rule negates it."""
    witness: Witness | None = None
    """Its reading."""
    activation: ActivationId | None = None
    dry_run: bool = False
    trigger: tuple[Witness, ...] = ()
    conditions: tuple[Witness, ...] = ()
    clear: tuple[Witness, ...] = ()


def explain(
    rule: Rule, zone: Zone, program: Program, state: EngineState, now: Instant, doubted: Mapping[EntityId, Instant]
) -> Explanation:
    """Say why ``rule`` is where it is in ``zone``; ``doubted`` says since when an entity is not trusted."""
    key = SlotKey(rule.id, zone.id)
    compiled = program.slots.get(key)
    if compiled is None or not rule.enabled:
        return Explanation(rule.id, zone.id, now, _not_served(rule, zone), dry_run=rule.dry_run)
    view = View(now, state.states, {}, {}, state.memories, state.modes, zone.bind, state.absences)
    view.supplies = compiled.supplies
    judge = _Judge(compiled, view, doubted)
    found = _cause(judge, compiled, state.slots.get(key), now)
    return msgspec.structs.replace(
        found,
        trigger=witnesses((rule.trigger.condition,), compiled.calendar)(view),
        conditions=witnesses(rule.conditions, compiled.calendar)(view),
        clear=compiled.shared.closures.closing(view),
    )


def _not_served(rule: Rule, zone: Zone) -> Cause:
    if zone.kind is not rule.zone_kind:
        return Cause.NOT_OF_KIND
    if not rule.enabled:
        return Cause.SWITCHED_OFF
    return Cause.NOT_BOUND if rule.applies_to(zone.id) else Cause.EXCLUDED


def _cause(judge: _Judge, compiled: SlotProgram, slot: Slot | None, now: Instant) -> Explanation:
    rule = compiled.rule
    base = Explanation(rule.id, compiled.zone.id, now, Cause.DUE, dry_run=rule.dry_run)
    replace = msgspec.structs.replace
    if slot is not None and slot.phase is Phase.ACTIVE:
        return replace(base, cause=Cause.ACTIVE, since=slot.since, activation=slot.activation)
    if slot is not None and slot.phase is Phase.COOLDOWN and slot.due is not None and now < slot.due:
        return replace(base, cause=Cause.COOLDOWN, since=slot.since, until=slot.due)
    trigger = judge.term(rule.trigger.condition)
    pending = slot if slot is not None and slot.phase is Phase.PENDING else None
    if trigger.holds is None:
        since = trigger.since or (None if pending is None else pending.blind_since)
        return replace(base, cause=Cause.SOURCE_UNKNOWN, since=since, term=trigger.term, witness=trigger.witness)
    if not trigger.holds:
        return replace(base, cause=Cause.TRIGGER_FALSE, since=trigger.since, term=trigger.term, witness=trigger.witness)
    began = now if pending is None else pending.since
    if now < after(began, rule.trigger.hold):
        until = after(began, rule.trigger.hold)
        return replace(base, cause=Cause.RUNNING, since=began, until=until, term=trigger.term, witness=trigger.witness)
    for condition in rule.conditions:
        judged = judge.term(condition)
        if not judged.holds:
            cause = Cause.SOURCE_UNKNOWN if judged.holds is None else Cause.CONDITION_FALSE
            return replace(base, cause=cause, since=judged.since, term=judged.term, witness=judged.witness)
    return base


class _Judge:
    """Judges terms at one instant."""

    def __init__(self, compiled: SlotProgram, view: View, doubted: Mapping[EntityId, Instant]) -> None:
        self._zone = compiled.zone
        self._calendar = compiled.calendar
        self._view = view
        self._doubted = doubted

    def term(self, term: Term, *, negated: bool = False) -> Judged:
        """Judge any term; ``negated`` turns what holds into what does not."""
        if isinstance(term, Not):
            return self.term(term.term, negated=not negated)
        if isinstance(term, All | AnyOf):
            parts = [self.term(part, negated=negated) for part in term.terms]
            return _join(parts, every=isinstance(term, All) is not negated)
        return self._leaf(term, negated=negated)

    def _leaf(self, leaf: Leaf, *, negated: bool) -> Judged:
        term = Not(leaf) if negated else leaf
        (seen,) = witnesses((term,), self._calendar)(self._view)
        truth = None if seen.holds is None else seen.holds is not negated
        entity, since = self._since(leaf, truth)
        if entity is not None:
            state = self._view.state(entity)
            value = None if state.value is None else str(state.value)
            seen = msgspec.structs.replace(seen, entity=entity, value=value, since=since)
        return Judged(seen.holds, since, term, seen)

    def _since(self, leaf: Leaf, truth: Truth) -> tuple[EntityId | None, Instant | None]:
        """Return which entity decides a leaf, if one does, and since when it is so."""
        match leaf:
            case Is():
                return self._is(leaf, truth)
            case Preceded():
                entity, since = self._is(leaf.term, truth if truth is None else self._holds(leaf.term))
                return (entity, since) if truth is not None else self._unknown((leaf.term.role, leaf.by.role))
            case Count():
                return (
                    (None, self._counted(leaf, truth=truth)) if truth is not None else self._unknown((leaf.term.role,))
                )
            case Beyond() if truth is not None:
                return self._beyond(leaf, truth=truth)
            case Silent() if truth is not None:
                states = [(name, self._view.state(name)) for name in self._zone.bound(leaf.role)]
                name, state = max(states, key=lambda pair: pair[1].at)
                return name, after(state.at, leaf.time) if truth else state.at
            case Beyond() | Silent():
                return self._unknown((leaf.role,))
            case SupplySilent():
                return None, None
            case ModeIs():
                change = self._view.changed(leaf.mode)
                return None, None if change is None else change.at
            case _:
                return None, self._timed(leaf, truth)

    def _beyond(self, leaf: Beyond, *, truth: bool) -> tuple[EntityId | None, Instant | None]:
        """A number is what it is since its last change; when it passed the limit nobody keeps."""
        names = self._zone.bound(leaf.role)
        if truth:
            names = tuple(name for name in names if leaf.latch in self._view.memory(name).latches)
        since, name = max((self._view.state(name).since, name) for name in names)
        return name, since

    def _holds(self, leaf: Leaf) -> Truth:
        return compile_term(leaf, self._calendar)(self._view)

    def _is(self, leaf: Is, truth: Truth) -> tuple[EntityId | None, Instant | None]:
        """So many must agree: it holds since the last of those that suffice, it fails since too many disagree."""
        if truth is None:
            return self._unknown((leaf.role,))
        entities = self._zone.bound(leaf.role)
        needed = len(entities) if leaf.value not in ACTIVE_VALUES else leaf.confirm or len(entities)
        if needed > len(entities):
            return None, None  # more sources are asked for than there are
        states = [(name, self._view.state(name)) for name in entities]
        good = [(name, state) for name, state in states if state.quality is Quality.GOOD]
        agree = sorted((s.since, name) for name, s in good if s.value == leaf.value)
        against = sorted((s.since, name) for name, s in good if s.value != leaf.value)
        decides = agree[needed - 1] if truth else against[len(entities) - needed] if against else None
        return (None, None) if decides is None else (decides[1], decides[0])

    def _unknown(self, roles: tuple[Role, ...]) -> tuple[EntityId | None, Instant | None]:
        """Return the source that is not trusted for the longest time; one that was never heard of comes first."""
        entities = [name for role in roles for name in self._zone.bound(role)]
        blind = [name for name in entities if self._view.state(name).quality is not Quality.GOOD]
        if not blind:
            return None, None
        worst = min(blind, key=lambda name: self._doubted.get(name, Instant(0)))
        return worst, self._doubted.get(worst)

    def _counted(self, leaf: Count, *, truth: bool) -> Instant | None:
        """Return since when it was often enough, or when it last ceased to be."""
        entities = self._zone.bound(leaf.term.role)
        found = sorted(at for name in entities for at in self._view.memory(name).instants(leaf.term.value))
        if truth:
            recent = [at for at in found if at > after(self._view.now, -leaf.within)]
            return recent[leaf.at_least - 1]
        runs = zip(found, found[leaf.at_least - 1 :], strict=False)
        ends = [after(first, leaf.within) for first, last in runs if last < after(first, leaf.within)]
        return max(ends, default=None)

    def _timed(self, leaf: TimeIs | WeekdayIs | DayIs | SunIs, truth: Truth) -> Instant | None:
        """Return the last instant at which a condition about time changed to what it is."""
        test = compile_term(leaf, self._calendar)
        for instant in self._marks(leaf):
            if test(_at(Instant(instant - 1))) is not truth:
                return instant
        return None

    def _marks(self, leaf: TimeIs | WeekdayIs | DayIs | SunIs) -> list[Instant]:
        """Return the instants at which it may have changed, the newest first."""
        calendar, now = self._calendar, self._view.now
        found = set()
        for back in range(LOOK_BACK + 1):
            then = Instant(now - back * DAY)
            day = calendar.local(then).date()
            seconds: tuple[int, ...] = (0,)
            if isinstance(leaf, SunIs):
                seconds = calendar.sun_of(day) or ()
            elif isinstance(leaf, TimeIs):
                seconds = (leaf.begin, leaf.end)
            found |= {calendar.at(day, second) for second in seconds}
        return sorted((instant for instant in found if instant <= now), reverse=True)


def _join(parts: list[Judged], *, every: bool) -> Judged:
    """Judge what joins ``parts``: all of them, or at least one."""
    decisive = [part for part in parts if part.holds is (not every)]
    if decisive:  # one is enough, and it has been so since the first of them
        return min(decisive, key=_began)
    unknown = [part for part in parts if part.holds is None]
    if unknown:
        return min(unknown, key=_began)
    return max(parts, key=_began)


def _began(part: Judged) -> Instant:
    """Order parts; where the beginning is not known, it lies far back."""
    return part.since if part.since is not None else Instant(0)


def _at(now: Instant) -> View:
    """Return a view of nothing but a time."""
    states: dict[EntityId, State] = {}
    return View(now, states, {}, {}, {}, {})
