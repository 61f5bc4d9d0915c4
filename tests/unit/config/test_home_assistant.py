"""Automations of Home Assistant: what becomes of each, and that none of them can break the importer."""

from __future__ import annotations

import json
import zoneinfo
from typing import Any

import pytest

from hub.config.home_assistant.places import read_maps
from hub.config.home_assistant.read import automations, duration
from hub.config.home_assistant.turn import CALM, Importer, Outcome
from hub.config.yaml import loads
from hub.engine.calendar import Calendar, Sun, Weekday
from hub.engine.program import Program
from hub.engine.rule import Clear, Escalation, Rule, Trigger
from hub.engine.state import EngineState
from hub.engine.step import adopt, wake
from hub.engine.terms import All, AnyOf, Beyond, Is, Not, SunIs, Term, TimeIs, WeekdayIs
from hub.model.decision import Capture, Cleared, Decision, Escalated, Notify, Opened, Say, Switch
from hub.model.document import Mapping
from hub.model.ids import RuleId, ZoneId
from hub.model.reading import Alarm, Contact, Presence
from hub.model.site import Role, ZoneKind
from hub.model.text import Text
from hub.model.time import HOUR, MINUTE, SECOND, Duration
from tests.kit import home_assistant as kit
from tests.kit.gate import local
from tests.kit.home_assistant import one, read_back, said

HALF_PAST_TEN = 22 * 3600 + 30 * 60
PRESENT, ABSENT = Is(Role.VEHICLE, Presence.PRESENT), Is(Role.VEHICLE, Presence.ABSENT)
GUARD = (Notify("guard"),)
HOT = Beyond(Role.TEMPERATURE, "above", 60, 60)


def rule(
    name: str, trigger: Term, clear: Term, *, hold: float = 0, kind: ZoneKind = ZoneKind.FIRE_LANE,
    only: tuple[str, ...] = ("lane_3",), rule_id: str = "", **more: Any,
) -> Rule:  # fmt: skip
    rule_id = rule_id or name.lower().replace(" ", "_")
    return Rule(
        id=RuleId(rule_id),
        name=Text(name, name),
        zone_kind=kind,
        trigger=Trigger(trigger, Duration(round(hold * SECOND))),
        clear=Clear(clear, CALM, ()),
        only=tuple(ZoneId(zone) for zone in only),
        dry_run=True,
        file=f"{rule_id}.yaml",
        **({"actions": GUARD} | more),
    )


