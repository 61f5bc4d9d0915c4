"""Time of day, weekday, statutory day and sun wake a rule by themselves, at the very moment, come what may."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from hub.config.calendar import Days, _statutory, _sun
from hub.engine.calendar import Calendar
from hub.model.decision import PendingDropped, PendingStarted, Reason
from hub.model.reading import Contact
from hub.model.time import HOUR, MINUTE, SECOND, Instant
from tests.kit.gate import SHANGHAI
from tests.kit.gatehouse import BERLIN, Gatehouse, at

RULE = """\
rule: watch
zones: {{kind: gate}}
trigger: {{all: [{{{condition}}}, {{door: open}}]{hold}}}
actions: [{{say: {{text: 请注意, volume: {volume}}}}}]
clear: {{door: closed}}
"""
REST, WORK = _statutory("CN", [2026])
PEOPLE = (31.2, 121.5)
"""Shanghai, degrees north and east."""
CALENDARS = {
    zone: Calendar(zone, frozenset(REST), frozenset(WORK), _sun(place, zone))
    for zone, place in ((SHANGHAI, PEOPLE), (BERLIN, (52.5, 13.4)))
}


def rule(condition: str, hold: str = "", volume: int = 80) -> str:
    return RULE.format(condition=condition, hold=hold and f", for: {hold}", volume=volume)


def sunrise(day: date, zone: zoneinfo.ZoneInfo, which: int = 0) -> Instant:
    """Where the table puts it: the year 2024 stands for every year."""
    second = CALENDARS[zone].sun[date(2024, day.month, day.day).timetuple().tm_yday - 1][which]
    moment = datetime(day.year, day.month, day.day, second // 3600, second % 3600 // 60, second % 60, tzinfo=zone)
    return Instant(round(moment.timestamp()) * SECOND)


@dataclass(frozen=True)
class Case:
    condition: str
    start: Instant
    holds_from: Instant
    zone: zoneinfo.ZoneInfo = SHANGHAI
    elsewhere: Callable[[datetime], bool] = lambda local: False
    """Whether it holds on a day of 1970, too."""


CASES = {
    "time": Case('time: {from: "22:00", to: "06:00"}', at("2026-11-20 19:30"), at("2026-11-20 22:00")),
    "time at midnight": Case('time: {from: "00:00", to: "06:00"}', at("2026-11-20 21:00"), at("2026-11-21 00:00")),
    "weekday": Case("weekday: [sat, sun]", at("2026-11-20 21:30"), at("2026-11-21 00:00"),
                    elsewhere=lambda local: local.weekday() >= 5),
    "made-up Sunday": Case("day: workday", at("2026-01-03 21:00"), at("2026-01-04 00:00"),
                           elsewhere=lambda local: local.weekday() < 5),
    "after Spring Festival": Case("day: workday", at("2026-02-22 21:00"), at("2026-02-24 00:00"),
                                  elsewhere=lambda local: local.weekday() < 5),
    "first workday": Case("day: workday", at("2026-10-07 21:00"), at("2026-10-08 00:00"),
                          elsewhere=lambda local: local.weekday() < 5),
    "holiday": Case("day: rest_day", at("2026-09-30 21:00"), at("2026-10-01 00:00"),
                    elsewhere=lambda local: local.weekday() >= 5),
    "sun down": Case("sun: down", at("2026-06-21 15:30"), sunrise(date(2026, 6, 21), SHANGHAI, 1)),
    "sun up": Case("sun: up", at("2026-06-21 01:30"), sunrise(date(2026, 6, 21), SHANGHAI)),
    "time, clock put forward": Case('time: {from: "02:30", to: "04:00"}', at("2026-03-28 23:00", BERLIN),
                                    at("2026-03-29 03:00", BERLIN), BERLIN),
    "time, clock put back": Case('time: {from: "03:30", to: "04:00"}', at("2026-10-24 23:30", BERLIN),
                                 at("2026-10-25 03:30", BERLIN), BERLIN),
    "weekday, clock put forward": Case("weekday: mon", at("2026-03-29 01:00", BERLIN), at("2026-03-30 00:00", BERLIN),
                                       BERLIN, elsewhere=lambda local: local.weekday() == 0),
    "weekday, clock put back": Case("weekday: mon", at("2026-10-25 00:30", BERLIN), at("2026-10-26 00:00", BERLIN),
                                    BERLIN, elsewhere=lambda local: local.weekday() == 0),
    "day, clock put back": Case("day: workday", at("2026-10-25 00:30", BERLIN), at("2026-10-26 00:00", BERLIN),
                                BERLIN, elsewhere=lambda local: local.weekday() < 5),
    "sun up, clock put forward": Case("sun: up", at("2026-03-29 00:30", BERLIN), sunrise(date(2026, 3, 29), BERLIN),
                                      BERLIN),
    "sun up, clock put back": Case("sun: up", at("2026-10-25 00:30", BERLIN), sunrise(date(2026, 10, 25), BERLIN),
                                   BERLIN),
}  # fmt: skip
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def gatehouse(case: Case, hold: str = "") -> Gatehouse:
    zone = Gatehouse(rule(case.condition, hold), start=Instant(case.start), calendar=CALENDARS[case.zone])
    zone.hear("door.a", Contact.OPEN)
    assert zone.opened == []
    return zone


@every_case
def test_it_wakes_at_the_very_moment(case: Case) -> None:
    zone = gatehouse(case)
    zone.wait_until(Instant(case.holds_from - 1))
    assert zone.opened == []
    zone.wait_until(case.holds_from)
    assert zone.opened == [case.holds_from]


@every_case
def test_after_a_restart_it_still_wakes(case: Case) -> None:
    zone = gatehouse(case)
    zone.wait(1800)
    zone.restart(300)
    zone.hear("door.a", Contact.OPEN)
    zone.wait_until(Instant(case.holds_from + HOUR))
    assert zone.opened == [case.holds_from]


@every_case
def test_what_began_while_the_hub_was_down_begins_when_the_door_is_confirmed(case: Case) -> None:
    zone = gatehouse(case)
    zone.wait_until(Instant(case.holds_from - 10 * SECOND))
    zone.restart(30)
    zone.wait(5)
    assert zone.opened == [], "the door is not confirmed yet"
    zone.hear("door.a", Contact.OPEN)
    assert zone.opened == [case.holds_from + 25 * SECOND]


@every_case
@pytest.mark.parametrize("by", [HOUR, -HOUR, 20 * MINUTE])
def test_after_a_jump_the_clock_on_the_wall_counts(case: Case, by: int) -> None:
    zone = gatehouse(case)
    zone.wait(60)
    zone.jump(by)
    zone.wait_until(Instant(case.holds_from + HOUR))
    assert zone.opened == [case.holds_from]


@every_case
def test_a_jump_over_the_moment_is_noticed_at_once(case: Case) -> None:
    zone = gatehouse(case)
    zone.wait_until(Instant(case.holds_from - 10 * MINUTE))
    zone.jump(11 * MINUTE)
    assert zone.opened == [case.holds_from + MINUTE]


@every_case
def test_to_1970_and_back(case: Case) -> None:
    zone = gatehouse(case)
    local = datetime.fromtimestamp(zone.now / SECOND, case.zone)
    days = (date(1970, 1, day) for day in range(2, 12))
    there = (datetime.combine(day, local.time(), case.zone) for day in days)
    moment = next(
        moment for moment in there if not case.elsewhere(moment) and not case.elsewhere(moment + timedelta(days=1))
    )
    by = round(moment.timestamp()) * SECOND - zone.now
    zone.jump(by)
    zone.wait(600)
    assert zone.opened == []
    zone.jump(-by)
    zone.wait_until(Instant(case.holds_from + HOUR))
    assert zone.opened == [case.holds_from]


@every_case
def test_an_edit_that_keeps_the_trigger_keeps_its_for(case: Case) -> None:
    zone = gatehouse(case, "20 min")
    zone.wait_until(Instant(case.holds_from + 5 * MINUTE))
    zone.edit(rule(case.condition, "20 min", volume=30))
    zone.wait(3600)
    assert zone.opened == [case.holds_from + 20 * MINUTE]
    assert len(zone.made(PendingStarted)) == 1


@every_case
def test_an_edit_of_the_trigger_begins_it_anew(case: Case) -> None:
    zone = gatehouse(case, "20 min")
    zone.wait_until(Instant(case.holds_from + 5 * MINUTE))
    zone.edit(rule(case.condition, "19 min"))
    zone.wait(3600)
    assert [drop.reason for drop in zone.made(PendingDropped)] == [Reason.RULE_CHANGED]
    assert zone.opened == [case.holds_from + (5 + 19) * MINUTE]


@every_case
def test_an_edit_before_the_moment_does_not_lose_it(case: Case) -> None:
    zone = gatehouse(case)
    zone.wait(60)
    zone.edit(rule(case.condition, volume=30))
    zone.wait_until(Instant(case.holds_from + HOUR))
    assert zone.opened == [case.holds_from]


def test_a_window_that_the_clock_shows_twice_is_two_windows() -> None:
    """On the day the clock is put back, 02:30 comes, goes at 03:00 (02:00 again), and comes once more."""
    zone = Gatehouse(
        rule('time: {from: "02:30", to: "06:00"}', "45 min"),
        start=at("2026-10-25 01:00", BERLIN),
        calendar=CALENDARS[BERLIN],
    )
    zone.hear("door.a", Contact.OPEN)
    zone.wait(5 * 3600)
    first, back = at("2026-10-25 02:30", BERLIN), at("2026-10-25 02:00", BERLIN, fold=1)
    second = at("2026-10-25 02:30", BERLIN, fold=1)
    assert [(drop.at, drop.reason) for drop in zone.made(PendingDropped)] == [(back, Reason.OPPOSITE_EDGE)]
    assert [started.at for started in zone.made(PendingStarted)] == [first, second]
    assert zone.opened == [second + 45 * MINUTE]


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2026-01-01", "rest_day"), ("2026-01-04", "workday"),  # a Sunday made up
        ("2026-02-14", "workday"), ("2026-02-15", "rest_day"), ("2026-02-16", "rest_day"), ("2026-02-23", "rest_day"),
        ("2026-02-24", "workday"), ("2026-02-28", "workday"), ("2026-04-06", "rest_day"), ("2026-05-05", "rest_day"),
        ("2026-05-09", "workday"), ("2026-06-19", "rest_day"), ("2026-09-20", "workday"), ("2026-09-25", "rest_day"),
        ("2026-10-07", "rest_day"), ("2026-10-08", "workday"), ("2026-10-10", "workday"), ("2026-10-11", "rest_day"),
        ("2026-11-20", "workday"), ("2026-11-21", "rest_day"),
    ],
)  # fmt: skip
def test_statutory_days_of_china_in_2026(day: str, kind: str) -> None:
    """By the State Council's notice for 2026, as the ``holidays`` package has it."""
    for asked in ("workday", "rest_day"):
        zone = Gatehouse(rule(f"day: {asked}"), start=at(f"{day} 12:00"), calendar=CALENDARS[SHANGHAI])
        zone.hear("door.a", Contact.OPEN)
        assert bool(zone.opened) is (asked == kind)


