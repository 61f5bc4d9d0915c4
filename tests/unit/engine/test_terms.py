"""Each form of condition: when it holds, when it does not, and when it is not known."""

from __future__ import annotations

import pytest

from hub.engine.rule import RATE
from hub.model.activation import Phase
from hub.model.decision import Command, IncidentOpened, Rate, Rehearsed, Say, Switch, Withheld
from hub.model.reading import Alarm, Contact, Presence, Quality
from hub.model.site import Mode
from hub.model.time import HOUR, SECOND, Duration
from tests.kit.gate import Gate, local

RULE = """\
rule: watch
zones: {{kind: gate}}
trigger: {trigger}
actions:
  - say: {{text: "{{zone}}请注意"}}
  - open_incident: {{severity: low}}
clear: {{door: closed}}
"""


def gate(trigger: str, more: str = "", **options: object) -> Gate:
    return Gate(RULE.format(trigger=trigger) + more, **options)  # type: ignore[arg-type]


def test_confirm_waits_for_two_sources_and_not_for_a_blind_one() -> None:
    zone = gate("{vehicle: present, confirm: 2}", both=("vehicle",))
    zone.hear("vehicle.a", Presence.PRESENT)
    zone.hear("vehicle.b", None, Quality.UNKNOWN)
    assert zone.opened == []
    zone.hear("vehicle.b", Presence.PRESENT)
    assert len(zone.opened) == 1


def test_any_needs_one_source_and_all_needs_each() -> None:
    for confirm, expected in (("any", 1), ("all", 0)):
        zone = gate(f"{{vehicle: present, confirm: {confirm}}}", both=("vehicle",))
        zone.hear("vehicle.b", Presence.ABSENT)
        zone.hear("vehicle.a", Presence.PRESENT)
        assert len(zone.opened) == expected


def test_any_all_and_not_join_conditions() -> None:
    zone = gate("{all: [{door: open}, {not: {any: [{card: active}, {mode: typhoon}]}}]}")
    zone.mode(Mode.TYPHOON, on=True)
    zone.hear("card.a", Alarm.CLEAR)
    zone.hear("door.a", Contact.OPEN)
    assert zone.opened == []
    zone.mode(Mode.TYPHOON, on=False)
    assert len(zone.opened) == 1


def test_a_limit_has_hysteresis() -> None:
    zone = gate("{temperature: {above: 60, until: 55}, for: 10 s}")
    for value in (59.0, 61.0):
        zone.hear("temperature.a", value)
        zone.wait(6)
    zone.hear("temperature.a", 56.0)  # below the limit, not yet below the reset
    zone.wait(6)
    assert len(zone.opened) == 1
    other = gate("{temperature: {above: 60}, for: 10 s}")
    for value in (61.0, 59.0, 61.0):
        other.hear("temperature.a", value)
        other.wait(6)
    assert other.opened == []


def test_a_count_within_a_time() -> None:
    zone = gate("{count: {door: open, times: 3, within: 10 min}}")
    for pause in (300, 400, 150, 100):  # the first is over ten minutes before the third
        zone.hear("door.a", Contact.OPEN)
        zone.wait(1)
        zone.hear("door.a", Contact.CLOSED)
        zone.wait(pause)
    assert len(zone.opened) == 1
    assert zone.opened[0] == local("2026-11-20 12:00") + (300 + 400 + 150 + 3) * SECOND


@pytest.mark.parametrize(("before", "fires"), [(5, False), (29, False), (31, True), (None, True)])
def test_opened_without_a_card_shortly_before(before: float | None, fires: bool) -> None:
    zone = gate("{door: open, without: {card: active, within: 30 s}}")
    zone.hear("card.a", Alarm.CLEAR)
    zone.hear("door.a", Contact.CLOSED)
    if before is not None:
        zone.hear("card.a", Alarm.ACTIVE)
        zone.hear("card.a", Alarm.CLEAR)
        zone.wait(before)
    zone.hear("door.a", Contact.OPEN)
    zone.wait(3600)  # that the card is long ago by now makes no difference
    assert bool(zone.opened) is fires


def test_a_card_reader_that_is_not_known_makes_the_order_unknown() -> None:
    zone = gate("{door: open, without: {card: active, within: 30 s}}")
    zone.hear("door.a", Contact.OPEN)
    zone.wait(60)
    assert zone.opened == []


def test_silence_is_noticed_by_time_alone_and_a_heartbeat_moves_it() -> None:
    zone = gate("{silent: {vehicle: 2 min}}")
    zone.wait(600)
    assert zone.opened == []  # never heard is no silence
    for _ in range(5):
        zone.hear("vehicle.a", Presence.ABSENT)
        zone.wait(100)
    zone.wait(60)
    assert [instant - zone.now for instant in zone.opened] == [(120 - 160) * SECOND]


