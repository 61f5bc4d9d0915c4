"""What is wrong with a rule is told in Chinese: no sentence that people can meet in the form stays English."""

from __future__ import annotations

import re

import pytest

from hub.config.site import SiteFolder, load_site
from hub.config.yaml import loads
from hub.model.errors import ConfigError
from hub.web.finding_words import in_chinese
from hub.web.findings import shown
from tests.unit.config.test_site import RULE, write

FORM = """\
rule: blocked
name: {zh: 占用}
zones: {kind: fire_lane}
trigger: {vehicle: present, for: 3 min}
conditions:
  - time: {from: "22:00", to: "06:00"}
  - temperature: {above: 60, until: 55}
  - count: {vehicle: present, times: 3, within: 10 min}
actions:
  - say: {text: 请离开, volume: 80}
  - notify: guard
  - switch: {role: light, for: 5 min}
  - open_incident: {severity: high}
escalation:
  - {after: 2 min, every: 1 min, times: 3, actions: [{notify: guard}]}
clear: {vehicle: absent, for: 30 s, actions: [{close_incident: cleared}]}
cooldown: 1 min
quiet_hours: {from: "22:00", to: "06:00", volume: 50}
"""
EDITS = [
    ("for: 3 min", "for: 3"), ("for: 3 min", "for: 3 d"), ("for: 3 min", 'for: ""'), ("fire_lane", "lane"),
    ("fire_lane}", "fire_lane, only: moon}"), ("rule: blocked", "rule: Blocked 2"),
    ("rule: blocked", "rule: 12"), ("{zh: 占用}", '{zh: ""}'), ("{zh: 占用}", "{en: x}"),
    ('"22:00", to: "06:00"}\n  - t', '"22", to: "06:00"}\n  - t'),
    ('"22:00", to: "06:00"}\n  - t', '"06:00", to: "06:00"}\n  - t'), ("above: 60", "above: hot"),
    ("until: 55", "until: 70"), ("times: 3, within", "times: 0, within"), ("within: 10 min", "within: soon"),
    ("volume: 80", "volume: 200"), ("text: 请离开", f"text: {'请' * 170}"),
    ("text: 请离开", f"text: {'请' * 100}"), ("text: 请离开", "text: '{car}'"),
    ("text: 请离开", "text: 沪A12345请离开"), ("notify: guard\n", "notify: boss\n"),
    ("notify: guard\n", "say: none\n"), ("role: light", "role: door"),
    ("role: light, for: 5 min", "role: light, for: 5 h"), ("severity: high", "severity: x"),
    ("after: 2 min", "after: 2"), ("every: 1 min, ", ""), ("times: 3, actions", "times: 90, actions"),
    ("vehicle: absent", "vehicle: present"), ("vehicle: absent", "vehicle: gone"),
    ("vehicle: absent", "person: absent"), ("cooldown: 1 min", "cooldown: 9 d"), ("volume: 50", "volume: loud"),
    ("actions:\n", "acts:\n"),
    ("clear: {vehicle: absent, for: 30 s, actions: [{close_incident: cleared}]}\n", ""),
    ("trigger: {vehicle: present, for: 3 min}", "trigger: {all: [{vehicle: present}, {vehicle: absent}]}"),
    ("trigger: {vehicle: present, for: 3 min}", "trigger: {all: [{vehicle: present}]}"),
    ("trigger: {vehicle: present, for: 3 min}", "trigger: {for: 3 min}"),
    ("trigger: {vehicle: present, for: 3 min}", "trigger: {person: present}"),
    ("cooldown: 1 min", "rule: again"), ("cooldown: 1 min", "dry_run: maybe"), ("[{notify: guard}]", "[{}]"),
    ("cooldown: 1 min", "cooldown: ["), ("  - temperature", "  - mode: holiday\n  - temperature"),
    ("- notify: guard\n", "- notify: guard\n  - capture: clip\n"),
    ("  - temperature", "  - {vehicle: present, confirm: 12}\n  - temperature"),
    ("  - temperature", "  - {silent: 3}\n  - temperature"), ("cooldown: 1 min", "cooldown: *x"),
    ("{above: 60, until: 55}", "{until: 55}"), ("close_incident: cleared", "close_incident: done"),
    ("  - temperature", "  - {mode: test, confirm: 2}\n  - temperature"), ("cooldown: 1 min", "cooldown: \x01"),
]  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> SiteFolder:
    return load_site(write(tmp_path_factory.mktemp("site"), blocked=RULE))


@pytest.mark.parametrize(("old", "new"), EDITS)
def test_every_mistake_is_told_in_chinese(site: SiteFolder, old: str, new: str) -> None:
    assert old in FORM
    text = FORM.replace(old, new, 1)
    try:
        document = loads(text, "rule")
    except ConfigError as error:
        found = shown(error.findings)
    else:
        before = {item.sentence for item in shown(site.look_at(loads(FORM, "rule"))[1])}
        found = [item for item in shown(site.look_at(document)[1], document) if item.sentence not in before]
    assert found, "the edit is a mistake"
    for item in found:
        assert item.zh != item.sentence, item.sentence
        assert re.search("[\u4e00-\u9fff]{3}", item.zh), item


def test_a_sentence_that_nobody_translated_is_told_as_it_is() -> None:
    assert in_chinese("something new {0}") == "something new {0}"


def test_zones_are_called_by_their_names() -> None:
    zones = {"lane_3": "3号楼北侧", "lane_5": "5号楼东侧"}
    sentence = "no `camera` is bound in lane_3, lane_5"
    assert in_chinese(sentence, zones) == "3号楼北侧、5号楼东侧 没有绑定摄像机，那里这一步做不了"
    assert in_chinese(sentence).startswith("lane_3, lane_5 ")
