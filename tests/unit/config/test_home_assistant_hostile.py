"""Hostile automations: any text stays text, no tree raises, and every file that is written reads back."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.config.home_assistant.turn import Outcome, Turned
from hub.config.home_assistant.write import flow
from hub.config.yaml import loads, plain
from hub.model.decision import Notify, Say
from hub.model.document import Mapping, Scalar
from hub.model.reader import Reader
from hub.model.text import Text, clean
from tests.kit import home_assistant as kit
from tests.kit.home_assistant import one, read_back, said

#: Texts as a file may hold them: everything but halves of characters, which YAML refuses.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(
    ["a: b", "# x", "{zone}", "- a", '"', "\\", "'", "on", "1e3", "0o17", "22:30", "~", "é\u2028#\x85y", "\x00\x1b[31m"]
)


@given(TEXTS)
def test_any_text_is_read_back_as_it_was_written(text: str) -> None:
    document = loads(f"# x\na: {flow(text)}\nb: {flow([text, {'c': text}])}\n", "a.yaml")
    assert isinstance(document, Mapping)
    value = document.items[0][1]
    assert isinstance(value, Scalar)
    assert value.text == text
    assert Reader().text(value, "x", 100) == (text or None), "a word that reads as something else stands in quotes"


@given(alias=TEXTS, message=TEXTS)
def test_hostile_names_and_words_stay_text(alias: str, message: str) -> None:
    call = {"service": "tts.cloud_say", "data": {"entity_id": "media_player.lane_3", "message": message}}
    trigger = {"platform": "state", "entity_id": "binary_sensor.lane_3_vehicle", "to": "on"}
    told = {"service": "notify.guard", "data": {"message": message}}
    entry = {"alias": alias, "trigger": trigger, "action": [call, told]}
    (turned,) = kit.turn(f"[{flow(entry)}]")
    (written,) = turned.rules
    found, again = written.rule, read_back(written.text, written.rule.file)
    assert again == found
    assert found.name == Text(clean(alias, 40) or found.id, clean(alias, 40) or found.id)
    spoken = clean(message, 1000)
    said_it = spoken and "{" not in spoken
    assert found.actions == ((Say(Text(spoken)),) if said_it else ()) + (Notify("guard"),)
    comments = [line for line in written.text.splitlines() if line.startswith("#")]
    assert written.text.splitlines()[: len(comments) - 1] == comments[:-1], "a comment is one line"


LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=8)
    | st.sampled_from(
        ["on", "{{ x }}", "sun.sun", "binary_sensor.lane_3_vehicle", "00:03:00", "99:99", "-5", "1:1:1", "unavailable",
         "sensor.lane_3_temperature", "all", "notify.guard", "state", "numeric_state", "time", "or", "9" * 400]
    )
)  # fmt: skip
KEYS = st.sampled_from(
    ["trigger", "triggers", "platform", "condition", "conditions", "action", "actions", "service", "entity_id", "to",
     "from", "not_to", "for", "above", "below", "at", "after", "before", "weekday", "delay", "data", "target", "state",
     "message", "enabled", "alias", "id", "mode", "or", "not", "and", "event", "offset", "match", "automation", "x"]
)  # fmt: skip
TREES = st.recursive(LEAVES, lambda part: st.lists(part, max_size=3) | st.dictionaries(KEYS, part, max_size=4))


def dumped(tree: Any) -> str:
    return json.dumps(tree)  # JSON is YAML


def grafted(tree: Any, path: list[int], graft: Any) -> Any:
    """Return ``tree`` with one of its parts replaced."""
    if not path or not isinstance(tree, dict | list) or not tree:
        return graft
    if isinstance(tree, list):
        at = path[0] % len(tree)
        return [grafted(part, path[1:], graft) if index == at else part for index, part in enumerate(tree)]
    at = path[0] % len(tree)
    return {
        key: grafted(part, path[1:], graft) if index == at else part for index, (key, part) in enumerate(tree.items())
    }


def checked(turned: tuple[Turned, ...]) -> None:
    for each in turned:
        assert (each.outcome is Outcome.NOT) == (not each.rules)
        assert each.rules or any(note.lost for note in each.notes), "what is not turned has a reason"
        for note in each.notes:
            assert note.sentence == clean(note.sentence, 240)
        for written in each.rules:
            assert read_back(written.text, written.rule.file) == written.rule


@given(TREES)
def test_no_tree_breaks_it(tree: Any) -> None:
    checked(kit.turn(dumped(tree)))
    checked(kit.turn(dumped([tree])))


@given(st.sampled_from(kit.ALL), st.lists(st.integers(0, 9), min_size=1, max_size=7), TREES)
def test_no_wrong_part_in_a_real_automation_breaks_it(text: str, path: list[int], graft: Any) -> None:
    tree = plain(loads(text, "a.yaml"))
    checked(kit.turn(dumped(grafted(tree, path, graft))))


def test_what_a_note_quotes_cannot_forge_a_line() -> None:
    hostile = json.dumps("notify.a\n  ✗ x.yaml:1:1: \u202e\x1b[2J")
    (turned,) = kit.turn(one(action=f"{{service: {hostile}}}\n  - {{service: notify.guard}}"))
    (note,) = turned.notes
    assert note.sentence.isprintable()
    assert note.sentence.startswith("no contact `a ✗ x.yaml:1:1: [2j` in hub.yaml")


def test_many_actions_are_read_up_to_a_limit() -> None:
    (turned,) = kit.turn(one(action="\n  - ".join(["{service: notify.guard}"] * 5000)))
    assert len(turned.rules[0].rule.actions) == 200
    assert any("only the first 200 actions are read" in line for line in said(turned))


def test_conditions_too_deep_for_a_rule_are_a_finding() -> None:
    condition = "{condition: state, entity_id: binary_sensor.lane_3_vehicle, state: 'on'}"
    for _ in range(7):
        condition = f"{{not: [{condition}]}}"
    (turned,) = kit.turn(one(condition=condition))
    assert turned.outcome is Outcome.NOT
    assert any("cannot be written as a rule: conditions are nested more than 6" in line for line in said(turned))
