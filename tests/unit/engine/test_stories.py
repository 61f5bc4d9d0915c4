"""The shipped rules do what their stories say; every number in a rule is held by its story; a story can fail."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from hub.cli import main
from hub.config.stories import findings, load_story
from hub.engine.program import Program
from hub.engine.rule import Rule
from hub.engine.story import play
from hub.engine.terms import ModeIs, Not
from hub.model.site import Mode
from hub.model.time import SECOND, Duration

RULES = Path(__file__).parents[3] / "rules"
STORIES = sorted((RULES / "stories").glob("*.yaml"))
replace = msgspec.structs.replace

LATER = Duration(5 * SECOND)
NOT_IN_MAINTENANCE = Not(ModeIs(Mode.MAINTENANCE))


def test_every_shipped_rule_has_its_story() -> None:
    assert [path.name for path in STORIES] == sorted(path.name for path in RULES.glob("*.yaml"))
    assert len(STORIES) >= 12


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_a_shipped_rule_does_what_its_story_says(path: Path) -> None:
    _, found = findings(path)
    assert [str(finding) for finding in found] == []


def slips(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Change one number or leave out one thing."""
    trigger, clear = rule.trigger, rule.clear
    yield "trigger later", replace(rule, trigger=replace(trigger, hold=Duration(trigger.hold + LATER)))
    yield "clear later", replace(rule, clear=replace(clear, hold=Duration(clear.hold + LATER)))
    for index in range(len(rule.actions)):
        yield f"without action {index}", replace(rule, actions=(*rule.actions[:index], *rule.actions[index + 1 :]))
    for index in range(len(clear.actions)):
        left = (*clear.actions[:index], *clear.actions[index + 1 :])
        yield f"without clear action {index}", replace(rule, clear=replace(clear, actions=left))
    for index, step in enumerate(rule.escalation):
        for name, other in (("late", replace(step, after=Duration(step.after + LATER))), ("no", None)):
            steps = [*rule.escalation]
            steps[index : index + 1] = [] if other is None else [other]
            yield f"{name} step {index}", replace(rule, escalation=tuple(steps))
    for index, condition in enumerate(rule.conditions):
        if condition != NOT_IN_MAINTENANCE:  # the same everywhere; one story tells it
            left_conditions = (*rule.conditions[:index], *rule.conditions[index + 1 :])
            yield f"without condition {index}", replace(rule, conditions=left_conditions)
    if rule.quiet_hours is not None and rule.id in {"unit_door_held_open", "typhoon", "perimeter_at_night"}:
        yield "loud at night", replace(rule, quiet_hours=None)


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_every_slip_in_a_shipped_rule_is_told_by_its_story(path: Path) -> None:
    played = load_story(path)
    (rule,) = played.program.rules
    slot = next(iter(played.program.slots.values()))
    site = replace(SITE, zones={slot.zone.id: slot.zone})
    silent = [slip for slip, changed in slips(rule) if not play(played.story, Program((changed,), site, slot.calendar))]
    assert silent == []


def test_the_maintenance_mode_is_told_by_one_story() -> None:
    played = load_story(RULES / "stories" / "fire_lane_blocked.yaml")
    (rule,) = played.program.rules
    slot = next(iter(played.program.slots.values()))
    site = replace(SITE, zones={slot.zone.id: slot.zone})
    assert play(played.story, Program((replace(rule, conditions=()),), site, slot.calendar))


SITE = load_story(STORIES[0]).program.site

STORY = """\
story: 门
rules: unit_door_held_open
start: "2026-03-02 12:00"
steps:
  - {at: 0 s, hear: {door: open}}
  - at: 2 min
    expect: [opened, say: 请随手关门, incident: low]
"""


@pytest.mark.parametrize(
    ("before", "after", "finding"),
    [
        ("say: 请随手关门", "say: 您好", "7:22: `say: 您好` did not come at 2 min; there was `单元门未关好"),
        ("incident: low", "incident: high", "7:34: `incident: high` did not come at 2 min; there was `low`"),
        (", incident: low", "", "6:5: `incident: low` came at 2 min, and nothing expects it"),
        ("opened, say: 请随手关门", "say: 请随手关门, opened", "7:14: `opened` came before `say: 请随手关门`"),
        ("at: 2 min", "at: 3 min", "6:5: `opened` came at 2 min, and no step there expects it"),
        ("at: 2 min", "at: 1 min", "7:14: `opened` did not come at 1 min"),
        ("door: open", "dor: open", "5:22: `dor` is not a key of `hear`; did you mean `door`?"),
        ("door: open", "door: opened", "5:28: `opened` is no value of `door`; did you mean `open`?"),
        ("door: open", "door: [open, closed]", "5:28: `door` has 1 devices here, this names 2"),
        ("unit_door_held_open", "unit_door_held_opn", "2:8: no rule `unit_door_held_opn`; did you mean"),
        ("opened,", "fired,", "7:14: `fired` is nothing that is decided; known:"),
        ('"2026-03-02 12:00"', "tomorrow", '3:8: `start` must be a local time like "2026-03-02 03:00"'),
        ("at: 0 s", "at: 3 min", "6:5: steps must stand in the order of their time"),
        ("hear:", "heard:", "5:15: `heard` is not a key of a step; did you mean `hear`?"),
    ],
)  # fmt: skip
def test_a_story_fails_with_its_place_and_what_to_do(tmp_path: Path, before: str, after: str, finding: str) -> None:
    site = tmp_path / "site"
    (site / "rules" / "stories").mkdir(parents=True)
    shutil.copy(RULES / "unit_door_held_open.yaml", site / "rules")
    shutil.copy(RULES.parent / "hub.yaml", site)
    path = site / "rules" / "stories" / "door.yaml"
    path.write_text(STORY, "utf-8")
    assert findings(path)[1] == ()
    assert before in STORY
    path.write_text(STORY.replace(before, after), "utf-8")
    found = [str(one) for one in findings(path)[1]]
    assert any(one.startswith(f"door.yaml:{finding}") for one in found), found


def test_the_command_plays_a_folder_and_says_what_failed(tmp_path: Path) -> None:
    well = CliRunner().invoke(main, ["story", str(RULES / "stories")])
    assert (well.exit_code, f"{len(STORIES)} 个通过" in well.output) == (0, True)
    shutil.copytree(RULES, tmp_path / "rules")
    rule = tmp_path / "rules" / "unit_door_held_open.yaml"
    shutil.copy(RULES.parent / "hub.yaml", tmp_path)
    rule.write_text(rule.read_text("utf-8").replace("for: 2 min", "for: 4 min"), "utf-8")
    bad = CliRunner().invoke(main, ["story", str(tmp_path / "rules" / "stories" / rule.name), "--json"])
    assert bad.exit_code == 1
    rows = msgspec.json.decode(bad.output)["stories"]
    assert "did not come at 3 min" in str(rows[0]["findings"])
    assert CliRunner().invoke(main, ["story", str(tmp_path / "nothing")]).exit_code == 2
