"""Figures of a report against a journal whose content was counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.journal.desk import handle
from hub.journal.report import Attempts, Availability, Blocked, Figures, Judged, Scope, figures
from hub.journal.spread import Spread, percentile
from hub.journal.store import Journal
from hub.model.decision import (
    Cleared,
    Decision,
    Escalated,
    IncidentClosed,
    IncidentOpened,
    Opened,
    Reason,
    Severity,
    Witness,
)
from hub.model.entry import ClockJump, Entry, Started, Trust
from hub.model.ids import ActivationId, EntityId, RuleId, ZoneId
from hub.model.incident import Handling, IncidentState, Verdict
from hub.model.reading import Alarm, Contact, Presence, Quality, Reading
from hub.model.site import Role
from hub.model.time import HOUR, MINUTE, SECOND, Duration, Instant

BEGIN = Instant(1_793_462_400 * SECOND)  # 2026-11-01T00:00+08:00
END = Instant(BEGIN + 10 * HOUR)
BAY_1, BAY_2, BIKE = EntityId("x.bay1"), EntityId("x.bay2"), EntityId("x.bike")
LANE, LIFT = ZoneId("lane"), ZoneId("lift")
SCOPE = Scope(
    lanes={"lane": frozenset({BAY_1, BAY_2}), "dark": frozenset()},
    bays={"x.bay1": frozenset({BAY_1}), "x.bay2": frozenset({BAY_2})},
    devices={"geo": frozenset({BAY_1, BAY_2}), "cam": frozenset({BIKE}), "mute": frozenset({EntityId("x.mute")})},
    lifts=frozenset({"lift", "lift2"}),
)


def at(minutes: float) -> Instant:
    return Instant(BEGIN + round(minutes * MINUTE))


def hear(
    entity: EntityId, value: Presence | Alarm | Contact | None, minutes: float, quality: Quality = Quality.GOOD
) -> Reading:
    return Reading(entity, value, quality, at(minutes))


class Book:
    """Writes with the real journal."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.journal = folder, Journal(folder)

    async def readings(self, *readings: Reading) -> None:
        entry = Entry(at(0), readings=list(readings))
        await self.journal.commit(entry)

    async def turn(self, *turns: Trust | Started | ClockJump) -> None:
        await self.journal.commit(Entry(at(0), turns=list(turns)))

    async def alarm(
        self,
        minutes: float,
        *seen: Witness,
        rule: str = "blocked",
        zone: ZoneId = LANE,
        incident: bool = True,
        cleared: float | None = None,
        steps: int = 0,
    ) -> ActivationId:
        name = ActivationId(f"{rule}@{zone}@{at(minutes)}")
        who = (RuleId(rule), zone)
        decisions: list[Decision] = [Opened(*who, at(minutes), name, at(minutes), Duration(0), seen)]
        if incident:
            decisions.append(IncidentOpened(*who, at(minutes), name, Severity.HIGH))
        decisions += [Escalated(*who, at(minutes + 1 + n), name, n + 1, Duration(0)) for n in range(steps)]
        if cleared is not None:
            decisions.append(Cleared(*who, at(cleared), name, Reason.CLEARED))
        await self.journal.commit(Entry(at(minutes), decisions=decisions))
        return name

    async def judge(self, name: ActivationId, minutes: float, verdict: Verdict) -> None:
        step = Handling(name, IncidentState.CLOSED, at(minutes), "王师傅", verdict, "树影")
        assert await handle(self.journal, step, IncidentState.OPEN)

    async def figures(self, until: Instant = END) -> Figures:
        await self.journal.close()
        return figures(self.folder, SCOPE, BEGIN, until, Instant(END + HOUR))


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


