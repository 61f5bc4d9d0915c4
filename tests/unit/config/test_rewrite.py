"""The form edits the file that people read: what it does not change stays, letter by letter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.config.merge import merge
from hub.config.rewrite import flow, rewrite, same
from hub.config.rule_form import (
    CaptureForm,
    OtherAction,
    RuleForm,
    SayForm,
    StepForm,
    Watch,
    read_form,
    write_form,
)
from hub.config.term_form import BeyondForm, CountForm, DaysForm, GroupForm, IsForm, OtherTerm, TimeForm
from hub.config.yaml import loads, plain
from hub.model.errors import ConfigError

SHIPPED = sorted((Path(__file__).parents[3] / "rules").glob("*.yaml"))
LANE = next(path for path in SHIPPED if path.stem == "fire_lane_blocked").read_text("utf-8")


def read(text: str) -> Any:
    return plain(loads(text, "rule"))


def fields(text: str) -> RuleForm:
    """Read the form as the page gets it and sends it back."""
    return msgspec.json.decode(msgspec.json.encode(read_form(read(text))), type=RuleForm)


def filled(text: str, **values: Any) -> str:
    form = msgspec.structs.replace(fields(text), **values)
    return rewrite(text, write_form(form, read(text)))


def difference(old: str, new: str) -> tuple[list[str], list[str]]:
    before, after = old.splitlines(), new.splitlines()
    return [line for line in before if line not in after], [line for line in after if line not in before]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_form_that_nobody_changed_changes_nothing(path: Path) -> None:
    text = path.read_text("utf-8")
    assert filled(text) == text
    everything = msgspec.json.encode(read_form(read(text))).decode()
    assert '"other"' not in everything, "the form shows all of it"
    again = write_form(msgspec.structs.replace(fields(text), kept=[]), {})
    assert same(again, {key: value for key, value in read(text).items() if key not in fields(text).kept})


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_an_edit_of_one_field_changes_one_line(path: Path) -> None:
    text = path.read_text("utf-8")
    form = fields(text)
    steps = [msgspec.structs.replace(step, after="77 min") for step in form.escalation[:1]]
    watch = msgspec.structs.replace(form.clear, hold="77 s")
    edits: list[dict[str, Any]] = [{"rule": "another"}, {"zone_kind": "gate"}, {"dry_run": True}, {"clear": watch}]
    edits += [{"escalation": [*steps, *form.escalation[1:]]}] if steps else []
    for edit in edits:
        gone, come = difference(text, filled(text, **edit))
        assert (len(gone), len(come)) in {(1, 1), (0, 1)}, edit


def test_steps_are_added_removed_and_moved_with_their_comments() -> None:
    text = LANE.replace("  - after: 5 min\n", "  - after: 5 min   # the guard\n")
    form = fields(text)
    guard = form.escalation[1]
    moved = filled(text, escalation=[guard, form.escalation[0], form.escalation[2]])
    assert "# the guard" in moved
    assert [step["after"] for step in read(moved)["escalation"]] == ["5 min", "2 min", "15 min"]
    more = filled(text, escalation=[*form.escalation, StepForm("20 min", guard.actions)])
    assert more == text.replace("clear:", "  - after: 20 min\n    actions:\n      - notify: guard\nclear:")
    fewer = filled(text, escalation=[form.escalation[0], guard])
    assert fewer == text.replace("  - after: 15 min\n    actions:\n      - notify: manager\n", "")
    none = filled(text, escalation=[])
    assert "escalation" not in read(none)
    assert none.startswith(text[: text.index("escalation:")])


def test_the_duration_of_the_issue() -> None:
    form = fields(LANE)
    five = filled(LANE, trigger=msgspec.structs.replace(form.trigger, hold="5 min"))
    assert five == LANE.replace("  for: 3 min", "  for: 5 min")


def test_what_the_form_cannot_show_is_kept() -> None:
    odd = LANE.replace("- capture: snapshot\n  - say", "- capture: {before: 10 s}   # clips\n  - say").replace(
        "  - not: {mode: maintenance}", "  - not: {not: {mode: maintenance}}"
    )
    odd += "tolerate_gap: 2 min   # dazzled\n"
    form = fields(odd)
    assert form.actions[0] == CaptureForm("10 s")
    assert isinstance(form.conditions[0], OtherTerm)
    assert form.kept == ["tolerate_gap"]
    changed = filled(odd, actions=[*form.actions[1:], form.actions[0]], cooldown="1 min")
    assert "capture: {before: 10 s}   # clips" in changed
    assert "not: {not: {mode: maintenance}}" in changed
    assert "tolerate_gap: 2 min   # dazzled\n" in changed


@pytest.mark.parametrize("broken", ["a: [", "rule: x\nrule: y\n", "- a\n", "", "a: &b c\n"])
def test_what_is_no_rule_is_refused_or_read_empty(broken: str) -> None:
    try:
        document = read(broken)
    except ConfigError:
        with pytest.raises(ConfigError):
            rewrite(broken, {"rule": "x"})
        return
    assert read_form(document).trigger.term is None


@pytest.mark.parametrize("source", [["x"], [], "x", 3, None, True])
@pytest.mark.parametrize("part", ["trigger", "clear"])
def test_a_condition_without_keys_is_refused(part: str, source: Any) -> None:
    with pytest.raises(ConfigError, match=r"must be a list of `key: value` lines"):
        filled(LANE, **{part: Watch(OtherTerm(source), "3 min")})


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co", "Zl", "Zp")), max_size=12)
LEAVES = st.one_of(TEXTS, st.booleans(), st.integers(-(10**9), 10**9), st.sampled_from(["3 min", "22:00", "no", "~"]))
KEYS = st.sampled_from(["after", "actions", "say", "text", "zh", "for", "rule", "every"])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=6)


TERMS = st.recursive(
    st.builds(OtherTerm, VALUES) | st.one_of(*map(st.builds, (IsForm, BeyondForm, CountForm, TimeForm, DaysForm))),
    lambda inner: st.builds(GroupForm, terms=st.lists(inner, max_size=3)),
    max_leaves=4,
)
WATCHES = st.builds(Watch, st.none() | TERMS)
ACTIONS = st.lists(st.builds(OtherAction, VALUES) | st.builds(SayForm) | st.builds(CaptureForm), max_size=3)
STEPS = st.builds(StepForm, actions=ACTIONS, more=DOCUMENTS)
FORMS = st.builds(
    RuleForm, trigger=WATCHES, conditions=st.lists(TERMS, max_size=3), actions=ACTIONS,
    escalation=st.lists(STEPS, max_size=3), clear=WATCHES, clear_actions=ACTIONS,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(FORMS, st.sampled_from([LANE, "rule: x\n"]))
def test_any_form_is_written_or_refused(form: RuleForm, text: str) -> None:
    try:
        edited = rewrite(text, write_form(form, read(text)))
    except ConfigError:
        return
    assert isinstance(read_form(read(edited)), RuleForm)


@settings(max_examples=400, deadline=None)
@given(DOCUMENTS, DOCUMENTS)
def test_any_document_becomes_any_other(one: dict[str, Any], other: dict[str, Any]) -> None:
    text = "# head\n" + rewrite("rule: x\n", one) + "# tail\n"
    assert same(read(text), one)
    edited = rewrite(text, other)
    assert same(read(edited), other)
    assert edited.startswith("# head\n")
    assert edited.endswith("# tail\n")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SHIPPED), st.data())
def test_comments_survive_every_edit_of_a_value(path: Path, data: st.DataObject) -> None:
    lines = path.read_text("utf-8").splitlines()
    at = data.draw(st.lists(st.integers(1, len(lines) - 1), unique=True, max_size=4))
    for place in sorted(at, reverse=True):
        indent = len(lines[place]) - len(lines[place].lstrip())
        lines.insert(place, " " * indent + f"# note {place}")
    text = "\n".join(lines) + "\n"
    form = fields(text)
    hold = data.draw(st.sampled_from(["1 s", "9 min", "3", "", "2 h"]))
    edits = {
        "trigger": msgspec.structs.replace(form.trigger, hold=hold),
        "actions": data.draw(st.permutations(form.actions)),
        "conditions": [*form.conditions, IsForm("person", "present")],
        "cooldown": "1 min",
    }
    edited = filled(text, **edits)
    for place in at:
        assert f"# note {place}" in edited
    assert same(read(edited), write_form(msgspec.structs.replace(form, **edits), read(text)))


WRITTEN = [("3 min", "3 min"), ("22:00", '"22:00"'), ("no", '"no"'), (80, "80"), ("{zone}停", '"{zone}停"')]


@pytest.mark.parametrize(("value", "written"), WRITTEN)
def test_a_value_is_written_as_a_person_would(value: Any, written: str) -> None:
    assert flow(value) == written


def test_two_edits_are_joined_where_they_do_not_meet() -> None:
    mine, theirs = LANE.replace("for: 3 min", "for: 5 min"), LANE.replace("after: 15 min", "after: 20 min")
    both = mine.replace("after: 15 min", "after: 20 min")
    assert merge(LANE, mine, theirs) == merge(LANE, theirs, mine) == both
    assert merge(LANE, mine, LANE) == mine
    assert merge(LANE, LANE, mine) == mine
    assert merge(LANE, mine, mine) == mine
    assert merge(LANE, mine, LANE.replace("for: 3 min", "for: 4 min")) is None
    assert merge(LANE, mine, LANE.replace("vehicle: present", "person: present")) is None, "the line beside it"
