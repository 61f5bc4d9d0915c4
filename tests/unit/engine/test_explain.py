"""Why a rule did not fire: one cause, the source that decides it, and since when."""

from __future__ import annotations

import pytest

from hub.engine.explain import Cause, Explanation, explain
from hub.model.ids import EntityId, ZoneId
from hub.model.reading import Alarm, Contact, Presence, Quality
from hub.model.site import Mode, Zone, ZoneKind
from hub.model.text import Text
from hub.model.time import HOUR, MINUTE, SECOND, Instant
from hub.web import words
from tests.kit.gate import SHANGHAI, ZONE, Gate, local

RULE = """\
rule: watch
zones: {kind: gate}
trigger: {vehicle: present, for: 10 s}
conditions: [{not: {mode: maintenance}}, {door: closed}]
cooldown: 30 s
actions: [{open_incident: {severity: low}}]
clear: {vehicle: absent, actions: []}
"""


def asked(gate: Gate, doubted: dict[EntityId, Instant] | None = None) -> Explanation:
    assert gate.rule is not None
    place = gate.site.zones[ZONE]
    return explain(gate.rule, place, gate.program, gate.state, gate.now, doubted or {})


def sentence(gate: Gate, found: Explanation) -> Text:
    assert gate.rule is not None
    return words.why(found, gate.rule, SHANGHAI.key, lambda entity: Text(f"<{entity}>"))


def judged(trigger: str, **options: object) -> Gate:
    return Gate(RULE.replace("{vehicle: present, for: 10 s}", trigger), **options)  # type: ignore[arg-type]


def test_each_stage_of_a_life_has_its_cause() -> None:
    gate = Gate(RULE)
    gate.hear("door.a", Contact.CLOSED)
    found = asked(gate)
    assert (found.cause, found.witness and found.witness.entity, found.since) == ("source_unknown", "vehicle.a", None)
    gate.hear("vehicle.a", Presence.ABSENT)
    calm = gate.now
    gate.wait(5)
    found = asked(gate)
    assert (found.cause, found.since) == (Cause.TRIGGER_FALSE, calm)
    assert found.witness is not None
    assert (found.witness.entity, found.witness.value) == ("vehicle.a", "absent")
    gate.hear("vehicle.a", Presence.PRESENT)
    came = gate.now
    gate.wait(4)
    found = asked(gate)
    assert (found.cause, found.since, found.until) == (Cause.RUNNING, came, came + 10 * SECOND)
    gate.wait(6)
    found = asked(gate)
    assert (found.cause, found.since) == (Cause.ACTIVE, came + 10 * SECOND)
    assert found.activation == f"watch@gate@{came}"
    gate.hear("vehicle.a", Presence.ABSENT)
    found = asked(gate)
    assert (found.cause, found.since, found.until) == (Cause.COOLDOWN, gate.now, gate.now + 30 * SECOND)


def test_a_condition_that_holds_it_back_is_named_with_its_beginning() -> None:
    gate = Gate(RULE)
    gate.hear("door.a", Contact.CLOSED)
    gate.wait(3)
    gate.mode(Mode.MAINTENANCE, on=True)
    switched = gate.now
    gate.wait(3)
    gate.hear("vehicle.a", Presence.PRESENT)
    gate.wait(20)
    found = asked(gate)
    assert (found.cause, found.since) == (Cause.CONDITION_FALSE, switched)
    assert "不是维护模式" in sentence(gate, found).zh
    gate.hear("door.a", Contact.OPEN)
    opened = gate.now
    gate.mode(Mode.MAINTENANCE, on=False)
    gate.wait(1)
    found = asked(gate)
    assert (found.cause, found.since, found.witness and found.witness.entity) == ("condition_false", opened, "door.a")
    gate.hear("door.a", None, Quality.STALE)
    found = asked(gate, {EntityId("door.a"): gate.now})
    assert (found.cause, found.since) == (Cause.SOURCE_UNKNOWN, gate.now)
    assert [seen.holds for seen in (*found.trigger, *found.conditions, *found.clear)] == [True, True, None, False]


def test_a_source_that_is_not_trusted_is_named_with_the_instant_it_was_lost() -> None:
    gate = Gate(RULE, both=("vehicle",))
    gate.hear("vehicle.a", Presence.ABSENT)
    gate.hear("vehicle.b", Presence.ABSENT)
    gate.wait(5)
    gate.hear("vehicle.b", None, Quality.STALE)
    lost = gate.now
    gate.wait(60)
    found = asked(gate, {EntityId("vehicle.b"): lost})
    assert (found.cause, found.since, found.witness and found.witness.entity) == ("source_unknown", lost, "vehicle.b")
    assert "<vehicle.b>" in sentence(gate, found).en


