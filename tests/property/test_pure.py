"""The engine is a pure function: it imports nothing of the world, and changes nothing that it is given."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hub.engine
from hub.engine.program import Program
from hub.engine.step import adopt, requalify, step, wake
from hub.model.entry import ClockJump, ModeChange
from hub.model.reading import Presence, Quality, Reading
from hub.model.site import Mode
from tests.kit.lane import CAR, LEFT, RIGHT, Plan, seconds, site
from tests.kit.machine import Machine, picture

ALLOWED = {
    "__future__",
    "collections",
    "dataclasses",
    "datetime",
    "enum",
    "hashlib",
    "functools",
    "heapq",
    "hub",
    "msgspec",
    "re",
    "typing",
}
FOLDER = Path(hub.engine.__file__).parent


def imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or ".")
    return names


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_the_engine_imports_nothing_of_the_world(path: Path) -> None:
    names = imported(ast.parse(path.read_text("utf-8")))
    assert {name.partition(".")[0] for name in names} <= ALLOWED
    assert all(name.startswith(("hub.model", "hub.engine")) for name in names if name.startswith("hub"))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_the_engine_calls_nothing_that_depends_on_the_process(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    names = {node.func.id for node in calls if isinstance(node.func, ast.Name)}
    methods = {node.func.attr for node in calls if isinstance(node.func, ast.Attribute)}
    assert not methods & {"now", "utcnow", "today", "time", "monotonic", "random"}
    assert not names & {"hash", "id", "open", "print", "input", "exec", "eval", "__import__", "globals", "vars"}


@given(
    st.lists(st.tuples(st.sampled_from([CAR, LEFT, RIGHT]), st.sampled_from(Presence), st.integers(0, 5)), max_size=12),
    st.sampled_from(Quality),
)
def test_a_step_changes_nothing_it_is_given(heard: list[tuple[Any, Presence, int]], quality: Quality) -> None:
    machine = Machine(Plan(hold=2, quiet=True).rule())
    machine.mode(Mode.TYPHOON, on=True)
    for entity, value, pause in heard:
        machine.hear(entity, value)
        machine.pass_time(seconds(pause))
    program, state, now = machine.program, machine.state, machine.now
    before, due = picture(state), state.next_wake()
    for event in (
        Reading(CAR, Presence.PRESENT, quality, now),
        Reading(CAR, None, quality, now),
        ModeChange(Mode.MAINTENANCE, True, now),
        ClockJump(now, 5),
    ):
        step(program, state, event, now)
    for key in list(state.slots):
        wake(program, state, key, now)
    adopt(Program((Plan(hold=5).rule(),), site()), state, now)
    requalify(program, state, state.states, Quality.STALE, now)
    assert picture(state) == before
    assert state.next_wake() == due


STORY = """
import msgspec
from hub.model.reading import Presence, Quality
from hub.model.site import Mode
from tests.kit.lane import CAR, LEFT, OTHER, RIGHT, Plan, seconds
from tests.kit.machine import Machine, picture
machine = Machine(Plan(quiet=True, closed=False).rule(), Plan(hold=1, gap=3).rule(OTHER))
for number in range(120):
    sensor = (CAR, LEFT, RIGHT)[number % 3]
    machine.hear(sensor, (Presence.PRESENT, Presence.ABSENT)[number % 7 > 4], list(Quality)[number % 11 > 9])
    machine.mode(Mode.MAINTENANCE, on=number % 29 == 0)
    machine.pass_time(seconds(number % 9))
    if number % 40 == 39:
        machine.restart(seconds(2))
        machine.jump(-seconds(3_600))
print(picture(machine.state).decode())
print(msgspec.json.encode(machine.decisions).decode())
"""


def test_the_same_inputs_give_the_same_bytes_under_every_hash_seed() -> None:
    answers = set()
    for seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", STORY], env=environment, cwd=FOLDER.parent.parent, capture_output=True, check=True
        )
        answers.add(done.stdout)
    (answer,) = answers
    assert answer.count(b'"kind":"opened"') > 3, "the story must say something"