def test_time_of_day_holds_a_warning_until_its_window_opens() -> None:
    zone = gate("{door: open}", 'conditions: [{time: {from: "22:00", to: "06:00"}}]\n', start="2026-11-20 21:59")
    zone.hear("door.a", Contact.OPEN)
    zone.wait(30)
    assert zone.opened == []
    zone.wait(HOUR / SECOND)
    assert zone.opened == [local("2026-11-20 22:00")]


def test_time_alone_can_be_the_trigger() -> None:
    zone = gate('{all: [{time: {from: "22:00", to: "06:00"}}, {door: open}]}', start="2026-11-20 20:00")
    zone.hear("door.a", Contact.OPEN)
    assert [slot.phase for slot in zone.state.slots.values()] == [Phase.WATCHING]
    zone.wait(3 * HOUR / SECOND)
    assert zone.opened == [local("2026-11-20 22:00")]


def test_weekdays() -> None:
    zone = gate("{door: open}", "conditions: [{weekday: [sat, sun]}]\n", start="2026-11-20 23:59")  # a Friday
    zone.hear("door.a", Contact.OPEN)
    zone.wait(90)
    assert zone.opened == [local("2026-11-21 00:00")]


def test_quiet_hours_cap_the_voice_or_withhold_it() -> None:
    for volume, said in ((30, [30]), (0, [])):
        quiet = f'quiet_hours: {{from: "22:00", to: "06:00", volume: {volume}}}\n'
        zone = gate("{door: open}", quiet, start="2026-11-20 23:00")
        zone.hear("door.a", Contact.OPEN)
        commands = [d.action for d in zone.decisions if isinstance(d, Command)]
        assert [action.volume for action in commands if isinstance(action, Say)] == said
        assert any(isinstance(d, Withheld) for d in zone.decisions) is (volume == 0)


def test_a_dry_run_decides_and_acts_on_nothing() -> None:
    zone = gate("{door: open}", "dry_run: true\n")
    zone.hear("door.a", Contact.OPEN)
    assert len(zone.opened) == 1
    assert [type(d) for d in zone.decisions if isinstance(d, Command | Rehearsed | IncidentOpened)] == [Rehearsed]


def test_a_text_holds_the_zone() -> None:
    zone = gate("{door: open}")
    zone.hear("door.a", Contact.OPEN)
    (command,) = [d for d in zone.decisions if isinstance(d, Command)]
    assert isinstance(command.action, Say)
    assert command.action.text.zh == "东门请注意"


def test_a_repeated_step_repeats_as_often_as_it_says() -> None:
    step = "escalation: [{after: 60 s, every: 30 s, times: 3, actions: [{switch: {role: light, for: 10 s}}]}]\n"
    zone = gate("{door: open}", step)
    zone.hear("door.a", Contact.OPEN)
    zone.wait(600)
    times = [d.at - zone.opened[0] for d in zone.decisions if isinstance(d, Command) and isinstance(d.action, Switch)]
    assert times == [60 * SECOND, 90 * SECOND, 120 * SECOND]


@pytest.mark.parametrize(
    ("trigger", "finding"),
    [
        ("{temperature: {above: 60, until: 65}}", "3:43: `until` lies on the wrong side of the limit"),
        ("{vehicle: absent, confirm: 2}", "3:10: `absent` always needs every source"),
        ("{door: open, confirm: many}", "3:32: `confirm` is `any`, `all` or a number"),
        ('{time: {from: "25:00", to: "06:00"}}', '3:24: `from` must be a time of day like "22:30", not `25:00`'),
        ("{weekday: [sta]}", "3:21: `sta` is no day of the week; did you mean `sat`?"),
        ("{count: {door: open, times: 0, within: 1 min}}", "3:38: `times` must be a whole number from 1 to 100"),
        ("{mode: test, confirm: 2}", "3:23: `confirm` stands beside a role only"),
    ],
)
def test_findings_name_the_place_and_what_to_write(trigger: str, finding: str) -> None:
    zone = gate(trigger)
    assert zone.rule is None
    assert any(str(found).startswith(f"rule.yaml:{finding}") for found in zone.reader.findings), [
        str(found) for found in zone.reader.findings
    ]


def test_a_voice_has_the_rate_of_its_rule() -> None:
    for more, rate in (("", RATE), ("rate: {times: 2, within: 5 min}\n", Rate(2, Duration(300 * SECOND)))):
        zone = gate("{door: open}", more)
        zone.hear("door.a", Contact.OPEN)
        assert [decision.rate for decision in zone.decisions if isinstance(decision, Command)] == [rate]


def test_a_door_is_never_held_longer_than_a_minute() -> None:
    zone = gate("{door: open}", "escalation: [{after: 5 s, actions: [{switch: {role: door_hold, for: 2 min}}]}]\n")
    assert zone.rule is None
    assert "between 1 s and 1 min" in str(zone.reader.findings[0])
