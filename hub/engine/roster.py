"""Who is on duty at an instant, by the on-call list and the calendar. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from hub.model.roster import WEEK, Holidays, Person

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from hub.engine.calendar import Calendar
    from hub.model.roster import Absence, Roster, Shift
    from hub.model.time import Instant

_DAY = timedelta(days=1)


class OnDuty(msgspec.Struct, frozen=True):
    """A person on duty, as what, and for whom when standing in."""

    role: str
    person: Person
    stands_in_for: Person | None = None


def who_is_on(roster: Roster, instant: Instant, calendar: Calendar) -> tuple[OnDuty, ...]:
    """Return who is on duty, role by role as the shifts stand, each role in its order of escalation.

    A shift over midnight belongs to the day on which it begins: to its day of the week, its holidays and absences.
    Nobody is named twice for one role. Whoever is away is replaced by the stand-in, whose own absence counts, too;
    somebody away without one is left out.
    """
    local = calendar.local(instant)
    minute, today = local.hour * 60 + local.minute, local.date()
    people = {person.id: person for person in roster.people}
    found: dict[tuple[str, str], OnDuty] = {}
    for shift in roster.shifts:
        day = _day_of(shift, today, minute, calendar)
        if day is None:
            continue
        for name in shift.people:
            present = _present(name, day, roster.absences)
            person = people.get(present or "")
            if person is not None:
                stands_in_for = None if present == name else people.get(name)
                found.setdefault((shift.role, person.id), OnDuty(shift.role, person, stands_in_for))
    return tuple(found.values())


def _day_of(shift: Shift, today: date, minute: int, calendar: Calendar) -> date | None:
    """Return the day on which the running stretch of a shift began, None while it does not run."""
    over_midnight = shift.end <= shift.begin
    if minute >= shift.begin and (over_midnight or minute < shift.end) and _held(shift, today, calendar):
        return today
    if over_midnight and minute < shift.end and _held(shift, today - _DAY, calendar):
        return today - _DAY
    return None


def _held(shift: Shift, day: date, calendar: Calendar) -> bool:
    """Tell whether a shift begins on a day."""
    holiday = day in calendar.rest_days
    if shift.holidays is Holidays.ONLY:
        return holiday
    if holiday and shift.holidays is Holidays.OFF:
        return False
    return WEEK[day.weekday()] in shift.days


def _present(name: str, day: date, absences: Iterable[Absence]) -> str | None:
    """Return who is there in the place of ``name``: themselves, or the stand-in of the stand-in …; None for nobody."""
    asked: set[str] = set()
    current: str | None = name
    while current is not None and current not in asked:
        asked.add(current)
        away = [item for item in absences if item.person == current and item.first <= day <= item.last]
        if not away:
            return current
        current = next((item.stand_in for item in away if item.stand_in is not None), None)
    return None
