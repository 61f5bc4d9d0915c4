"""A device may be called silent only after the hub itself has listened for so long: its own absence is not counted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hub.engine.listening import LONGEST, MOST, Absence, Absences, deaf, heard, jumped, lasts, remembered
from hub.engine.rule import Clear, OpenIncident, Rule, Trigger
from hub.engine.terms import All, AnyOf, Is, Not, Silent, Term, by_silence
from hub.journal import store
from hub.journal.store import Anchor, Journal
from hub.model.decision import Cleared, Opened, Severity
from hub.model.entry import ClockJump, Entry, LinkBack, LinkLost, Started, Turn
from hub.model.reading import Contact, Presence
from hub.model.site import Role, ZoneKind
from hub.model.text import Text
from hub.model.time import DAY, HOUR, MINUTE, Instant
from tests.kit.clock import START
from tests.kit.lane import CAR, RULE, Plan, seconds, site
from tests.kit.machine import Machine
from tests.kit.reference_terms import told_by_silence

SILENT, OTHER = Silent(Role.VEHICLE, seconds(600)), Is(Role.DOOR, Contact.OPEN)


#: Far from everything.
NOW, ALL = Instant(30 * LONGEST), frozenset({"sim"})


def away(since: int, at: int | None, *integrations: str) -> Absence:
    return Absence(None if at is None else Instant(at), Instant(since), integrations)


def start(since: int, at: int) -> Started:
    return Started(Instant(at), Instant(since))


@pytest.mark.parametrize(
    ("absences", "since", "expected"),
    [
        ((), 0, 0),
        ((away(10, 20),), 0, 10),
        ((away(10, 20),), 10, 10),
        ((away(10, 20),), 15, 5),
        ((away(10, 20),), 20, 0),
        ((away(10, 20), away(30, 35)), 5, 15),
        ((away(10, 20), away(30, 35)), 20, 5),
        ((away(10, 20), away(20, 35)), 12, 23),
        ((away(10, 20, "sim"), away(30, 40, "other")), 5, 10),
        ((away(10, 20, "sim", "other"), away(30, 40)), 5, 20),
        ((away(10, 20), away(NOW - 7, None, "sim")), 5, 17),
        ((away(10, 20), away(NOW - 7, None, "other")), 5, 10),
    ],
)
def test_how_long_nobody_listened(absences: Absences, since: int, expected: int) -> None:
    assert deaf(absences, Instant(since), NOW, ALL) == expected


def test_what_lies_further_back_than_any_silence_is_forgotten() -> None:
    kept = heard((away(0, 10),), start(10 + LONGEST - 1, 10 + LONGEST))
    assert len(kept) == 2
    assert heard(kept, start(10 + LONGEST + 1, 20 + LONGEST))[0] is kept[1]


def test_an_absence_does_not_count_as_having_listened() -> None:
    kept = heard((away(0, 10),), start(20, 20 + 2 * LONGEST))
    assert len(heard(kept, start(30 + 2 * LONGEST, 40 + 2 * LONGEST))) == 3


def test_a_hub_that_is_started_again_and_again_does_not_fill_its_memory() -> None:
    absences: Absences = ()
    for number in range(MOST + 50):
        absences = heard(absences, start(10 * number, 10 * number + 5))
    assert len(absences) == MOST
    assert absences[-1].at == 10 * (MOST + 49) + 5


def test_a_first_start_is_no_absence() -> None:
    assert heard((), start(5, 5)) == ()


def test_a_clock_that_jumps_takes_the_absences_along() -> None:
    absences = jumped((away(10, 20),), HOUR)
    assert absences == (away(10 + HOUR, 20 + HOUR),)
    assert remembered([start(10, 20), ClockJump(Instant(30), HOUR)]) == absences


def mute(time: int, hold: int = 0, calm: int = 0) -> Machine:
    """A lane whose sensor may be silent for ``time`` seconds."""
    silent: Term = Silent(Role.VEHICLE, seconds(time))
    return Machine(
        Rule(
            RULE,
            Text("r"),
            ZoneKind.FIRE_LANE,
            Trigger(silent, seconds(hold)),
            (OpenIncident(Severity.LOW),),
            Clear(Not(silent), seconds(calm), ()),
        ),
        places=site(),
    )


def opened(machine: Machine) -> list[int]:
    """When incidents began, in seconds since the start."""
    return [(made.at - START) // 1_000_000 for made in machine.decisions if isinstance(made, Opened)]


@pytest.mark.parametrize(
    ("before", "downs", "expected"),
    [
        (0, (), 600),
        (0, (300,), 900),  # down half the limit: half as much later
        (0, (3_600,), 4_200),  # down for longer than the limit: not at once
        (599, (3_600,), 4_200),  # one second was missing, and one second it is
        (200, (1_000, 1_000), 2_600),  # several absences add up
        (600, (3_600,), 600),  # silent already: that it is was said before
    ],
)
def test_a_silence_is_what_the_hub_listened_to(before: int, downs: tuple[int, ...], expected: int) -> None:
    machine = mute(600)
    machine.hear(CAR, Presence.ABSENT)
    machine.pass_time(before * 1_000_000)
    for down in downs:
        machine.restart(down * 1_000_000)
    machine.pass_time(2 * HOUR)
    assert opened(machine) == [expected]


@pytest.mark.parametrize(
    ("before", "down", "expected"),
    [
        (900, 0, 1_200),  # silent from 600 s on, and that for 600 s
        (900, 3_600, 4_800),  # half of the ``for`` was listened to, and half of it is to come
        (300, 3_600, 4_800),  # the silence itself was not yet there
        (1_300, 3_600, 1_200),  # said before
    ],
)
def test_nor_is_the_absence_part_of_how_long_the_silence_lasts(before: int, down: int, expected: int) -> None:
    machine = mute(600, hold=600)
    machine.hear(CAR, Presence.ABSENT)
    machine.pass_time(before * 1_000_000)
    machine.restart(down * 1_000_000)
    machine.pass_time(2 * HOUR)
    assert opened(machine) == [expected]


def test_a_device_that_spoke_again_is_not_believed_the_sooner_for_an_absence() -> None:
    machine = mute(600, calm=300)
    machine.hear(CAR, Presence.ABSENT)
    machine.pass_time(900 * 1_000_000)
    machine.hear(CAR, Presence.ABSENT)
    machine.pass_time(100 * 1_000_000)
    machine.restart(HOUR)
    machine.pass_time(199 * 1_000_000)
    assert not [made for made in machine.decisions if isinstance(made, Cleared)]
    machine.pass_time(1_000_000)
    assert [made for made in machine.decisions if isinstance(made, Cleared)]


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (SILENT, True),
        (Not(SILENT), True),
        (All((SILENT, OTHER)), True),
        (AnyOf((SILENT, OTHER)), False),
        (Not(AnyOf((SILENT, OTHER))), True),
        (Not(All((SILENT, OTHER))), False),
        (OTHER, False),
    ],
)
def test_what_cannot_hold_but_by_a_silence(term: Term, expected: bool) -> None:
    assert by_silence(term) is expected
    assert told_by_silence(term) is expected


def test_a_car_that_stands_there_stands_there_while_the_hub_is_away() -> None:
    machine = Machine(Plan(hold=10, gap=7_200).rule(), places=site())
    machine.hear(CAR, Presence.PRESENT)
    machine.restart(HOUR)
    machine.hear(CAR, Presence.PRESENT)
    assert opened(machine) == [3_600]


def test_nothing_opens_at_a_start_although_every_limit_has_passed_by_the_clock() -> None:
    machine = mute(600)
    machine.hear(CAR, Presence.ABSENT)
    assert machine.restart(DAY) == []
    machine.pass_time(MINUTE)
    machine.hear(CAR, Presence.ABSENT)  # the device was well all the time
    machine.pass_time(9 * MINUTE)
    assert opened(machine) == []


def test_the_clock_may_jump_between() -> None:
    machine = mute(600)
    machine.hear(CAR, Presence.ABSENT)
    machine.restart(HOUR)
    machine.jump(DAY)
    machine.pass_time(599 * 1_000_000)
    assert opened(machine) == []
    machine.pass_time(2 * 1_000_000)
    assert len(opened(machine)) == 1


def test_a_link_is_away_from_its_loss_until_its_return_or_the_end_of_the_hub() -> None:
    gone = heard((), LinkLost(Instant(10), ("sim",)))
    assert gone == (away(10, None, "sim"),)
    assert heard(gone, LinkLost(Instant(12), ("sim",))) is gone
    assert heard(gone, LinkBack(Instant(30))) == (away(10, 30, "sim"),)
    assert heard(gone, start(20, 50)) == (away(10, 20, "sim"), away(20, 50)), "none overlaps another"
    assert heard(gone, start(5, 5)) == (), "the last commit before it was lost"
    assert jumped(gone, HOUR) == (away(10 + HOUR, None, "sim"),)
    assert heard((), LinkBack(Instant(30))) == ()


@pytest.mark.parametrize(
    ("before", "lost", "expected"),
    [
        (0, 300, 900),  # half of the limit nobody could hear it
        (0, 3_600, 4_200),  # longer than the limit: not while the link is away, nor at its return
        (599, 3_600, 4_200),
        (600, 3_600, 600),  # silent already: that it is was said before
    ],
)
def test_a_device_whose_link_is_away_is_not_silent(before: int, lost: int, expected: int) -> None:
    machine = mute(600)
    machine.hear(CAR, Presence.ABSENT)
    machine.pass_time(before * 1_000_000)
    machine.lose("test", "other")
    machine.pass_time(lost * 1_000_000)
    assert opened(machine) == ([600] if before == 600 else [])
    machine.regain()
    machine.pass_time(2 * HOUR)
    assert opened(machine) == [expected]


@pytest.mark.parametrize(
    ("before", "lost", "expected"),
    [
        (900, 3_600, 4_800),  # half of the ``for`` is to come
        (300, 3_600, 4_800),
        (1_300, 3_600, 1_200),  # said before
    ],
)
def test_nor_is_that_part_of_how_long_a_silence_lasts(before: int, lost: int, expected: int) -> None:
    machine = mute(600, hold=600)
    machine.hear(CAR, Presence.ABSENT)
    machine.pass_time(before * 1_000_000)
    machine.lose("test")
    machine.pass_time(lost * 1_000_000)
    machine.regain()
    machine.pass_time(2 * HOUR)
    assert opened(machine) == [expected]


def test_nor_of_how_long_it_must_speak_again() -> None:
    machine = mute(600, calm=300)
    machine.hear(CAR, Presence.ABSENT)
    machine.pass_time(900 * 1_000_000)
    machine.hear(CAR, Presence.ABSENT)
    machine.pass_time(100 * 1_000_000)
    machine.lose("test")
    machine.pass_time(HOUR)
    machine.regain()
    machine.pass_time(199 * 1_000_000)
    assert not [made for made in machine.decisions if isinstance(made, Cleared)]
    machine.pass_time(1_000_000)
    assert [made for made in machine.decisions if isinstance(made, Cleared)]


def test_nobody_looks_again_and_again_while_a_link_is_away() -> None:
    machine = mute(600, hold=600)
    machine.hear(CAR, Presence.ABSENT)
    machine.pass_time(1_200 * 1_000_000 - 1)
    machine.lose("test")
    machine.pass_time(DAY)
    assert machine.state.next_wake() is None
    assert opened(machine) == []


def test_a_device_on_another_link_is_silent_all_the_same() -> None:
    machine = mute(600)
    machine.hear(CAR, Presence.ABSENT)
    machine.lose("other")
    machine.pass_time(HOUR)
    assert opened(machine) == [600]


def test_a_hub_that_dies_without_its_link_counts_neither() -> None:
    machine = mute(600)
    machine.hear(CAR, Presence.ABSENT)
    machine.lose("test")
    machine.pass_time(HOUR)
    machine.restart(HOUR)
    machine.lose("test")  # a hub that starts has no link yet
    machine.pass_time(HOUR)
    machine.regain()
    machine.pass_time(HOUR)
    assert opened(machine) == [3 * 3_600 + 600]


def test_a_lost_link_is_remembered_until_the_hub_starts_again() -> None:
    assert lasts(heard((away(0, 5),), LinkLost(Instant(10), ("sim",))))
    assert not lasts(heard((away(0, None, "sim"),), start(7, 9)))


async def test_the_journal_tells_a_restarted_hub_of_its_absences(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    turns: list[Turn] = [start(START, START + HOUR), ClockJump(Instant(START + 2 * HOUR), MINUTE)]
    turns += [LinkLost(Instant(START + 3 * HOUR), ("sim",))]
    await journal.commit(Entry(at=START, turns=turns))
    await journal.close()
    again = Journal(tmp_path)
    memory = again.load()
    await again.close()
    assert memory.absences == (away(START + MINUTE, START + HOUR + MINUTE), away(START + 3 * HOUR, None, "sim"))


async def test_a_hub_that_hears_nobody_notes_that_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "BEAT", 0.0)
    journal = Journal(tmp_path)
    seen = asyncio.Event()

    def anchor() -> Anchor:
        seen.set()
        return Anchor(Instant(7), "", 0)

    journal.anchor = anchor
    task = asyncio.create_task(store.keep_anchor(journal))
    async with asyncio.timeout(10):
        await seen.wait()
        await journal.execute(lambda _: None)  # the beat before it is on the disk by now
    assert journal.load().anchor == Anchor(Instant(7), "", 0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await journal.close()
