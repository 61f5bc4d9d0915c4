"""Why: each leaf of a condition with its value and the reading that decided it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

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
from hub.engine.truth import compile_term
from hub.model.decision import Witness
from hub.model.reading import Quality
from hub.model.time import format_duration

if TYPE_CHECKING:
    from hub.engine.calendar import Calendar
    from hub.engine.view import View
    from hub.model.ids import EntityId
    from hub.model.reading import State, Value
    from hub.model.site import Role

#: Leaves that look at no entity.
_UNSENSED = (ModeIs, TimeIs, WeekdayIs, DayIs, SunIs, SupplySilent)
Tracer = Callable[["View"], tuple[Witness, ...]]


def witnesses(terms: tuple[Term, ...], calendar: Calendar) -> Tracer:
    """Return a function that says of each leaf of ``terms`` how it is."""
    parts = [_witness(leaf, calendar, negated=negated) for term in terms for leaf, negated in _flat(term)]
    if len(parts) == 1:
        only = parts[0]
        return lambda view: (only(view),)
    return lambda view: tuple([part(view) for part in parts])


def _flat(term: Term, *, negated: bool = False) -> list[tuple[Leaf, bool]]:
    if isinstance(term, Not):
        return _flat(term.term, negated=not negated)
    if isinstance(term, All | AnyOf):
        return [pair for part in term.terms for pair in _flat(part, negated=negated)]
    return [(term, negated)]


def _witness(leaf: Leaf, calendar: Calendar, *, negated: bool) -> Callable[[View], Witness]:
    """Return a function that says how one leaf is; whatever does not change is worked out here."""
    test = compile_term(leaf, calendar)
    if isinstance(leaf, _UNSENSED):
        mode = leaf.mode if isinstance(leaf, ModeIs) else None
        detail = "" if isinstance(leaf, ModeIs) else _time(leaf)
        return lambda view: Witness(_holds(test(view), negated), negated, mode=mode, detail=detail)
    role, wanted, detail = _sensed(leaf)
    word = None if wanted is None else str(wanted)

    def witness(view: View) -> Witness:
        entity, state = _decisive(view.bound.get(role, ()), wanted, view)
        holds = _holds(test(view), negated)
        if state is None:
            return Witness(holds, negated, role, word, None, detail, entity)
        value = None if state.value is None else str(state.value)
        return Witness(holds, negated, role, word, None, detail, entity, value, state.since)

    return witness


def _holds(truth: bool | None, negated: bool) -> bool | None:
    return None if truth is None else truth is not negated


def _decisive(entities: tuple[EntityId, ...], wanted: Value | None, view: View) -> tuple[EntityId | None, State | None]:
    """Return the entity that was first to say what is wanted, or else the first of all."""
    if len(entities) == 1:
        return entities[0], view.state(entities[0])
    states = [(entity, view.state(entity)) for entity in entities]
    good = [pair for pair in states if pair[1].quality is Quality.GOOD and wanted in {None, pair[1].value}]
    return min(good or states, key=lambda pair: pair[1].since, default=(None, None))


def _sensed(leaf: Is | Preceded | Count | Beyond | Silent) -> tuple[Role, Value | None, str]:
    """Return a leaf's role, the value it waits for, and the rest of it as it stands in the rule."""
    match leaf:
        case Is():
            return leaf.role, leaf.value, _confirm(leaf)
        case Preceded():
            within = f"{'without' if leaf.negated else 'after'} {leaf.by.role}: {leaf.by.value}"
            return leaf.term.role, leaf.term.value, f"{within}, {format_duration(leaf.within)}"
        case Count():
            return leaf.term.role, leaf.term.value, f"{leaf.at_least} × {format_duration(leaf.within)}"
        case Beyond():
            return leaf.role, None, f"{leaf.direction} {leaf.limit:g}, until {leaf.reset:g}"
        case Silent():
            return leaf.role, None, f"silent {format_duration(leaf.time)}"


def _confirm(leaf: Is) -> str:
    return {1: "", 0: "confirm: all"}.get(leaf.confirm, f"confirm: {leaf.confirm}")


def _time(leaf: TimeIs | WeekdayIs | DayIs | SunIs | SupplySilent) -> str:
    match leaf:
        case TimeIs():
            return f"time {clock(leaf.begin)}–{clock(leaf.end)}"
        case WeekdayIs():
            return f"weekday {', '.join(leaf.days)}"
        case DayIs():
            return f"day {leaf.day}"
        case SunIs():
            return f"sun {leaf.sun}"
        case SupplySilent():
            return f"supply silent {format_duration(leaf.time)}"


def clock(second: int) -> str:
    """Write seconds after midnight as ``22:30``."""
    return f"{second // 3600:02}:{second % 3600 // 60:02}"