async def test_alarms_by_verdict_rule_zone_and_device(book: Book) -> None:
    car = Witness(holds=True, role=Role.VEHICLE, entity=BAY_1)
    cat = Witness(holds=False, role=Role.PERMIT, entity=BIKE)
    gone = Witness(holds=True, role=Role.DOOR, entity=EntityId("x.gone"))
    await book.alarm(-1, car)  # before the period
    first = await book.alarm(0, car, cat, steps=2)
    second = await book.alarm(10, car)
    third = await book.alarm(20, gone, rule="door", zone=LIFT, steps=1)
    fourth = await book.alarm(30, car)
    await book.alarm(600, car)  # at its end, so after it
    await book.alarm(40, car, incident=False)  # a rule that only speaks
    await book.judge(first, 4, Verdict.FALSE_ALARM)
    await book.judge(second, 12, Verdict.RESOLVED)
    await book.judge(third, 26, Verdict.REPAIR)
    await book.journal.commit(
        Entry(at(31), decisions=[IncidentClosed(RuleId("blocked"), LANE, at(31), fourth, Reason.CLEARED)])
    )
    found = await book.figures()
    assert found.total == Judged("", 4, 2, 1)
    assert found.total.unreviewed == 1
    assert found.rules == (Judged("blocked", 3, 1, 1), Judged("door", 1, 1, 0))
    assert found.zones == (Judged("lane", 3, 1, 1), Judged("lift", 1, 1, 0))
    assert found.devices == (Judged("geo", 3, 1, 1), Judged("x.gone", 1, 1, 0))
    assert found.answered == Spread(3, 4 * MINUTE, 6 * MINUTE)
    assert found.closed == Spread(4, 2 * MINUTE, 6 * MINUTE)
    assert found.escalations == 3
    assert found.begun == Spread(0, None, None)


async def test_until_somebody_begins(book: Book) -> None:
    first, second = await book.alarm(0), await book.alarm(10)
    await book.alarm(20)
    for name, minutes, state, seen in (
        (first, 2, IncidentState.ACKNOWLEDGED, IncidentState.OPEN),
        (first, 5, IncidentState.IN_PROGRESS, IncidentState.ACKNOWLEDGED),
        (second, 13, IncidentState.IN_PROGRESS, IncidentState.OPEN),
    ):
        assert await handle(book.journal, Handling(name, state, at(minutes), "王师傅"), seen)
    found = await book.figures()
    assert found.answered == Spread(2, 2 * MINUTE, 3 * MINUTE)
    assert found.begun == Spread(2, 3 * MINUTE, 5 * MINUTE)


async def test_an_empty_journal(book: Book) -> None:
    found = await book.figures()
    assert (found.total, found.rules, found.answered) == (Judged("", 0, 0, 0), (), Spread(0, None, None))
    assert found.lanes == (Blocked("dark", 0, 0), Blocked("lane", 0, 0))
    assert [one.share for one in found.availability] == [None, None, None]


async def test_minutes_that_lanes_were_blocked(book: Book) -> None:
    present, absent = Presence.PRESENT, Presence.ABSENT
    await book.readings(hear(BAY_1, present, -5), hear(BAY_2, absent, -5))
    await book.readings(hear(BAY_1, absent, 7))  # stood over midnight: 7 minutes of it here
    await book.readings(
        hear(BAY_1, present, 60), hear(BAY_2, present, 65), hear(BAY_1, absent, 70), hear(BAY_2, absent, 80)
    )
    await book.readings(hear(BAY_2, present, 590))  # and over the end: 10 minutes
    await book.readings(hear(BAY_2, absent, 700))
    found = await book.figures()
    assert found.lanes == (Blocked("lane", 37 * MINUTE, 600 * MINUTE), Blocked("dark", 0, 0))
    assert found.bays == (Blocked("x.bay2", 25 * MINUTE, 600 * MINUTE), Blocked("x.bay1", 17 * MINUTE, 600 * MINUTE))


