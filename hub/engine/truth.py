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
    SupplySilent,
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
    from hub.model.time import Duration, Instant

#: Looked up once: an enum's attribute costs as much as a comparison.
GOOD = Quality.GOOD
#: From so many devices on, the last one heard is not searched for while one was heard lately.
MANY = 8
Truth = bool | None
Test = Callable[["View"], Truth]


def compile_term(term: Term, calendar: Calendar) -> Test:
    """Return the test of ``term`` in whatever zone the view looks at."""
    match term:
        case Not():
            return _not(compile_term(term.term, calendar))
        case All():
            return _all(tuple(compile_term(part, calendar) for part in term.terms))
        case AnyOf():
            parts = tuple(_not(compile_term(part, calendar)) for part in term.terms)
            return _not(_all(parts))  # De Morgan, which holds for three values too
        case Is():
            return _is(term)
        case Beyond():
            return _beyond(term)
        case Preceded():
            return _preceded(term)
        case Count():
            return _count(term)
        case Silent():
            return _silent(term)
        case SupplySilent():
            return _supply_silent(term)
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


def _is(term: Is) -> Test:
    """Any source for an active value, all of them for a calm one; what they say must be known."""
    role, wanted, needed = term.role, term.value, term.confirm
    several = _several(wanted, needed) if wanted in ACTIVE_VALUES else _every(wanted)
    if wanted in ACTIVE_VALUES and needed > 1:
        return lambda view: several(view, view.bound.get(role, ()))

    def holds(view: View) -> Truth:
        entities = view.bound.get(role, ())
        if len(entities) != 1:
            return several(view, entities)
        state = view.state(entities[0])  # with one source, any of them is all of them
        return state.value == wanted if state.quality is GOOD else None

    return holds


def _several(wanted: Value, confirm: int) -> Callable[[View, tuple[EntityId, ...]], Truth]:
    """So many must agree; 0 means all."""

    def several(view: View, entities: tuple[EntityId, ...]) -> Truth:
        needed = confirm or len(entities)
        agree = possible = 0
        for entity in entities:
            state = view.state(entity)
            good = state.quality is GOOD
            agree += good and state.value == wanted
            possible += not good or state.value == wanted
        if agree >= needed > 0:
            return True
        return None if possible >= needed > 0 or not entities else False

    return several


def _needed(term: Is, entities: tuple[EntityId, ...]) -> int:
    """Return how many entities must say so."""
    return (term.confirm if term.value in ACTIVE_VALUES else 0) or len(entities)


def _every(wanted: Value) -> Callable[[View, tuple[EntityId, ...]], Truth]:
    def every(view: View, entities: tuple[EntityId, ...]) -> Truth:
        found: Truth = True if entities else None
        for entity in entities:
            state = view.state(entity)
            if state.quality is not GOOD:
                found = None
            elif state.value != wanted:
                return False
        return found

    return every


def _beyond(term: Beyond) -> Test:
    role, latch = term.role, term.latch

    def beyond(view: View) -> Truth:
        entities = view.bound.get(role, ())
        found: Truth = False if entities else None
        for entity in entities:
            if view.state(entity).quality is not GOOD:
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


def _preceded(term: Preceded) -> Test:
    holds = _is(term.term)

    def preceded(view: View) -> Truth:
        truth = holds(view)
        if truth is not True:
            return truth
        watched, earlier = view.bound.get(term.term.role, ()), view.bound.get(term.by.role, ())
        good = [state for entity in watched if (state := view.state(entity)).quality is GOOD]
        agreed = _needed(term.term, watched) - 1
        began = sorted(s.since for s in good if s.value == term.term.value)[agreed]  # when enough of them agreed
        if any(view.state(entity).quality is not GOOD for entity in earlier):
            return None  # but where nothing is bound, nothing can have happened
        happened = any(
            began - term.within <= instant <= began
            for entity in earlier
            for instant in view.memory(entity).instants(term.by.value)
        )
        return happened is not term.negated

    return preceded


def _count(term: Count) -> Test:
    def count(view: View) -> Truth:
        entities = view.bound.get(term.term.role, ())
        begins = after(view.now, -term.within)
        found = [
            instant
            for entity in entities
            for instant in view.memory(entity).instants(term.term.value)
            if instant > begins
        ]
        if len(found) < term.at_least:
            good = all(view.state(entity).quality is GOOD for entity in entities)
            return False if good and entities else None
        view.look_at(after(sorted(found)[-term.at_least], term.within))  # then one too few is left
        return True

    return count


def _silent(term: Silent) -> Test:
    def silent(view: View) -> Truth:
        entities = view.bound.get(term.role, ())
        last = _last_heard(view, entities, term.time)
        return None if last is None else _quiet_until(view, last, term.time, entities)  # never heard: set-up

    return silent


def _supply_silent(term: SupplySilent) -> Test:
    def silent(view: View) -> Truth:
        found = False
        for entities in view.supplies:
            last = _last_heard(view, entities, term.time)
            found |= last is not None and _quiet_until(view, last, term.time, entities)
        if found:  # no reading of its devices touches this zone: look again whether it is over
            view.look_at(after(view.now, term.time))
        return found  # a supply that was never heard explains nothing

    return silent


def _last_heard(view: View, entities: tuple[EntityId, ...], time: Duration) -> Instant | None:
    """Return when any of ``entities`` was heard last; of many, one that was heard lately is as good as the last."""
    enough = view.now - time // 2 if len(entities) > MANY else view.now
    last: Instant | None = None
    for entity in entities:
        at = view.state(entity).at
        if at and (last is None or at > last):  # it may be before 1970 after a jump of the clock
            last = at
            if at > enough:
                break
    return last


def _quiet_until(view: View, heard: Instant, time: Duration, entities: tuple[EntityId, ...]) -> bool:
    """Tell whether a silence has lasted while the hub listened; note when it will have."""
    ends = view.listened(heard, time, entities)
    if view.now >= ends:
        return True
    if not view.unheard(entities):  # else somebody looks as soon as they can be heard
        view.look_at(ends)
    return False


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