def test_false_since_the_last_of_several_sources_turned() -> None:
    gate = Gate(RULE, both=("vehicle",))
    gate.hear("vehicle.b", Presence.ABSENT)
    gate.wait(5)
    gate.hear("vehicle.a", Presence.ABSENT)
    gate.wait(5)
    gate.hear("vehicle.b", Presence.ABSENT)
    found = asked(gate)
    assert (found.since, found.witness and found.witness.entity) == (gate.now - 5 * SECOND, "vehicle.a")


@pytest.mark.parametrize(
    ("trigger", "since"),
    [
        ("{all: [{door: open}, {card: active}]}", "first"),
        ("{any: [{door: open}, {card: active}]}", "last"),
        ("{not: {any: [{door: closed}, {card: clear}]}}", "first"),
        ("{not: {all: [{door: closed}, {card: clear}]}}", "last"),
    ],
)
def test_what_is_joined_fails_since_its_longest_or_its_last(trigger: str, since: str) -> None:
    gate = judged(trigger)
    gate.hear("door.a", Contact.CLOSED)
    first = gate.now
    gate.wait(7)
    gate.hear("card.a", Alarm.CLEAR)
    last = gate.now
    gate.wait(7)
    found = asked(gate)
    assert found.cause is Cause.TRIGGER_FALSE
    assert found.since == {"first": first, "last": last}[since]


def test_a_count_that_fell_below_says_when() -> None:
    gate = judged("{count: {door: open, times: 2, within: 1 min}}")
    gate.hear("vehicle.a", Presence.ABSENT)
    gate.hear("door.a", Contact.CLOSED)
    for _ in range(2):
        gate.hear("door.a", Contact.OPEN)
        gate.wait(10)
        gate.hear("door.a", Contact.CLOSED)
    first = gate.now - 20 * SECOND
    gate.wait(300)
    found = asked(gate)
    assert (found.cause, found.since) == (Cause.TRIGGER_FALSE, first + MINUTE)


def test_silence_says_when_it_was_heard() -> None:
    gate = judged("{silent: {card: 5 min}}")
    gate.hear("card.a", Alarm.CLEAR)
    heard = gate.now
    gate.wait(60)
    found = asked(gate)
    assert (found.cause, found.since) == (Cause.TRIGGER_FALSE, heard)


@pytest.mark.parametrize(
    ("trigger", "since"),
    [
        ('{time: {from: "22:00", to: "06:00"}}', "2026-11-20 06:00"),
        ("{weekday: [sat, sun]}", "2026-11-16 00:00"),
        ("{not: {weekday: [thu, fri]}}", "2026-11-19 00:00"),
        ("{day: rest_day}", "2026-11-16 00:00"),
    ],
)
def test_a_time_says_when_it_changed(trigger: str, since: str) -> None:
    gate = judged(trigger, start="2026-11-20 12:00")
    gate.wait(1)
    found = asked(gate)
    assert (found.cause, found.since) == (Cause.TRIGGER_FALSE, local(since))


def test_a_number_says_what_it_is() -> None:
    gate = judged("{temperature: {above: 60, until: 55}}")
    gate.hear("temperature.a", 20.5)
    gate.wait(HOUR / SECOND)
    found = asked(gate)
    assert (found.cause, found.since) == (Cause.TRIGGER_FALSE, gate.now - HOUR)
    said = sentence(gate, found)
    assert "温度高于 60" in said.zh
    assert "<temperature.a> 20.5" in said.zh


def test_a_zone_that_the_rule_does_not_serve() -> None:
    gate = Gate(RULE)
    rule, program = gate.rule, gate.program
    assert rule is not None
    lane = Zone(ZoneId("lane"), ZoneKind.FIRE_LANE, Text("车道"))
    empty = Zone(ZoneId("empty"), ZoneKind.GATE, Text("门"))
    assert explain(rule, lane, program, gate.state, gate.now, {}).cause is Cause.NOT_OF_KIND
    assert explain(rule, empty, program, gate.state, gate.now, {}).cause is Cause.NOT_BOUND
    without = Gate(RULE.replace("kind: gate", "kind: gate, without: [gate]"))
    assert asked(without).cause is Cause.EXCLUDED


def test_every_cause_has_a_sentence_in_both_languages() -> None:
    gate = Gate(RULE)
    said = set()
    for cause in Cause:
        found = Explanation(ZONE, ZONE, gate.now, cause, gate.now, gate.now)  # type: ignore[arg-type]  # ids are strings
        text = sentence(gate, found)
        assert text.zh.endswith("。")
        assert text.en.endswith(".")
        said.add(text.zh)
    assert len(said) == len(Cause)