async def test_what_is_not_trusted_is_neither_blocked_nor_available(book: Book) -> None:
    await book.readings(hear(BAY_1, Presence.PRESENT, 0), hear(BIKE, Presence.ABSENT, 300))
    await book.turn(Trust(at(10), Quality.STALE, (BAY_1,)))  # its link is lost
    await book.turn(Trust(at(130), Quality.GOOD, (BAY_1,)))  # and back
    await book.readings(hear(BAY_1, None, 140, Quality.UNKNOWN))  # the device itself does not know any more
    await book.readings(hear(BAY_1, Presence.ABSENT, 150))
    found = await book.figures()
    assert found.bays == (Blocked("x.bay1", 20 * MINUTE, 470 * MINUTE),)
    assert found.availability == (
        Availability("geo", 470 * MINUTE, 600 * MINUTE),
        Availability("cam", 300 * MINUTE, 300 * MINUTE),
        Availability("mute", 0, 0),
    )


async def test_while_the_hub_was_down_nobody_is_blamed(book: Book) -> None:
    await book.readings(hear(BAY_1, Presence.PRESENT, 0))
    await book.turn(Started(at(100), since=at(40)))
    await book.readings(hear(BAY_1, Presence.ABSENT, 110))
    found = await book.figures()
    assert found.down == 60 * MINUTE
    assert found.bays == (Blocked("x.bay1", 50 * MINUTE, 540 * MINUTE),)
    assert found.availability[0] == Availability("geo", 540 * MINUTE, 540 * MINUTE)


async def test_a_clock_that_is_set_back_adds_no_time(book: Book) -> None:
    await book.readings(hear(BAY_1, Presence.ABSENT, 50), hear(BAY_1, Presence.PRESENT, 100))
    await book.turn(ClockJump(at(80), by=-30 * MINUTE))  # 110 became 80: ten minutes had passed
    await book.readings(hear(BAY_1, Presence.ABSENT, 85))
    found = await book.figures()
    assert found.bays[0].blocked == 15 * MINUTE


async def test_a_period_that_is_not_over_ends_now(book: Book) -> None:
    await book.readings(hear(BAY_1, Presence.PRESENT, 0))
    found = await book.figures(Instant(END + 100 * HOUR))
    assert found.lanes[0].blocked == 11 * HOUR


async def test_e_bikes_are_counted_once_however_many_rules_saw_them(book: Book) -> None:
    bike = Witness(holds=True, role=Role.EBIKE, entity=BIKE)
    await book.alarm(0, bike, rule="ebike", zone=LIFT, cleared=5)
    await book.alarm(1, bike, rule="hold", zone=LIFT, incident=False, cleared=3)
    await book.alarm(5, bike, rule="ebike", zone=LIFT, cleared=6)
    await book.alarm(9, Witness(holds=True, role=Role.ALARM), rule="call", zone=LIFT)
    await book.alarm(9, bike, rule="ebike", zone=LANE)
    found = await book.figures()
    assert found.ebikes == (Attempts("lift", 2), Attempts("lift2", 0))


def test_percentiles_by_nearest_rank() -> None:
    values = list(range(1, 21))
    assert [percentile(values, percent) for percent in (50, 95, 100)] == [10, 19, 20]
    assert [percentile(found, 95) for found in ([], [7])] == [None, 7]


async def test_how_long_doors_stood_open(tmp_path: Path) -> None:
    book, door = Book(tmp_path), EntityId("x.door")
    await book.readings(
        hear(door, Contact.CLOSED, 0), hear(door, Contact.OPEN, 60), hear(door, Contact.CLOSED, 75),
        hear(door, Contact.OPEN, 90), hear(door, None, 100, Quality.STALE), hear(door, Contact.CLOSED, 120),
    )  # fmt: skip
    scope = Scope(doors={"garage": frozenset({door}), "dark": frozenset()})
    found = figures(tmp_path, scope, BEGIN, END, END)
    assert found.doors == (
        Blocked("garage", 25 * MINUTE, 10 * HOUR - 20 * MINUTE), Blocked("dark", 0, 0),
    )  # fmt: skip
    await book.journal.close()
