"""Semantics 3 and 5 of DESIGN.md section 6: what an activation survives, when it ends, when the rule arms again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.model.decision import Cleared, Command, Escalated, Opened, PendingDropped, Say, Withheld
from hub.model.ids import ZoneId
from hub.model.reading import Presence, Quality
from hub.model.site import Role, Zone, ZoneKind
from hub.model.text import Text
from tests.kit.lane import CAR, LEFT, OTHER, RIGHT, Plan, seconds, site
from tests.kit.machine import Machine, picture
from tests.kit.words import action, kinds

PLAN = Plan(hold=0, clear_hold=3, gap=6, steps=(8, 20))
PRESENT, ABSENT = Presence.PRESENT, Presence.ABSENT

moments = st.integers(0, 30_000_000)


def opened(plan: Plan = PLAN, others: tuple[Plan, ...] = ()) -> Machine:
    machine = Machine(plan.rule(), *(other.rule(OTHER) for other in others))
    machine.hear(CAR, PRESENT)
    return machine


@given(at=moments, down=moments)
def test_escalation_survives_a_restart(at: int, down: int) -> None:
    """Semantic 3: a running escalation survives a restart."""
    machine = opened()
    began = machine.now
    machine.pass_time(at)
    machine.restart(down)
    machine.hear(CAR, PRESENT)
    machine.pass_time(seconds(60))
    steps = [made for made in machine.decisions if isinstance(made, Escalated)]
    assert [made.step for made in steps] == [1, 2], "each once"
    assert [made.at - made.late_by - began for made in steps] == [seconds(8), seconds(20)]


@given(at=moments, volume=st.integers(0, 100), hold=st.integers(0, 9))
def test_an_edit_of_another_rule_changes_nothing(at: int, volume: int, hold: int) -> None:
    """Semantic 3: an edit of another rule changes nothing."""
    other = Plan(hold=3)
    left, alone = opened(others=(other,)), opened(others=(other,))
    for machine in (left, alone):
        machine.hear(LEFT, PRESENT)
        machine.hear(RIGHT, ABSENT)
        machine.pass_time(at)
    left.edit(PLAN.rule(), other.but(volume=volume, hold=hold).rule(OTHER))
    for machine in (left, alone):
        machine.pass_time(seconds(25))
        machine.hear(CAR, ABSENT)
        machine.pass_time(seconds(25))
    ours = [[made for made in machine.decisions if made.rule != OTHER] for machine in (left, alone)]
    assert ours[0] == ours[1]


@given(at=moments)
def test_an_edit_that_keeps_the_trigger_keeps_what_runs(at: int) -> None:
    for plan in (PLAN, PLAN.but(hold=60)):
        machine = opened(plan)
        machine.pass_time(at)
        before = picture(machine.state)
        assert machine.edit(plan.but(volume=10, clear_hold=1).rule()) == []
        assert picture(machine.state) == before


@given(at=moments)
def test_an_edit_of_the_trigger_closes_with_that_reason(at: int) -> None:
    """Semantic 3: an edit of the trigger closes what runs under it, with that reason."""
    active, pending = opened(), opened(PLAN.but(hold=60))
    for machine in (active, pending):
        machine.pass_time(at)
    made = active.edit(PLAN.but(hold=5).rule())
    assert kinds(made) == ["cleared", "incident_closed", "pending_started"]
    assert {item.reason for item in made[:2] if isinstance(item, Cleared)} == {"rule_changed"}
    (dropped,) = pending.edit()
    assert isinstance(dropped, PendingDropped)
    assert (dropped.reason, dropped.ran) == ("rule_changed", at)


def test_an_edit_during_the_cooldown_has_nothing_to_close() -> None:
    machine = opened(PLAN.but(cooldown=30))
    machine.hear(CAR, ABSENT)
    machine.pass_time(seconds(5))
    assert machine.edit(PLAN.but(hold=5, cooldown=30).rule()) == []


def test_a_rule_that_was_held_back_tells_that_it_was_edited() -> None:
    machine = opened(PLAN.but(hold=5, closed=True))
    machine.pass_time(seconds(10))
    assert kinds(machine.edit()) == ["pending_dropped"]


def test_a_zone_that_is_gone_is_closed() -> None:
    machine = opened()
    other = Zone(ZoneId("wide"), ZoneKind.FIRE_LANE, Text("宽"), bind={Role.VEHICLE: (LEFT,)})
    assert kinds(machine.edit(PLAN.rule(), places=site(other))) == ["cleared", "incident_closed"]
    assert machine.state.slots == {}


@given(st.lists(st.sampled_from([PRESENT, ABSENT]), max_size=30), st.integers(0, 5))
def test_one_activation_at_a_time_in_each_zone(values: list[Presence], pause: int) -> None:
    """Semantic 5: one activation per rule and zone at a time."""
    machine = Machine(PLAN.rule())
    for value in values:
        for sensor in (CAR, LEFT, RIGHT):
            machine.hear(sensor, value)
        machine.pass_time(seconds(pause) + 1)
    for zone in ("lane", "wide"):
        opening = True
        for made in machine.decisions:
            if made.zone == zone and isinstance(made, Opened | Cleared):
                assert isinstance(made, Opened) is opening
                opening = not opening
    ids = [made.activation for made in machine.decisions if isinstance(made, Opened)]
    assert len(set(ids)) == len(ids)


@given(cooldown=st.integers(0, 20), away=st.integers(1, 19_999_999))
def test_it_arms_again_after_clear_and_cooldown(cooldown: int, away: int) -> None:
    """Semantic 5: it arms again after clear and cooldown."""
    machine = opened(PLAN.but(cooldown=cooldown))
    machine.hear(CAR, ABSENT)
    machine.pass_time(seconds(3))
    cleared = machine.now
    machine.pass_time(away)
    machine.hear(CAR, PRESENT)
    machine.pass_time(seconds(20))
    first, second = [made for made in machine.decisions if isinstance(made, Opened)]
    assert second.at == max(cleared + away, cleared + seconds(cooldown))
    assert second.activation != first.activation


@given(gone=st.integers(0, 7_999_999), back=st.integers(0, 2_999_999))
def test_escalation_waits_while_clear_runs(gone: int, back: int) -> None:
    machine = opened()
    machine.pass_time(gone)
    machine.hear(CAR, ABSENT)
    made = machine.pass_time(back)
    assert "escalated" not in kinds(made), "the driver may be gone"
    made = machine.hear(CAR, PRESENT) + machine.pass_time(seconds(8))
    step = next(item for item in made if isinstance(item, Escalated))
    assert step.late_by == max(0, gone + back - seconds(8))


def test_it_clears_only_when_the_car_is_gone_without_a_break() -> None:
    machine = opened(PLAN.but(steps=()))
    for _ in range(10):
        machine.hear(CAR, ABSENT)
        machine.pass_time(seconds(2))
        machine.hear(CAR, PRESENT)
        machine.pass_time(seconds(2))
    assert "cleared" not in kinds(machine.decisions)
    machine.hear(CAR, ABSENT)
    assert kinds(machine.pass_time(seconds(3) - 1)) == []
    assert kinds(machine.pass_time(1)) == ["cleared", "command", "incident_closed"]


@given(st.integers(0, 7_999_999))
def test_a_voice_is_withheld_while_the_source_is_unknown_but_people_are_told(at: int) -> None:
    machine = opened()
    machine.pass_time(at)
    machine.hear(CAR, None, Quality.UNKNOWN)
    assert kinds(machine.pass_time(seconds(6) - 1)) == [], "within the gap it may come back"
    made = machine.pass_time(seconds(30))
    assert [action(item.action) for item in made if isinstance(item, Withheld)] == [
        "say step 1 at 80",
        "say step 2 at 80",
    ]
    commands = [item.action for item in made if isinstance(item, Command)]
    assert [action(item) for item in commands] == ["notify guard", "notify guard"]
    assert not any(isinstance(item, Say) for item in commands)


def test_blindness_longer_than_the_gap_begins_the_clear_anew() -> None:
    machine = opened(PLAN.but(steps=()))
    machine.hear(CAR, ABSENT)
    machine.pass_time(seconds(2))
    machine.hear(CAR, None, Quality.STALE)
    machine.stall(seconds(60))
    assert kinds(machine.hear(CAR, ABSENT)) == []
    assert "cleared" in kinds(machine.pass_time(seconds(3)))


def test_a_blindness_that_was_given_up_stays_given_up_when_the_rule_tolerates_more() -> None:
    machine = opened(PLAN.but(steps=(), gap=0))
    machine.hear(CAR, ABSENT)
    machine.pass_time(seconds(1))
    machine.hear(CAR, None, Quality.STALE)
    machine.edit(PLAN.but(steps=(), gap=100).rule())
    assert "cleared" not in kinds(machine.hear(CAR, ABSENT)), "the clear begins anew"
    assert "cleared" not in kinds(machine.pass_time(seconds(3) - 1))
    assert "cleared" in kinds(machine.pass_time(1))


def test_the_trace_says_what_satisfied_what() -> None:
    machine = Machine(PLAN.but(quiet=True, closed=False).rule())
    made = machine.hear(CAR, PRESENT)[0]
    assert isinstance(made, Opened)
    car, mode = made.trace
    assert (car.entity, car.value, car.since, car.holds) == (CAR, "present", machine.now, True)
    assert mode.holds is True


def test_the_keys_of_commands_are_their_own_and_always_the_same() -> None:
    first, second = opened(), opened()
    for machine in (first, second):
        machine.pass_time(seconds(30))
        machine.hear(CAR, ABSENT)
        machine.pass_time(seconds(5))
    keys = [[made.key for made in machine.decisions if isinstance(made, Command)] for machine in (first, second)]
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == len(keys[0]) == 7
