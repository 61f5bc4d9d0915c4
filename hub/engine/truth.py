"""Terms compiled to closures with three truth values: True, False, and None where it is not known.

A closure asks the View, which also notes when time alone will change the answer (``View.look_at``).
"""

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
    ModeIs,
    Not,
    Preceded,
    Silent,
    SunIs,
    Term,
    TimeIs,
    WeekdayIs,
)
from hub.model.reading import ACTIVE_VALUES, Quality
from hub.model.time import after

if TYPE_CHECKING:
    from hub.engine.calendar import Calendar
    from hub.engine.view import View
    from hub.model.ids import EntityId
    from hub.model.reading import Value
    from hub.model.site import Zone
    from hub.model.time import Instant

Truth = bool | None
Test = Callable[["View"], Truth]


def compile_term(term: Term, zone: Zone, calendar: Calendar) -> Test:
    """Return the test of ``term`` in ``zone``."""
    match term:
        case Not():
            return _not(compile_term(term.term, zone, calendar))
        case All():
            return _all(tuple(compile_term(part, zone, calendar) for part in term.terms))
        case AnyOf():
            parts = tuple(_not(compile_term(part, zone, calendar)) for part in term.terms)
            return _not(_all(parts))  # De Morgan, which holds for three values too
        case Is():
            return _is(term, zone.bound(term.role))
        case Beyond():
            return _beyond(term, zone.bound(term.role))
        case Preceded():
            return _preceded(term, zone)
        case Count():
            return _count(term, zone.bound(term.term.role))
        case Silent():
            return _silent(term, zone.bound(term.role))
        case ModeIs():
            mode = term.mode
            return lambda view: view.mode(mode)
        case _:
            return _when(term, calendar)


def _not(test: Test) -> Test:
    def negated(view: View) -> Truth:
        truth = test(view)
        return None if truth is None else not truth

    return negated


def _all(tests: tuple[Test, ...]) -> Test:
    if len(tests) == 1:
        return tests[0]

    def every(view: View) -> Truth:
        found: Truth = True
        for test in tests:  # all are asked, because each may note when it changes
            truth = test(view)
            if truth is False or (truth is None and found):
                found = truth
        return found

    return every


def _is(term: Is, entities: tuple[EntityId, ...]) -> Test:
    wanted = term.value
    if wanted not in ACTIVE_VALUES:
        return _every(wanted, entities)
    if term.confirm == 1:
        return _some(wanted, entities)
    needed = _needed(term, entities)

    def confirmed(view: View) -> Truth:
        agree = possible = 0
        for entity in entities:
            state = view.state(entity)
            good = state.quality is Quality.GOOD
            agree += good and state.value == wanted
            possible += not good or state.value == wanted
        if not entities:
            return None  # nobody can say
        return True if agree >= needed else None if possible >= needed else False

    return confirmed


def _needed(term: Is, entities: tuple[EntityId, ...]) -> int:
    """Return how many entities must say so."""
    return (term.confirm if term.value in ACTIVE_VALUES else 0) or len(entities)


def _some(wanted: Value, entities: tuple[EntityId, ...]) -> Test:
    def some(view: View) -> Truth:
        found: Truth = False if entities else None
        for entity in entities:
            state = view.state(entity)
            if state.quality is not Quality.GOOD:
                found = None
            elif state.value == wanted:
                return True
        return found

    return some


def _every(wanted: Value, entities: tuple[EntityId, ...]) -> Test:
    def every(view: View) -> Truth:
        found: Truth = True if entities else None
        for entity in entities:
            state = view.state(entity)
            if state.quality is not Quality.GOOD:
                found = None
            elif state.value != wanted:
                return False
        return found

    return every


def _beyond(term: Beyond, entities: tuple[EntityId, ...]) -> Test:
    latch = term.latch

    def beyond(view: View) -> Truth:
        found: Truth = False if entities else None
        for entity in entities:
            if view.state(entity).quality is not Quality.GOOD:
                found = None
            elif latch in view.memory(entity).latches:
                return True
        return found

    return beyond


def latched(term: Beyond, value: float, *, was: bool) -> bool:
    """Tell whether a number is beyond its limit, given whether it was."""
    if term.direction == "above":
        return value > term.limit or (was and value >= term.reset)
    return value < term.limit or (was and value <= term.reset)


def _preceded(term: Preceded, zone: Zone) -> Test:
    holds = _is(term.term, zone.bound(term.term.role))
    watched, earlier = zone.bound(term.term.role), zone.bound(term.by.role)
    agreed = _needed(term.term, watched) - 1

    def preceded(view: View) -> Truth:
        truth = holds(view)
        if truth is not True:
            return truth
        good = [state for entity in watched if (state := view.state(entity)).quality is Quality.GOOD]
        began = sorted(s.since for s in good if s.value == term.term.value)[agreed]  # when enough of them agreed
        if any(view.state(entity).quality is not Quality.GOOD for entity in earlier):
            return None  # but where nothing is bound, nothing can have happened
        happened = any(
            began - term.within <= instant <= began
            for entity in earlier
            for instant in view.memory(entity).instants(term.by.value)
        )
        return happened is not term.negated

    return preceded


def _count(term: Count, entities: tuple[EntityId, ...]) -> Test:
    def count(view: View) -> Truth:
        begins = after(view.now, -term.within)
        found = [
            instant
            for entity in entities
            for instant in view.memory(entity).instants(term.term.value)
            if instant > begins
        ]
        if len(found) < term.at_least:
            good = all(view.state(entity).quality is Quality.GOOD for entity in entities)
            return False if good and entities else None
        view.look_at(after(sorted(found)[-term.at_least], term.within))  # then one too few is left
        return True

    return count


def _silent(term: Silent, entities: tuple[EntityId, ...]) -> Test:
    def silent(view: View) -> Truth:
        heard = [at for entity in entities if (at := view.state(entity).at)]  # before 1970 after a jump of the clock
        if not heard:
            return None  # never heard: set-up, not silence
        ends = after(max(heard), term.time)
        if view.now >= ends:
            return True
        view.look_at(ends)
        return False

    return silent


def _when(term: TimeIs | WeekdayIs | DayIs | SunIs, calendar: Calendar) -> Test:
    match term:
        case TimeIs():
            return lambda view: _noted(
                view,
                calendar.next_time(view.now, term.begin, term.end),
                calendar.within(view.now, term.begin, term.end),
            )
        case WeekdayIs():
            return lambda view: _noted(view, calendar.next_midnight(view.now), calendar.weekday(view.now) in term.days)
        case DayIs():
            return lambda view: _noted(view, calendar.next_midnight(view.now), calendar.day(view.now) is term.day)
        case SunIs():
            return lambda view: _sun(view, term, calendar)


def _sun(view: View, term: SunIs, calendar: Calendar) -> Truth:
    state, change = calendar.sun_state(view.now), calendar.next_sun(view.now)
    return None if state is None or change is None else _noted(view, change, state is term.sun)


def _noted(view: View, change: Instant, truth: bool) -> Truth:
    """Return ``truth`` and note when it changes."""
    view.look_at(change)
    return truth
