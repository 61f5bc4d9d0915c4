"""Order, count, silence and limits: at their edges, and across restarts, jumps of the clock and edits."""

from __future__ import annotations

import pytest

from hub.model.decision import Cleared, Command, PendingDropped, PendingStarted, Say
from hub.model.reading import Alarm, Contact, Presence, Quality
from hub.model.time import DAY, HOUR, MINUTE, SECOND
from tests.kit.gatehouse import Gatehouse, at

RULE = """\
rule: watch
zones: {{kind: gate}}
trigger: {trigger}
actions: [{{say: {{text: 请注意, volume: {volume}}}}}]
clear: {clear}
"""
START = at("2026-11-20 12:00")
OPEN, CLOSED = Contact.OPEN, Contact.CLOSED


def text(trigger: str, clear: str = "{door: closed}", volume: int = 80) -> str:
    return RULE.format(trigger=trigger, clear=clear, volume=volume)


def gate(trigger: str, clear: str = "{door: closed}", more: str = "", both: tuple[str, ...] = ()) -> Gatehouse:
    return Gatehouse(text(trigger, clear) + more, start=START, both=both)


def undergo(zone: Gatehouse, fate: str, rule: str) -> None:
    """Let something happen that must not matter."""
    match fate:
        case "jump on":
            zone.jump(HOUR)
        case "jump back":
            zone.jump(-HOUR)
        case "to 1970":
            zone.jump(10 * DAY - zone.now)
        case "to 1970 and back":
            there = 10 * DAY - zone.now
            zone.jump(there)
            zone.jump(-there)
        case "edit":
            zone.edit(rule)
        case "restart":
            zone.restart()
            zone.hear("door.a", CLOSED)
            zone.hear("card.a", Alarm.CLEAR)


every_fate = pytest.mark.parametrize(
    "fate", ["nothing", "jump on", "jump back", "to 1970", "to 1970 and back", "edit", "restart"]
)


@every_fate
@pytest.mark.parametrize(
    ("order", "before", "fires"),
    [
        ("after", None, False), ("after", 5, True), ("after", 30, True), ("after", 31, False),
        ("without", None, True), ("without", 5, False), ("without", 30, False), ("without", 31, True),
    ],
)  # fmt: skip
def test_a_door_opened_after_or_without_a_card(order: str, before: int | None, fires: bool, fate: str) -> None:
    trigger = f"{{door: open, {order}: {{card: active, within: 30 s}}}}"
    zone = gate(trigger)
    zone.hear("card.a", Alarm.CLEAR)
    zone.hear("door.a", CLOSED)
    zone.wait(60)
    if before is not None:
        zone.hear("card.a", Alarm.ACTIVE)
        zone.wait(1)
        zone.hear("card.a", Alarm.CLEAR)
        zone.wait(before - 1)
    undergo(zone, fate, text(trigger, volume=30))
    zone.hear("door.a", OPEN)
    assert bool(zone.opened) is fires
    zone.wait(0.000001)  # no two inputs share an instant
    zone.hear("card.a", Alarm.ACTIVE)  # a card that comes later is not before
    zone.wait(60)
    assert bool(zone.opened) is fires


@every_fate
def test_a_sequence_that_waits_for_its_for(fate: str) -> None:
    trigger = "{door: open, after: {card: active, within: 30 s}, for: 1 min}"
    zone = gate(trigger)
    zone.hear("door.a", CLOSED)
    zone.hear("card.a", Alarm.ACTIVE)
    zone.wait(10)
    zone.hear("door.a", OPEN)
    zone.wait(20)
    if fate == "restart":
        zone.restart()
        zone.hear("door.a", OPEN)
        zone.hear("card.a", Alarm.ACTIVE)
    else:
        undergo(zone, fate, text(trigger, volume=30))
    zone.wait(40 - 1e-6)
    assert zone.opened == []
    zone.wait(1e-6)
    assert len(zone.opened) == 1
    assert len(zone.made(PendingStarted)) == 1


def test_with_two_sources_the_order_is_told_from_when_the_second_agreed() -> None:
    zone = gate("{door: open, confirm: 2, without: {card: active, within: 30 s}}", both=("door",))
    zone.hear("card.a", Alarm.CLEAR)
    zone.hear("door.a", OPEN)
    zone.wait(35)
    zone.hear("card.a", Alarm.ACTIVE)
    zone.wait(5)
    zone.hear("door.b", OPEN)
    assert zone.opened == [], "the card was read five seconds before both said so"


@every_fate
def test_a_count_at_its_edges(fate: str) -> None:
    """An event of exactly ``within`` ago is out; the condition ends by itself when the oldest one leaves."""
    trigger = "{count: {door: open, times: 3, within: 10 min}}"
    for last, fires in ((599.999999, True), (600, False)):
        zone = gate(trigger, "{not: {count: {door: open, times: 3, within: 10 min}}}")
        for _ in range(2):
            zone.hear("door.a", OPEN)
            zone.hear("door.a", CLOSED)
        undergo(zone, fate, text(trigger, "{not: {count: {door: open, times: 3, within: 10 min}}}", 30))
        zone.wait(last)
        zone.hear("door.a", OPEN)
        assert bool(zone.opened) is fires
        zone.wait(0.000001)
        assert len(zone.made(Cleared)) == fires, "with nothing heard, time alone ends it"


def test_only_live_messages_count() -> None:
    zone = gate("{count: {door: open, times: 2, within: 10 min}}")
    for _ in range(4):
        zone.hear("door.a", OPEN, Quality.STALE)
        zone.hear("door.a", CLOSED, Quality.STALE)
    zone.hear("door.a", OPEN)
    zone.hear("door.a", OPEN)  # a repeat
    assert zone.opened == []


