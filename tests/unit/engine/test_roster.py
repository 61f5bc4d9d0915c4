"""Who is on duty: by weekday, over midnight, on holidays, and when somebody is away."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hub.engine.calendar import Calendar
from hub.engine.roster import who_is_on
from hub.model.roster import WEEK, Absence, Holidays, Person, Roster, Shift
from hub.model.time import SECOND, Instant

WANG, LI, ZHAO = (Person(name, text) for name, text in (("wang", "王"), ("li", "李"), ("zhao", "赵")))
#: 2026-10-01, a Thursday, is a holiday.
CALENDAR = Calendar(rest_days=frozenset({date(2026, 10, 1)}))
DAY = Shift("guard", WEEK, 8 * 60, 20 * 60, ("wang", "li"))
NIGHT = Shift("guard", ("fri",), 20 * 60, 8 * 60, ("zhao",))


def on(*shifts: Shift, when: str, away: tuple[Absence, ...] = ()) -> list[str]:
    instant = Instant(round(datetime.fromisoformat(when).replace(tzinfo=UTC).timestamp()) * SECOND)
    return [one.person.id for one in who_is_on(Roster((WANG, LI, ZHAO), shifts, away), instant, CALENDAR)]


def test_the_order_of_escalation_is_that_of_the_shift() -> None:
    assert on(DAY, when="2026-11-20T08:00") == ["wang", "li"]
    assert on(DAY, when="2026-11-20T07:59") == []
    assert on(DAY, when="2026-11-20T20:00") == []


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    assert on(NIGHT, when="2026-11-20T20:00") == ["zhao"]  # a Friday
    assert on(NIGHT, when="2026-11-21T07:59") == ["zhao"]
    assert on(NIGHT, when="2026-11-21T08:00") == []
    assert on(NIGHT, when="2026-11-20T07:59") == []


def test_holidays() -> None:
    off = Shift("guard", WEEK, 0, 1440, ("wang",), Holidays.OFF)
    only = Shift("guard", (), 0, 1440, ("li",), Holidays.ONLY)
    usual = Shift("guard", WEEK, 0, 1440, ("zhao",))
    assert on(off, only, usual, when="2026-10-01T12:00") == ["li", "zhao"]
    assert on(off, only, usual, when="2026-10-02T12:00") == ["wang", "zhao"]


def test_a_stand_in_takes_the_place_and_a_stand_in_who_is_away_too() -> None:
    first, last = date(2026, 11, 20), date(2026, 11, 21)
    wang, li = Absence("wang", first, last, "li"), Absence("li", first, last, "zhao")
    alone = Shift("guard", WEEK, 0, 1440, ("wang",))
    assert on(alone, when="2026-11-20T12:00", away=(wang,)) == ["li"]
    assert on(alone, when="2026-11-21T23:59", away=(wang, li)) == ["zhao"]
    assert on(alone, when="2026-11-22T00:00", away=(wang, li)) == ["wang"]
    assert on(DAY, when="2026-11-20T12:00", away=(wang,)) == ["li"], "nobody is told twice"
    circle = (wang, Absence("li", first, last, "wang"))
    assert on(DAY, when="2026-11-20T12:00", away=circle) == []
    assert on(alone, when="2026-11-20T12:00", away=(Absence("wang", first, last),)) == []


def test_each_role_has_its_own_order() -> None:
    manager = Shift("manager", WEEK, 0, 1440, ("wang",))
    assert on(DAY, manager, when="2026-11-20T12:00") == ["wang", "li", "wang"]


def test_a_list_that_refers_to_nobody() -> None:
    assert Roster((WANG,), (DAY,)).unknown() == "li"
    assert Roster((WANG, WANG)).unknown() == "wang"
    assert Roster((WANG, LI), (DAY,), (Absence("wang", date.min, date.max, "zhao"),)).unknown() == "zhao"
    assert Roster((WANG, LI, ZHAO), (DAY, NIGHT)).unknown() is None
