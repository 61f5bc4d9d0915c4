"""Who is on duty, against what can be said of every list: a reference walks the minutes instead of comparing them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.engine.calendar import Calendar
from hub.engine.roster import who_is_on
from hub.model.roster import WEEK, Absence, Holidays, Person, Roster, Shift
from hub.model.time import SECOND, Instant

FIRST = date(2026, 9, 28)
dates = st.dates(FIRST, FIRST + timedelta(days=20))
names = st.sampled_from(["a", "b", "c", "d"])
shifts = st.builds(
    Shift,
    role=st.sampled_from(["guard", "manager"]),
    days=st.lists(st.sampled_from(WEEK), max_size=7).map(tuple),
    begin=st.integers(0, 1440),
    end=st.integers(0, 1440),
    people=st.lists(names, min_size=1, max_size=4).map(tuple),
    holidays=st.sampled_from(Holidays),
)
absences = st.builds(Absence, person=names, first=dates, last=dates, stand_in=st.none() | names)
rosters = st.builds(
    Roster,
    people=st.just(tuple(Person(name, name) for name in "abcd")),
    shifts=st.lists(shifts, max_size=4).map(tuple),
    absences=st.lists(absences, max_size=4).map(tuple),
)
calendars = st.builds(Calendar, rest_days=st.frozensets(dates, max_size=5))
moments = st.datetimes(datetime(2026, 9, 29), datetime(2026, 10, 15))  # noqa: DTZ001 - naive local times of UTC


def instant(moment: datetime) -> Instant:
    return Instant(round(moment.replace(tzinfo=UTC, second=0, microsecond=0).timestamp()) * SECOND)


def running(shift: Shift, moment: datetime, holidays: frozenset[date]) -> date | None:
    """Walk back from ``moment`` minute by minute to the beginning of the shift; at most a day."""
    length = (shift.end - shift.begin) % 1440 or 1440
    if shift.begin == shift.end == 1440 or shift.begin == 1440:
        length = shift.end  # begins at the end of its day: no minute of its own day, the first ones of the next
    for back in range(length):
        start = moment - timedelta(minutes=back)
        if start.hour * 60 + start.minute != shift.begin % 1440:
            continue
        day = start.date() - timedelta(days=shift.begin == 1440)
        holiday = day in holidays
        usual = WEEK[day.weekday()] in shift.days and not (holiday and shift.holidays is Holidays.OFF)
        if holiday if shift.holidays is Holidays.ONLY else usual:
            return day
    return None


def present(roster: Roster, name: str | None, day: date, asked: tuple[str, ...] = ()) -> str | None:
    """Ask one after the other who stands in; who was asked already cannot."""
    if name is None or name in asked:
        return None
    away = [one for one in roster.absences if one.person == name and one.first <= day <= one.last]
    if not away:
        return name
    return present(roster, next((one.stand_in for one in away if one.stand_in), None), day, (*asked, name))


@given(rosters, calendars, moments)
def test_a_reference_finds_the_same_people(roster: Roster, calendar: Calendar, moment: datetime) -> None:
    moment = moment.replace(second=0, microsecond=0)
    expected: list[tuple[str, str]] = []
    for shift in roster.shifts:
        day = running(shift, moment, calendar.rest_days)
        if day is None:
            continue
        there = [(shift.role, name) for first in shift.people if (name := present(roster, first, day))]
        expected += [one for number, one in enumerate(there) if one not in expected + there[:number]]
    found = who_is_on(roster, instant(moment), calendar)
    assert [(one.role, one.person.id) for one in found] == expected


@given(rosters, calendars, moments)
def test_nobody_is_on_duty_who_is_away_or_twice(roster: Roster, calendar: Calendar, moment: datetime) -> None:
    found = who_is_on(roster, instant(moment), calendar)
    assert len({(one.role, one.person.id) for one in found}) == len(found)
    around = {moment.date(), moment.date() - timedelta(days=1)}
    away = {one.person for one in roster.absences if all(one.first <= day <= one.last for day in around)}
    assert not away & {one.person.id for one in found}
    assert found == who_is_on(roster, instant(moment), calendar)
    assert {one.role for one in found} <= {shift.role for shift in roster.shifts}