LIFT: dict[str, Any] = {"kind": ZoneKind.LIFT_CAR, "only": ("lift_1",)}
DOOR: dict[str, Any] = {"kind": ZoneKind.UNIT_DOOR, "only": ("unit_5",)}
OPEN, CLOSED = Is(Role.DOOR, Contact.OPEN), Is(Role.DOOR, Contact.CLOSED)
EXPECTED: dict[str, tuple[str, tuple[str, ...], tuple[Rule, ...]]] = {
    "state for, old": (kit.STATE_FOR_OLD, (), (
        rule(
            "Fire lane blocked", PRESENT, ABSENT, hold=180,
            conditions=(TimeIs(7 * 3600, 22 * 3600), WeekdayIs((Weekday.MON, Weekday.TUE))),
            actions=(Capture(), Say(Text("消防通道禁止停车"))), escalation=(Escalation(Duration(2 * MINUTE), GUARD),),
        ),
    )),
    "state for, new": (kit.STATE_FOR_NEW, (), (
        rule(
            "电动车进电梯", Is(Role.EBIKE, Presence.PRESENT), Is(Role.EBIKE, Presence.ABSENT), hold=5,
            rule_id="imported_1", actions=(Switch(Role.DOOR_HOLD, Duration(30 * SECOND)),), **LIFT,
        ),
    )),
    "numeric": (kit.NUMERIC, (), (rule("Battery room is hot", HOT, Not(HOT), hold=90),)),
    "numeric range": (kit.NUMERIC_RANGE, (), (
        rule(
            "Mild",
            All((Beyond(Role.TEMPERATURE, "above", 17, 17), Beyond(Role.TEMPERATURE, "below", 25.5, 25.5))),
            AnyOf((
                Not(Beyond(Role.TEMPERATURE, "above", 17, 17)), Not(Beyond(Role.TEMPERATURE, "below", 25.5, 25.5))
            )),
            actions=(Say(Text("Mild: 17 to 25 #ok")),),
        ),
    )),
    "time": (kit.TIME, (), (
        rule(
            "Close the gate", TimeIs(HALF_PAST_TEN, HALF_PAST_TEN + 60),
            Not(TimeIs(HALF_PAST_TEN, HALF_PAST_TEN + 60 + 6 * 60)), actions=(Say(Text("请关好单元门")),),
            escalation=(Escalation(Duration(5 * MINUTE), (Say(Text("请关门")),)),), **DOOR,
        ),
    )),
    "sun": (kit.SUN, (), (
        rule(
            "Hall light at dusk", SunIs(Sun.DOWN), SunIs(Sun.UP),
            actions=(Switch(Role.LIGHT, Duration(30 * MINUTE)),), **DOOR,
        ),
    )),
    "joined": (kit.JOINED, (), (
        rule(
            "Door open at night", OPEN, CLOSED,
            conditions=(
                AnyOf((
                    All((SunIs(Sun.DOWN), TimeIs(43200, 0))), All((SunIs(Sun.DOWN), TimeIs(0, 43200))),
                )),
                Not(Is(Role.CARD, Alarm.ACTIVE)),
            ),
            **DOOR,
        ),
    )),
    "two triggers": (kit.TWO_TRIGGERS, (), (
        rule(
            "Too long", AnyOf((Beyond(Role.TEMPERATURE, "below", -10, -10), SunIs(Sun.DOWN))),
            All((Not(Beyond(Role.TEMPERATURE, "below", -10, -10)), SunIs(Sun.UP))),
        ),
        rule("Too long", PRESENT, ABSENT, hold=600, rule_id="too_long_2"),
    )),
    "two zones": (kit.TWO_ZONES, (), (rule("Any lane", PRESENT, ABSENT, hold=300, only=("lane_3", "lane_4")),)),
    "night window": (kit.NIGHT_WINDOW, (), (
        rule(
            "Lane at night", PRESENT, ABSENT,
            conditions=(TimeIs(22 * 3600, 6 * 3600), Beyond(Role.TEMPERATURE, "below", 30, 30)),
            actions=(Say(Text("Please move!")),),
        ),
    )),
    "mapped": (kit.MAPPED, ("input_boolean.truck=lane_4.vehicle", "notify.mobile_app_li=guard"), (
        rule("Mapped", ABSENT, PRESENT, only=("lane_4",)),
    )),
    "throttled": (kit.THROTTLED, (), (
        rule("Throttled", PRESENT, ABSENT, conditions=(PRESENT,), cooldown=Duration(5 * MINUTE)),
    )),
    "both doors": (kit.BOTH_DOORS, (), (
        rule(
            "Both doors", Is(Role.CARD, Alarm.ACTIVE), Is(Role.CARD, Alarm.CLEAR),
            conditions=(Is(Role.DOOR, Contact.OPEN, confirm=0),), **DOOR,
        ),
    )),
}  # fmt: skip


@pytest.mark.parametrize(("text", "maps", "expected"), EXPECTED.values(), ids=EXPECTED)
def test_what_becomes_of_it(text: str, maps: tuple[str, ...], expected: tuple[Rule, ...]) -> None:
    (turned,) = kit.turn(text, *maps)
    assert tuple(written.rule for written in turned.rules) == expected, [str(note) for note in turned.notes]
    assert turned.outcome is Outcome.TURNED
    for written in turned.rules:
        assert read_back(written.text, written.rule.file) == written.rule


def test_a_file_says_where_it_comes_from_and_what_was_added() -> None:
    (turned,) = kit.turn(kit.STATE_FOR_OLD)
    text = turned.rules[0].text
    assert text.startswith('# from Home Assistant automation "Fire lane blocked", automations.yaml:2\n')
    assert "# note, line 29: a notice names the rule and the zone; its own words are not sent: The lane is" in text
    before_clear = text.splitlines()[text.splitlines().index("clear:") - 1]
    assert before_clear.startswith("# added")
    assert text.index("\ndry_run: true\n") < text.index("\ntrigger:\n")
    (live,) = (kit.importer(live=True).turn(node) for node in _nodes(kit.NUMERIC))
    assert "dry_run" not in live.rules[0].text
    assert not live.rules[0].rule.dry_run


