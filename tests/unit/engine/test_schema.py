"""The published schema of a rule says what the parser says."""

# ruff: noqa: E501 - a table is read line by line

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hub.config.yaml import loads, plain
from hub.engine.parse import KEYS, REQUIRED, RuleParser
from hub.engine.parse_terms import BESIDE, HEADS
from hub.engine.schema import rule_schema
from hub.model.ids import SiteId, ZoneId
from hub.model.reader import Reader
from hub.model.site import Contact, Prompt, Site, Zone, ZoneKind
from hub.model.text import Text

ROOT = Path(__file__).parents[3]
SCHEMA = rule_schema()
CHECKER = jsonschema.Draft202012Validator(SCHEMA)
PROMPTS = ("second_warning", "comfort", "evacuate", "typhoon", "p")
CONTACTS = ("guard", "manager", "lift_company")
LANE = Zone(ZoneId("lane_1"), ZoneKind.FIRE_LANE, Text("车道"))
SITE = Site(
    SiteId("s"), Text("s"), "Asia/Shanghai", {}, {LANE.id: LANE},
    {name: Contact(name, Text(name), "http://127.0.0.1/") for name in CONTACTS},
    {name: Prompt(name, Text(name)) for name in PROMPTS},
)  # fmt: skip


def parses(text: str) -> bool:
    reader = Reader()
    return RuleParser(reader, SITE).rule(loads(text, "rule.yaml")) is not None and not reader.findings


def fits(text: str) -> bool:
    return bool(CHECKER.is_valid(plain(loads(text, "rule.yaml"))))


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_it_has_every_key_of_the_parser() -> None:
    assert set(SCHEMA["properties"]) == {*REQUIRED, *KEYS}
    conditions: list[dict[str, Any]] = SCHEMA["$defs"]["condition"]["oneOf"]
    assert {key for option in conditions for key in option["properties"]} == {*HEADS, *BESIDE}
    assert all(schema.get("description") for schema in SCHEMA["properties"].values())


@pytest.mark.parametrize("path", sorted((ROOT / "rules").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_rule_fits(path: Path) -> None:
    document = plain(loads(path.read_text("utf-8"), path.name))
    assert [error.message for error in CHECKER.iter_errors(document)] == []


def test_the_rule_of_the_documentation_fits() -> None:
    (example, *_) = re.findall(r"```yaml\n(rule: .*?)```", (ROOT / "docs" / "rules.md").read_text("utf-8"), re.DOTALL)
    assert parses(example)
    assert fits(example)


RULE = """\
rule: r
zones: {kind: fire_lane}
trigger: {vehicle: present, for: 3 min}
actions: [{capture: snapshot}]
clear: {vehicle: absent}
"""
GOOD = (
    "name: 名称", "name: {zh: 名称, en: Name}", "dry_run: true", "cooldown: 1.5 h", "rate: {times: 2, within: 5 min}",
    'quiet_hours: {from: "22:00", to: "06:00", volume: 0}', "conditions: [{not: {mode: test}}]",
    'conditions: [{any: [{time: {from: "22:00", to: "06:00"}}, {weekday: [sat, sun]}, {weekday: mon}]}]',
    "conditions: [{day: workday}, {sun: down}, {silent: {vehicle: 10 min}}, {silent: {load: 1 h}}]",
    "conditions: [{count: {door: open, times: 3, within: 10 min}}, {temperature: {above: 60, until: 55.5}}]",
    "conditions: [{vehicle: present, confirm: 2}, {vehicle: present, confirm: all}]",
    "conditions: [{door: open, without: {card: active, within: 30 s}}]",
    "escalation: [{after: 2 min, every: 1 min, times: 3, actions: [{say: p}, {notify: guard}]}]",
    "escalation: [{after: 2 min, actions: [{switch: {role: light, for: 30 s}}, {open_incident: {severity: low}}]}]",
    "escalation: [{after: 2 min, actions: [{say: {text: 请, volume: 5}}, {close_incident: cleared}]}]",
)  # fmt: skip
BAD = (
    "nmae: 名称", f"name: {'名' * 41}", "dry_run: maybe", "cooldown: 5", "cooldown: five min", "rate: {times: 0, within: 5 min}",
    "rate: {times: 2}", 'quiet_hours: {from: "22:00"}', 'quiet_hours: {from: "25:00", to: "06:00"}',
    'quiet_hours: {from: "22:00", to: "06:00", volume: 101}', "conditions: {mode: test}", "conditions: [{mode: party}]",
    "conditions: [{vehicle: open}]", "conditions: [{lorry: present}]", "conditions: [{vehicle: present, door: open}]",
    "conditions: [{any: [{vehicle: present}]}]", "conditions: [{mode: test, confirm: 2}]", "conditions: [{weekday: [sta]}]",
    "conditions: [{vehicle: present, confirm: many}]", "conditions: [{vehicle: present, confirm: 10}]",
    "conditions: [{count: {door: open, times: 3}}]", "conditions: [{count: {door: open, times: 101, within: 1 h}}]",
    "conditions: [{count: {times: 3, within: 1 h}}]", "conditions: [{silent: 10 min}]", "conditions: [{silent: {camera: 1 h}}]",
    "conditions: [{temperature: hot}]", "conditions: [{temperature: {above: 60, below: 50}}]", "conditions: [{day: holiday}]",
    "conditions: [{sun: shining}]", "conditions: [{door: open, without: {card: active}}]", "conditions: [{for: 3 min}]",
    "escalation: [{actions: []}]", "escalation: [{after: 2 min}]", "escalation: [{after: 2 min, every: 1 min, actions: []}]",
    "escalation: [{after: 2 min, every: 1 min, times: 31, actions: []}]", "escalation: [{after: 2 min, actions: [shout]}]",
    "escalation: [{after: 2 min, actions: [{shout: x}]}]", "escalation: [{after: 2 min, actions: [{capture: film}]}]",
    "escalation: [{after: 2 min, actions: [{switch: {role: light}}]}]",
    "escalation: [{after: 2 min, actions: [{switch: {role: door, for: 1 s}}]}]",
    "escalation: [{after: 2 min, actions: [{open_incident: {severity: huge}}]}]",
    "escalation: [{after: 2 min, actions: [{say: {text: 请, volume: 101}}]}]",
    "escalation: [{after: 2 min, actions: [{say: {volume: 5}}]}]",
    "escalation: [{after: 2 min, actions: [{close_incident: done}]}]",
    "escalation: [{after: 2 min, actions: [{say: p, notify: guard}]}]",
)  # fmt: skip


@pytest.mark.parametrize("line", GOOD)
def test_what_the_parser_takes_fits(line: str) -> None:
    assert parses(f"{RULE}{line}\n")
    assert fits(f"{RULE}{line}\n")


@pytest.mark.parametrize("line", BAD)
def test_what_does_not_fit_the_parser_refuses_too(line: str) -> None:
    assert not fits(f"{RULE}{line}\n")
    assert not parses(f"{RULE}{line}\n")


@pytest.mark.parametrize("key", REQUIRED)
def test_what_a_rule_must_have(key: str) -> None:
    text = "\n".join(line for line in RULE.split("\n") if not line.startswith(key))
    assert not fits(text)
    assert not parses(text)
