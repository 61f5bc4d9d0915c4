"""Figures about people against a history that was drawn and counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.journal.desk import handle
from hub.journal.measures import Ended, Filmed, Patrol, People, Round, Told, Turned
from hub.journal.report import Figures, Scope, figures
from hub.journal.spread import Spread
from hub.model.decision import Action, Capture, Cleared, Command, Notify, Reason, Switch
from hub.model.entry import Entry, Evidence, Outcome
from hub.model.ids import ActivationId, CommandKey, EntityId, RuleId, ZoneId
from hub.model.incident import CommandStatus, Handling, IncidentState, Verdict
from hub.model.reading import Alarm, Quality, Reading
from hub.model.site import Role
from hub.model.time import DAY, HOUR, MINUTE, SECOND, Duration, Instant
from tests.unit.journal.test_report import BEGIN, END, LANE, LIFT, Book, at

POINT, OTHER = EntityId("x.point"), EntityId("x.other")
SCOPE = Scope(
    lifts=frozenset({"lift", "lift2"}),
    points={"lane": frozenset({POINT, OTHER})},
    rounds={"lane": tuple(Round(at(60 * hour), at(60 * hour + 30)) for hour in (0, 1, 2, 3, 4, 9, 10))},
)


class Diary(Book):
    """Also writes what was done."""

    async def do(
        self, name: ActivationId, minutes: float, action: Action, status: CommandStatus = CommandStatus.DONE,
        zone: ZoneId = LANE, media: str = "", camera: str = "",
    ) -> None:  # fmt: skip
        """Write a command and what became of it; ``media``: it left a file."""
        key = CommandKey(f"{name}@{minutes}@{type(action).__name__}")
        command = Command(RuleId("blocked"), zone, at(minutes), key, name, "open", action, Duration(MINUTE))
        kept = Evidence(f"e{key}", name, key, f"e/{key}", media, "0" * 64, 1, at(minutes)) if media else None
        outcome = Outcome(key, name, status, at(minutes), evidence=kept, detail={"entity": camera} if camera else {})
        await self.journal.commit(Entry(at(minutes), decisions=[command], outcomes=[outcome]))

    async def step(self, name: ActivationId, minutes: float, state: IncidentState) -> None:
        assert await handle(self.journal, Handling(name, state, at(minutes), "王师傅"), IncidentState.OPEN)

    async def read(self, *minutes: float, point: EntityId = POINT) -> None:
        for moment in minutes:
            await self.readings(
                Reading(point, Alarm.ACTIVE, Quality.GOOD, at(moment)),
                Reading(point, Alarm.CLEAR, Quality.GOOD, Instant(at(moment) + SECOND)),
            )

    async def clear(self, name: ActivationId, minutes: float, reason: Reason = Reason.CLEARED) -> None:
        ended = Cleared(RuleId("blocked"), LIFT, at(minutes), name, reason)
        await self.journal.commit(Entry(at(minutes), decisions=[ended]))

    async def people(self, scope: Scope = SCOPE) -> People:
        await self.journal.close()
        found: Figures = figures(self.folder, scope, BEGIN, END, END)
        return found.people


@pytest.fixture
def book(tmp_path: Path) -> Diary:
    return Diary(tmp_path)


async def test_how_alarms_ended(book: Diary) -> None:
    verdicts = [Verdict.FALSE_ALARM, Verdict.RESOLVED, Verdict.REPAIR, Verdict.FALSE_ALARM]
    for number, verdict in enumerate(verdicts):
        await book.judge(await book.alarm(10 * number), 10 * number + 1, verdict)
    await book.alarm(100)
    await book.judge(await book.alarm(-5), 3, Verdict.RESOLVED)  # began before
    counts = {one.verdict: one.count for one in (await book.people()).ended}
    assert counts == {Verdict.RESOLVED: 1, Verdict.FALSE_ALARM: 2, Verdict.REPAIR: 1, None: 1}


async def test_who_was_told_and_how_soon_somebody_answered(book: Diary) -> None:
    guard, manager = Notify("guard"), Notify("manager")
    first = await book.alarm(0)
    await book.do(first, 1, guard)
    await book.do(first, 6, guard)  # told again: it counts from the first
    await book.do(first, 10, manager)
    await book.step(first, 12, IncidentState.ACKNOWLEDGED)
    second = await book.alarm(60)
    await book.do(second, 60, guard, CommandStatus.FAILED)
    await book.step(second, 65, IncidentState.ACKNOWLEDGED)
    await book.do(second, 70, manager)  # after somebody had acted
    third = await book.alarm(90)
    await book.do(third, 90, guard, CommandStatus.DROPPED)
    await book.do(await book.alarm(-1), -1, manager)  # before the period
    assert (await book.people()).told == (
        Told("guard", 4, 2, Spread(2, 5 * MINUTE, 11 * MINUTE)),
        Told("manager", 2, 2, Spread(1, 2 * MINUTE, 2 * MINUTE)),
    )


async def test_on_site_is_when_a_point_of_the_zone_was_read(book: Diary) -> None:
    first, second = await book.alarm(0), await book.alarm(100)
    await book.alarm(200)  # nobody came
    await book.alarm(300, zone=LIFT)  # has no point
    await book.read(-10, 7, 30)
    await book.read(109, point=OTHER)
    await book.read(301)
    await book.judge(first, 40, Verdict.RESOLVED)
    await book.judge(second, 105, Verdict.RESOLVED)  # before anybody came
    assert (await book.people()).on_site == Spread(2, 7 * MINUTE, 101 * MINUTE)


async def test_without_a_point_nothing_is_known_of_who_came(book: Diary) -> None:
    await book.alarm(0)
    found = await book.people(Scope())
    assert (found.on_site, found.patrols, found.turned) == (None, (), ())


async def test_rounds_that_are_over_and_known(book: Diary) -> None:
    await book.read(40)  # first heard after the first round: that one is nobody's
    await book.read(60, point=OTHER)  # the very beginning
    await book.read(150)  # the very end: too late for the round at two
    await book.read(190, 200)  # twice is once
    found = (await book.people()).patrols
    assert found == (Patrol("lane", due=5, made=2),), "of 1, 2, 3, 4 and 9 o'clock; that of 10 is not over"


async def test_e_bikes_that_left_while_the_door_was_held(book: Diary) -> None:
    hold = Switch(Role.DOOR_HOLD, Duration(60 * SECOND))
    for minutes, left, status, reason in (
        (0, 0.5, CommandStatus.DONE, Reason.CLEARED),
        (10, 11, CommandStatus.DONE, Reason.CLEARED),  # as it let go
        (20, 21.5, CommandStatus.DONE, Reason.CLEARED),  # too late
        (30, 30.5, CommandStatus.FAILED, Reason.CLEARED),  # was never held
        (40, 40.5, CommandStatus.DONE, Reason.RULE_CHANGED),  # nobody saw it leave
        (50, None, CommandStatus.DONE, Reason.CLEARED),
    ):
        name = await book.alarm(minutes, zone=LIFT)
        await book.do(name, minutes, hold, status, zone=LIFT)
        if left is not None:
            await book.clear(name, left, reason)
    other = await book.alarm(55, zone=LIFT)
    await book.do(other, 55, Switch(Role.LIGHT, Duration(HOUR)), zone=LIFT)
    assert (await book.people()).turned == (Turned("lift", held=5, gone=2),)


async def test_evidence_by_camera_whatever_the_period(book: Diary) -> None:
    name = await book.alarm(-3 * DAY / MINUTE)
    for number, (media, camera) in enumerate(
        (("video/mp4", "x.cam1"), ("image/jpeg", "x.cam2"), ("video/mp4", "x.cam1"), ("audio/wav", ""))
    ):
        await book.do(name, -3 * DAY / MINUTE + number, Capture(), media=media, camera=camera)
    assert (await book.people()).filmed == (
        Filmed("x.cam1", 2, at(-3 * DAY / MINUTE)), Filmed("x.cam2", 1, None)
    )  # fmt: skip


async def test_an_empty_journal_has_a_row_for_every_verdict(book: Diary) -> None:
    found = await book.people()
    assert found.ended == tuple(Ended(verdict, 0) for verdict in (*Verdict, None))
    assert (found.told, found.turned, found.on_site) == ((), (), Spread(0, None, None))
    assert found.patrols == (Patrol("lane", 0, 0),)