def _nodes(text: str) -> tuple[Mapping, ...]:
    document = loads(text, "automations.yaml")
    assert isinstance(document, Mapping)
    return (document,)


REFUSED = {
    "unbound": (one("{platform: state, entity_id: binary_sensor.far, to: 'on'}"), "3:34: `binary_sensor.far` is bound"),
    "time pattern": (one("{platform: time_pattern, minutes: /5}"), "3:5: a trigger of kind `time_pattern`"),
    "device": (one("{platform: device, device_id: a, type: opened}"), "3:5: a trigger of kind `device`"),
    "template": (one("{platform: template, value_template: '{{ 1 }}'}"), "3:5: a trigger of kind `template`"),
    "sun offset": (one("{platform: sun, event: sunset, offset: '-00:45:00'}"), "3:44: an offset from sunrise"),
    "attribute": (
        one("{platform: state, entity_id: binary_sensor.lane_3_vehicle, attribute: x}"),
        "3:64: a state trigger with `attribute` has no counterpart",
    ),
    "every change": (one("{platform: state, entity_id: binary_sensor.lane_3_vehicle}"), "3:5: fires on every change"),
    "from unavailable": (
        one("{platform: state, entity_id: binary_sensor.lane_3_vehicle, from: unavailable, to: 'on'}"),
        "3:5: waits for a change that is not one to `present` from its opposite",
    ),
    "to unavailable": (
        one("{platform: state, entity_id: binary_sensor.lane_3_vehicle, to: unavailable}"),
        "3:5: waits for a device that says nothing; write a rule of your own with `silent`",
    ),
    "no such state": (
        one("{platform: state, entity_id: binary_sensor.lane_3_vehicle, to: open}"),
        "3:68: `open` is no state of a presence entity",
    ),
    "template in for": (
        one("{platform: state, entity_id: binary_sensor.lane_3_vehicle, to: 'on', for: {minutes: '{{ 3 }}'}}"),
        "3:89: `for` is a template",
    ),
    "template in above": (
        one("{platform: numeric_state, entity_id: sensor.lane_3_temperature, above: sensor.other}"),
        "3:76: `above` must be a number here",
    ),
    "input_datetime": (one("{platform: time, at: input_datetime.wake}"), "3:26: `at` must be a time of day"),
    "time without a zone": (one('{platform: time, at: "07:00"}'), "1:3: names no entity of a zone"),
    "condition elsewhere": (
        one(condition="{condition: state, entity_id: binary_sensor.lane_4_vehicle, state: 'on'}"),
        "5:35: `binary_sensor.lane_4_vehicle` lies in zone `lane_4`",
    ),
    "template condition": (one(condition="'{{ true }}'"), "5:5: is a template; templates are not evaluated"),
    "condition for": (
        one(condition="{condition: state, entity_id: binary_sensor.lane_3_vehicle, state: 'on', for: 5}"),
        "5:78: a state condition with `for` has no counterpart",
    ),
    "condition zone": (one(condition="{condition: zone, zone: zone.home}"), "5:5: a condition of kind `zone`"),
    "only a script": (one(action="{service: script.x}"), "5:5: the action `script.x` has no counterpart"),
    "no contact": (one(action="{service: notify.phone}"), "5:5: no contact `phone` in hub.yaml; known: guard"),
    "on without end": (
        one('{platform: time, at: "07:00"}', action="{service: light.turn_on, entity_id: light.hall_lamp}"),
        "5:5: switches on without end",
    ),
    "too late after a time": (
        one(
            '{platform: time, at: "07:00"}',
            action="{delay: '23:00'}\n  - {service: camera.snapshot, entity_id: camera.lane_3}",
        ),
        "1:3: what comes later than 22 h after a time of day",
    ),
    "held too long": (
        kit.STATE_FOR_NEW.replace("seconds: 30", "seconds: 61"),
        "16:5: door_hold is held for 1 s to 1 min, not for 61 s",
    ),
    "speaker elsewhere": (
        one(action="{service: tts.cloud_say, data: {entity_id: media_player.unit_5, message: x}}"),
        "5:48: `media_player.unit_5` serves zone `unit_5`, and this rule acts in `lane_3`",
    ),
    "braces": (
        one(action='{service: tts.cloud_say, data: {entity_id: media_player.lane_3, message: "{zone}"}}'),
        "5:78: a text with braces",
    ),
    "choose first": (one(action="{choose: []}\n  - {service: notify.guard}"), "5:5: `choose` has no counterpart"),
    "area": (one(action="{service: camera.snapshot, target: {area_id: hall}}"), "5:40: names a `area_id`"),
    "blueprint": ("- alias: x\n  use_blueprint: {path: a.yaml}\n", "1:3: is made from a blueprint"),
    "no trigger": ("- alias: x\n  action: []\n", "1:3: has no trigger"),
    "not a mapping": ("- 7\n", "1:3: an automation must be"),
}


