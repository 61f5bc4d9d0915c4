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
    from hub.engine.truth import Test
    from hub.engine.view import View
    from hub.model.reading import Value
    from hub.model.site import Role, Zone

Tracer = Callable[["View"], tuple[Witness, ...]]


def witnesses(terms: tuple[Term, ...], zone: Zone, calendar: Calendar) -> Tracer:
    """Return a function that says of each leaf of ``terms`` how it is."""
    parts = [(leaf, negated, compile_term(leaf, zone, calendar)) for term in terms for leaf, negated in _flat(term)]
    return lambda view: tuple(_witness(leaf, negated, test, zone, view) for leaf, negated, test in parts)


def _flat(term: Term, *, negated: bool = False) -> list[tuple[Leaf, bool]]:
    if isinstance(term, Not):
        return _flat(term.term, negated=not negated)
    if isinstance(term, All | AnyOf):
        return [pair for part in term.terms for pair in _flat(part, negated=negated)]
    return [(term, negated)]


def _witness(leaf: Leaf, negated: bool, test: Test, zone: Zone, view: View) -> Witness:
    truth = test(view)
    holds = None if truth is None else truth is not negated
    match leaf:
        case Is():
            return _sensed(holds, negated, leaf.role, leaf.value, _confirm(leaf), zone, view)
        case Preceded():
            within = f"{'without' if leaf.negated else 'after'} {leaf.by.role}: {leaf.by.value}"
            detail = f"{within}, {format_duration(leaf.within)}"
            return _sensed(holds, negated, leaf.term.role, leaf.term.value, detail, zone, view)
        case Count():
            detail = f"{leaf.at_least} × {format_duration(leaf.within)}"
            return _sensed(holds, negated, leaf.term.role, leaf.term.value, detail, zone, view)
        case Beyond():
            detail = f"{leaf.direction} {leaf.limit:g}, until {leaf.reset:g}"
            return _sensed(holds, negated, leaf.role, None, detail, zone, view)
        case Silent():
            return _sensed(holds, negated, leaf.role, None, f"silent {format_duration(leaf.time)}", zone, view)
        case ModeIs():
            return Witness(holds=holds, negated=negated, mode=leaf.mode)
        case _:
            return Witness(holds=holds, negated=negated, detail=_time(leaf))


def _confirm(leaf: Is) -> str:
    return {1: "", 0: "confirm: all"}.get(leaf.confirm, f"confirm: {leaf.confirm}")


def _time(leaf: TimeIs | WeekdayIs | DayIs | SunIs) -> str:
    match leaf:
        case TimeIs():
            return f"time {clock(leaf.begin)}–{clock(leaf.end)}"
        case WeekdayIs():
            return f"weekday {', '.join(leaf.days)}"
        case DayIs():
            return f"day {leaf.day}"
        case SunIs():
            return f"sun {leaf.sun}"


def clock(second: int) -> str:
    """Write seconds after midnight as ``22:30``."""
    return f"{second // 3600:02}:{second % 3600 // 60:02}"


def _sensed(
    holds: bool | None,
    negated: bool,
    role: Role,
    wanted: Value | None,
    detail: str,
    zone: Zone,
    view: View,
) -> Witness:
    states = [(entity, view.state(entity)) for entity in zone.bound(role)]
    good = [pair for pair in states if pair[1].quality is Quality.GOOD and wanted in {None, pair[1].value}]
    entity, state = min(good or states, key=lambda pair: pair[1].since, default=(None, None))
    return Witness(
        holds=holds,
        negated=negated,
        role=role,
        wanted=None if wanted is None else str(wanted),
        detail=detail,
        entity=entity,
        value=None if state is None or state.value is None else str(state.value),
        since=None if state is None else state.since,
    )
