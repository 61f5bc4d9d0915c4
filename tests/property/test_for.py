"""Semantics 1, 2 and 4 of DESIGN.md section 6: how a ``for`` runs, and what ends it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.model.decision import Opened, PendingDropped, PendingStarted
from hub.model.reading import Presence, Quality
from hub.model.site import Mode
from hub.model.time import HOUR, SECOND
from tests.kit.lane import CAR, LEFT, RIGHT, RULE, Plan, seconds
from tests.kit.machine import Machine
from tests.kit.words import kinds

PLAN = Plan(hold=10, gap=6)
PRESENT, ABSENT = Presence.PRESENT, Presence.ABSENT


def blind(machine: Machine) -> None:
    machine.hear(CAR, None, Quality.STALE)


@given(st.lists(st.tuples(st.integers(1, 9_999_999), st.integers(0, 5_000_000)), min_size=2, max_size=30))
def test_a_bouncing_contact_never_adds_up(bounces: list[tuple[int, int]]) -> None:
    """Semantic 1: any opposite edge begins a ``for`` anew, however short."""
    machine = Machine(PLAN.rule())
    for there, gone in bounces:  # never there for the ten seconds, however long in all; gone for as little as nothing
        machine.hear(CAR, PRESENT)
        machine.pass_time(there)
        machine.hear(CAR, ABSENT)
        machine.pass_time(gone)
    assert not [made for made in machine.decisions if isinstance(made, Opened)]
    dropped = [made for made in machine.decisions if isinstance(made, PendingDropped)]
    assert [made.reason for made in dropped] == ["opposite_edge"] * len(bounces)
    assert [made.ran for made in dropped] == [there for there, _ in bounces]


@given(st.lists(st.integers(0, 3_000_000), max_size=20))
def test_a_repeat_does_not_restart(pauses: list[int]) -> None:
    """Semantic 1: a repeat of the same value does not."""
    machine = Machine(PLAN.rule())
    machine.hear(CAR, PRESENT)
    began = machine.now
    for pause in pauses:
        machine.pass_time(pause)
        machine.hear(CAR, PRESENT)
    machine.pass_time(seconds(10))
    (started,) = [made for made in machine.decisions if isinstance(made, PendingStarted)]
    (opened,) = [made for made in machine.decisions if isinstance(made, Opened)]
    assert started.due == opened.at == began + seconds(10)
    assert (opened.since, opened.late_by) == (began, 0)


@given(before=st.integers(0, 9_999_999), gap=st.integers(0, 5_999_999))
def test_blind_within_the_gap_goes_on_and_fires_late(before: int, gap: int) -> None:
    machine = Machine(PLAN.rule())
    machine.hear(CAR, PRESENT)
    machine.pass_time(before)
    blind(machine)
    assert kinds(machine.pass_time(gap)) == [], "nothing fires on what is not known"
    machine.hear(CAR, PRESENT)
    machine.pass_time(seconds(10))
    (opened,) = [made for made in machine.decisions if isinstance(made, Opened)]
    assert opened.late_by == max(0, before + gap - seconds(10))
    assert opened.at == opened.since + seconds(10) + opened.late_by


@given(before=st.integers(0, 9_999_999), longer=st.integers(0, 100_000_000), word=st.sampled_from(Quality))
def test_blind_for_longer_is_dropped_with_the_reason(before: int, longer: int, word: Quality) -> None:
    """Semantic 2: a ``for`` outlives its source by ``tolerate_gap`` at most, and says why it ends."""
    if word is Quality.GOOD:
        return
    machine = Machine(PLAN.rule())
    machine.hear(CAR, PRESENT)
    machine.pass_time(before)
    machine.hear(CAR, None, word)
    (dropped,) = machine.pass_time(seconds(6) + longer)
    assert isinstance(dropped, PendingDropped)
    assert (dropped.reason, dropped.ran) == ("source_unknown", before + seconds(6))
    assert kinds(machine.hear(CAR, PRESENT)) == ["pending_started"], "known again, it begins anew"


@given(st.integers(0, 100_000_000))
def test_blind_for_longer_while_nobody_looked_begins_anew(longer: int) -> None:
    machine = Machine(PLAN.rule())
    machine.hear(CAR, PRESENT)
    machine.pass_time(seconds(9))
    blind(machine)
    machine.stall(seconds(6) + longer)
    dropped, started = machine.hear(CAR, PRESENT)
    assert isinstance(dropped, PendingDropped)
    assert dropped.reason == "source_unknown"
    assert isinstance(started, PendingStarted)
    assert started.due == machine.now + seconds(10)


@given(before=st.integers(0, 9_999_999), down=st.integers(0, 9_999_999))
def test_for_survives_a_restart(before: int, down: int) -> None:
    machine = Machine(PLAN.rule())
    machine.hear(CAR, PRESENT)
    began = machine.now
    machine.pass_time(before)
    machine.restart(down)
    machine.hear(CAR, PRESENT)
    machine.pass_time(seconds(10))
    (opened,) = [made for made in machine.decisions if isinstance(made, Opened)]
    assert opened.since == began
    assert opened.at == max(began + seconds(10), began + before + down)


@given(down=st.integers(0, 10 * HOUR), confirmed=st.integers(0, 5_999_999))
def test_due_while_down_fires_once_late_by_the_true_amount(down: int, confirmed: int) -> None:
    """Semantic 4: what became due while the hub was down fires once it is confirmed, marked late."""
    machine = Machine(PLAN.rule())
    machine.hear(CAR, PRESENT)
    began = machine.now
    machine.pass_time(seconds(4))
    assert machine.restart(seconds(6) + down) == []
    assert machine.pass_time(confirmed) == []
    machine.hear(CAR, PRESENT)
    machine.hear(CAR, PRESENT)
    machine.restart(0)
    machine.hear(CAR, PRESENT)
    (opened,) = [made for made in machine.decisions if isinstance(made, Opened)]
    assert opened.late_by == opened.at - began - seconds(10) == down + confirmed


@given(st.integers(0, 10 * HOUR))
def test_due_while_down_is_dropped_when_the_source_no_longer_says_so(down: int) -> None:
    """Semantic 4: else it is dropped with that reason."""
    gone, silent = Machine(PLAN.rule()), Machine(PLAN.rule())
    for machine in (gone, silent):
        machine.hear(CAR, PRESENT)
        machine.restart(seconds(10) + down)
    assert [made.reason for made in gone.hear(CAR, ABSENT) if isinstance(made, PendingDropped)] == ["opposite_edge"]
    (dropped,) = silent.pass_time(seconds(6))
    assert isinstance(dropped, PendingDropped)
    assert dropped.reason == "source_unknown"


def test_one_of_two_sensors_does_not_vouch_for_a_restart() -> None:
    machine = Machine(PLAN.rule())
    for sensor in (LEFT, RIGHT):
        machine.hear(sensor, PRESENT)
    assert machine.restart(seconds(30)) == [], "nothing is confirmed yet, by neither of them"
    assert "opened" in kinds(machine.hear(LEFT, PRESENT))


def test_a_calm_value_needs_all_sensors_and_an_active_one_any() -> None:
    machine = Machine(PLAN.but(hold=0, clear_hold=0).rule())
    assert "opened" in kinds(machine.hear(RIGHT, PRESENT)), "though LEFT was never heard"
    assert kinds(machine.hear(RIGHT, ABSENT)) == [], "LEFT may still see it"
    assert "cleared" in kinds(machine.hear(LEFT, ABSENT))


@given(jump=st.integers(-60 * 365 * 24 * HOUR, 60 * 365 * 24 * HOUR), before=st.integers(0, 9_999_999))
def test_a_jump_of_the_wall_clock_neither_fires_nor_delays(jump: int, before: int) -> None:
    machine = Machine(PLAN.rule())
    machine.hear(CAR, PRESENT)
    machine.pass_time(before)
    machine.jump(jump)
    rest = seconds(10) - before
    assert machine.pass_time(rest - 1) == []
    opened = machine.pass_time(1)[0]
    assert isinstance(opened, Opened)
    assert opened.late_by == 0
    assert opened.at - opened.since == seconds(10)


def test_a_condition_holds_back_and_says_nothing_of_being_late() -> None:
    machine = Machine(PLAN.but(quiet=True).rule())
    machine.mode(Mode.MAINTENANCE, on=True)
    machine.hear(CAR, PRESENT)
    assert machine.pass_time(seconds(60)) == []
    opened = machine.mode(Mode.MAINTENANCE, on=False)[0]
    assert isinstance(opened, Opened)
    assert opened.late_by == 0


@given(st.integers(1, 300))
def test_a_mode_with_an_end_ends_by_itself(minutes: int) -> None:
    machine = Machine(PLAN.but(hold=0, quiet=True).rule())
    machine.hear(CAR, ABSENT)
    machine.mode(Mode.MAINTENANCE, on=True, until=machine.now + seconds(minutes))  # type: ignore[arg-type]
    machine.hear(CAR, PRESENT)
    machine.restart(0)
    machine.hear(CAR, PRESENT)
    assert machine.pass_time(seconds(minutes) - 1) == []
    machine.hear(CAR, PRESENT)
    assert "opened" in kinds(machine.pass_time(1)), RULE
    assert Mode.MAINTENANCE not in machine.state.modes


def test_without_for_nothing_is_told_of_waiting() -> None:
    machine = Machine(PLAN.but(hold=0, quiet=True).rule())
    machine.mode(Mode.MAINTENANCE, on=True)
    machine.hear(CAR, PRESENT)
    machine.pass_time(SECOND)
    machine.hear(CAR, ABSENT)
    assert kinds(machine.decisions) == []