@pytest.mark.parametrize(("text", "finding"), REFUSED.values(), ids=REFUSED)
def test_not_turned_says_where_and_why(text: str, finding: str) -> None:
    (turned,) = kit.turn(text)
    assert turned.outcome is Outcome.NOT
    assert turned.rules == ()
    assert any(str(note).startswith(f"automations.yaml:{finding}") for note in turned.notes), said(turned)


PARTS = {
    "action left out": (one(action="{service: notify.guard}\n  - {service: scene.turn_on}"), "6:5: the action `scene"),
    "what follows a wait": (
        one(action="{service: notify.guard}\n  - {wait_for_trigger: []}\n  - {service: notify.guard}"),
        "6:5: `wait_for_trigger` has no counterpart and was left out, and the 1 that follow, which depend on it",
    ),
    "one trigger of two": (
        one('{platform: state, entity_id: binary_sensor.lane_3_vehicle, to: "on"}\n  - {platform: mqtt, topic: x}'),
        "4:5: a trigger of kind `mqtt`",
    ),
    "one entity of two": (
        one('{platform: state, entity_id: [binary_sensor.lane_3_vehicle, sensor.far], to: "on"}'),
        "3:65: `sensor.far` is bound in no zone",
    ),
    "queued": (one(more="  mode: queued\n"), "1:3: mode `queued`: a rule runs once at a time"),
    "what follows a branch": (
        one(action="{service: notify.guard}\n  - {delay: 5}\n  - {if: [], then: []}\n  - {service: notify.guard}"),
        "7:5: `if` has no counterpart and was left out, and the 1 that follow",
    ),
    "enabled by template": (
        one(action="{service: notify.guard}\n  - {delay: 5, enabled: '{{ x }}'}\n  - {service: notify.guard}"),
        "6:5: `enabled` is a template; templates are not evaluated, and the 1 that follow",
    ),
    "more than a day": (
        one(action="{service: notify.guard}\n  - {delay: '25:00'}\n  - {service: notify.guard}"),
        "6:5: delays add up to more than a day, and the 1 that follow",
    ),
    "a day at the end": (
        one(action="{service: notify.guard}\n  - {delay: '25:00'}"),
        "6:5: delays add up to more than a day",
    ),
    "delay by template": (
        one(action="{service: notify.guard}\n  - {delay: '{{ 5 }}'}\n  - {service: notify.guard}"),
        "6:5: `delay` is a template; templates are not evaluated, and the 1 that follow",
    ),
}


@pytest.mark.parametrize(("text", "finding"), PARTS.values(), ids=PARTS)
def test_partly_turned_says_what_was_left_out(text: str, finding: str) -> None:
    (turned,) = kit.turn(text)
    assert turned.outcome is Outcome.PARTLY
    (written,) = turned.rules
    assert (written.rule.actions, written.rule.escalation, written.rule.cooldown) == (GUARD, (), 0)
    lost = [note for note in turned.notes if note.lost]
    assert [str(note).startswith(f"automations.yaml:{finding}") for note in lost] == [True], said(turned)
    assert f"# left out, line {lost[0].mark.line}: {lost[0].sentence}" in written.text


def test_triggers_that_are_one_in_a_zone_make_one_rule() -> None:
    """Front and back door are both the `door` of the zone, so two triggers say the same."""
    front = "{platform: state, entity_id: binary_sensor.front_contact, to: 'on', for: 60}"
    (turned,) = kit.turn(one(f"{front}\n  - {front.replace('front', 'back')}"))
    (written,) = turned.rules
    assert (written.rule.trigger.condition, written.rule.only) == (OPEN, ("unit_5",))
    assert any("has 2 bound as door; the rule looks at all" in line for line in said(turned))


def test_a_sun_needs_a_place() -> None:
    (turned,) = kit.turn(kit.SUN, sun_known=False)
    assert turned.outcome is Outcome.NOT
    assert any("no latitude and longitude" in line for line in said(turned))