def test_days_entered_by_hand_win() -> None:
    from hub.config.calendar import calendar

    year = datetime.now(UTC).year
    holiday, saturday = (
        date(year, 1, 1),
        next(date(year, 7, day) for day in range(1, 8) if date(year, 7, day).weekday() == 5),
    )
    friday = saturday - timedelta(days=1)
    found = calendar("Asia/Shanghai", Days(rest_days=frozenset({friday}), workdays=frozenset({holiday, saturday})))
    kinds = [found.day(at(f"{day} 12:00")) for day in (holiday, friday, saturday, saturday + timedelta(days=1))]
    assert kinds == ["workday", "rest_day", "workday", "rest_day"]


def test_without_a_place_the_sun_is_not_known() -> None:
    for asked in ("sun: up", "not: {sun: up}"):
        zone = Gatehouse(rule(asked), start=at("2026-06-21 12:00"))
        zone.hear("door.a", Contact.OPEN)
        zone.wait(2 * 86_400)
        assert zone.opened == []


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        ((65.0, 25.0), "Europe/Helsinki"), ((-65.0, 25.0), "UTC"), ((60.0, 5.0), "Europe/Oslo"),
        ((53.5, 122.3), "Asia/Shanghai"), ((39.5, 76.0), "Asia/Shanghai"), ((18.2, 109.5), "Asia/Shanghai"),
    ],
    ids=["bright nights", "south", "Bergen", "Mohe", "Kashgar", "Sanya"],
)  # fmt: skip
def test_wherever_a_site_may_lie_the_sun_rises_and_sets_every_day(place: tuple[float, float], zone: str) -> None:
    found = Calendar(zoneinfo.ZoneInfo(zone), sun=_sun(place, zoneinfo.ZoneInfo(zone)))
    assert len(found.sun) == 366
    now, changes = Instant(at("2026-01-01 00:00")), 0
    while now < at("2027-01-01 00:00"):
        state, change = found.sun_state(now), found.next_sun(now)
        assert change is not None
        changes += found.sun_state(change) is not state
        now = change
    assert 2 * 365 - 12 <= changes <= 2 * 365 + 2