def test_what_one_rule_counts_takes_nothing_from_another() -> None:
    """Both words of one door are counted: each is remembered as often as it is asked for."""
    zone = gate(
        "{all: [{count: {door: open, times: 3, within: 10 min}}, {count: {door: closed, times: 3, within: 10 min}}]}",
        "{mode: test}",
    )
    for _ in range(3):
        zone.hear("door.a", CLOSED)
        zone.wait(1)
        zone.hear("door.a", OPEN)
        zone.wait(1)
    assert len(zone.opened) == 1


@every_fate
def test_silence_is_measured_from_the_last_word(fate: str) -> None:
    trigger = "{silent: {vehicle: 10 min}}"
    zone = gate(trigger, "{vehicle: absent}", both=("vehicle",))
    zone.hear("vehicle.a", Presence.ABSENT)  # vehicle.b was never heard
    zone.wait(300)
    before = zone.now
    undergo(zone, fate, text(trigger, "{vehicle: absent}", 30))
    moved = zone.now - before if fate != "restart" else 0
    zone.wait(300 - 1e-6)
    assert zone.opened == []
    zone.wait(1e-6)
    assert zone.opened == [START + 600 * SECOND + moved]


def test_what_was_never_heard_is_not_silent() -> None:
    for trigger in ("{silent: {vehicle: 2 min}}", "{not: {silent: {vehicle: 2 min}}}"):
        zone = gate(trigger, "{door: closed}")
        zone.hear("door.a", OPEN)
        zone.wait(3600)
        assert zone.opened == []


def test_silence_is_noticed_again_after_it_was_broken_by_a_single_word() -> None:
    """The word that clears the alarm may be the last: nobody but the clock can tell of the next silence."""
    zone = gate("{silent: {vehicle: 2 min}}", "{vehicle: absent}")
    zone.hear("vehicle.a", Presence.PRESENT)
    zone.wait(125)
    assert (len(zone.opened), len(zone.made(Cleared))) == (1, 0)
    zone.hear("vehicle.a", Presence.ABSENT)
    assert len(zone.made(Cleared)) == 1
    zone.wait(121)
    assert len(zone.opened) == 2


def test_a_clear_that_holds_beside_the_trigger_does_not_make_it_warn_again_and_again() -> None:
    zone = gate("{silent: {door: 2 min}, for: 1 s}")
    zone.hear("door.a", CLOSED)
    zone.wait(3600)
    assert (len(zone.opened), len(zone.made(Cleared))) == (1, 1)


def test_a_trigger_that_still_holds_arms_again_with_the_next_word() -> None:
    zone = gate("{vehicle: present, for: 10 s}")
    zone.hear("vehicle.a", Presence.PRESENT)
    zone.wait(10)
    zone.hear("door.a", CLOSED)
    assert len(zone.made(Cleared)) == 1
    zone.hear("door.a", OPEN)
    zone.wait(10)
    assert zone.opened == [START + 10 * SECOND, START + 20 * SECOND]


def test_a_cooldown_ends_although_its_clear_looked_at_the_clock() -> None:
    zone = gate("{vehicle: present}", "{count: {door: open, times: 2, within: 2 min}}", "cooldown: 10 min\n")
    zone.hear("vehicle.a", Presence.PRESENT)
    for _ in range(2):
        zone.hear("door.a", OPEN)
        zone.hear("door.a", CLOSED)
    assert len(zone.made(Cleared)) == 1
    zone.wait(601)
    assert zone.opened == [START, START + 10 * MINUTE]


def test_all_of_no_sources_is_not_known() -> None:
    zone = gate("{all: [{door: open}, {not: {person: present, confirm: all}}]}")
    bound = {role: names for role, names in next(iter(zone.site.zones.values())).bind.items() if role != "person"}
    next(iter(zone.site.zones.values())).bind.clear()
    next(iter(zone.site.zones.values())).bind.update(bound)
    zone.hear("door.a", OPEN)
    assert zone.opened == []


@every_fate
def test_a_limit_keeps_its_hysteresis(fate: str) -> None:
    trigger = "{temperature: {above: 60, until: 55}, for: 10 s}"
    zone = gate(trigger)
    zone.hear("temperature.a", 61.0)
    zone.hear("temperature.a", 57.0)
    zone.wait(5)
    undergo(zone, fate, text(trigger, volume=30))
    zone.hear("temperature.a", 57.0)
    zone.wait(5)
    assert len(zone.opened) == 1
    assert zone.made(PendingDropped) == []


def test_a_text_tells_the_minutes() -> None:
    more = 'escalation: [{after: 150 s, actions: [{say: {text: "{minutes}分钟"}}]}]\n'
    zone = gate("{door: open, for: 1 min}", more=more)
    zone.hear("door.a", OPEN)
    zone.wait(300)
    said = [made.action for made in zone.made(Command) if isinstance(made.action, Say)]
    assert [say.text.zh for say in said] == ["请注意", "3分钟"]


def test_a_door_that_is_not_known_does_not_say_when_it_began() -> None:
    zone = gate("{door: open, without: {card: active, within: 30 s}}", both=("door",))
    zone.hear("card.a", Alarm.CLEAR)
    zone.hear("door.a", OPEN, Quality.STALE)  # a retained message of unknown age
    zone.wait(300)
    zone.hear("card.a", Alarm.ACTIVE)
    zone.wait(5)
    zone.hear("door.b", OPEN)
    assert zone.opened == [], "the door that is known to be open opened with a card"