def test_a_zone_for_what_names_none() -> None:
    (turned,) = kit.turn(one('{platform: time, at: "07:00:20"}'), zone="lane_4")
    (written,) = turned.rules
    assert written.rule.only == ("lane_4",)
    assert written.rule.trigger.condition == TimeIs(7 * 3600, 7 * 3600 + 60)
    assert said(turned) == ["automations.yaml:3:26: seconds were left away: at 07:00"]


def test_an_entity_in_two_zones_is_not_guessed() -> None:
    twice = kit.SITE.replace("mqtt_discovery.lane_4_vehicle", "mqtt_discovery.lane_3_vehicle")
    places = read_maps(kit.site(twice), ())
    turned = Importer(places, set(), sun_known=True).turn(automations(loads(one(), "a.yaml"))[0])
    assert any("more than once (lane_3.vehicle, lane_4.vehicle): say which, --map" in line for line in said(turned))


def test_ids_are_unique_ascii_and_not_taken() -> None:
    names = ["taken", "Taken!", "门", "门", "3 doors", "", "x" * 90]
    text = "".join(one().replace("alias: x", f"alias: {json.dumps(name)}") for name in names)
    found = [turned.rules[0].rule.id for turned in kit.turn(text)]
    assert found == ["taken_2", "taken_3", "imported_1", "imported_2", "imported_3_doors", "imported_3", "x" * 39]


TIMES = {
    "00:03:00": 180, "'5:00'": 5 * 3600, "5:00": 300, "90": 90, "'2.5'": 2.5, "{minutes: 1, seconds: 30}": 90,
    "00:00:01.5": 1.5, "{hours: '1'}": 3600,
}  # fmt: skip


@pytest.mark.parametrize(("written", "seconds"), TIMES.items())
def test_durations_are_read_as_home_assistant_reads_them(written: str, seconds: float) -> None:
    """Without quotes, YAML 1.1 reads 5:00 to the base of sixty: five minutes, not five hours."""
    node = loads(f"for: {written}", "a.yaml")
    assert isinstance(node, Mapping)
    assert duration(node.items[0][1], "`for`") == seconds * SECOND


WINDOWS = {
    "{after: '22:00', before: '06:00'}": (TimeIs(79200, 21600),),
    "{after: '22:00'}": (TimeIs(79200, 0),),
    "{before: '06:00'}": (TimeIs(0, 21600),),
    "{after: '00:00:00', before: '23:59:59'}": (),
    "{before: '23:59:59', weekday: sun}": (WeekdayIs((Weekday.SUN,)),),
    "{after: '08:00', before: '08:00'}": (),
    "{after: '08:00:30', before: '08:10:20'}": (TimeIs(28800, 29460),),
}


@pytest.mark.parametrize(("window", "expected"), WINDOWS.items())
def test_windows_of_the_day(window: str, expected: tuple[Term, ...]) -> None:
    (turned,) = kit.turn(one(condition=window.replace("{", "{condition: time, ")))
    assert turned.rules[0].rule.conditions == expected


def test_a_rule_made_of_a_time_fires_once_a_day_and_takes_its_steps() -> None:
    """Played through the engine: the window of a minute must not end the rule before its later steps."""
    (turned,) = kit.turn(kit.TIME)
    calendar = Calendar(zone=zoneinfo.ZoneInfo("Asia/Shanghai"))
    program = Program((turned.rules[0].rule,), kit.site(), calendar)
    state, now = EngineState(), local("2026-11-20 12:00")
    decisions: list[Decision] = []
    state.apply(adopt(program, state, now))
    end = local("2026-11-22 12:00")
    while (due := state.next_wake()) is not None and due <= end:
        now = max(now, due)
        key = state.take_due(now)
        assert key is not None
        made = wake(program, state, key, now)
        state.apply(made)
        decisions += made.decisions
    found = [(type(decision), decision.at) for decision in decisions]
    day = [
        (Opened, local("2026-11-20 22:30")), (Escalated, local("2026-11-20 22:35")),
        (Cleared, local("2026-11-20 22:37") + 30 * SECOND),
    ]  # fmt: skip
    wanted = [entry for entry in found if entry[0] in {Opened, Escalated, Cleared}]
    assert wanted == day + [(kind, at + 24 * HOUR) for kind, at in day]
