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
from tests.mutations.table import MUTATIONS, Mutation

ALLOWED = {
    "__future__",
    "collections",
    "dataclasses",
    "datetime",
    "enum",
    "hashlib",
    "functools",
    "heapq",
    "itertools",
    "msgspec",
    "re",
    "typing",
}
FOLDER = Path(hub.engine.__file__).parent


MODULES = sorted(FOLDER.rglob("*.py"))
"""Every module of the engine, those of tomorrow and of sub-folders included."""
#: What asks the process or the world. (``time.time`` falls by its import: conditions have a field of that name.)
WORLDLY = {
    "now", "utcnow", "today", "time_ns", "monotonic", "perf_counter", "sleep", "random", "randint",
    "uuid1", "uuid4", "token_hex", "token_bytes", "urandom", "getenv", "getpid", "read_text", "write_text", "getLogger",
    "get_logger",
}  # fmt: skip
BUILT_IN = {
    "hash", "id", "open", "print", "input", "exec", "eval", "compile", "__import__", "globals", "locals", "vars",
    "breakpoint",
}  # fmt: skip


def imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
    return names


def foreign(tree: ast.AST) -> set[str]:
    """Return the imports that an engine may not have."""
    names = imported(tree)
    ours = {name for name in names if name.partition(".")[0] == "hub"}
    strangers = {name for name in names - ours if name.partition(".")[0] not in ALLOWED}
    return strangers | {name for name in ours if not name.startswith(("hub.model.", "hub.engine."))}


def worldly(tree: ast.AST) -> set[str]:
    """Return what a module uses that depends on the process; a mere mention counts, so that no alias hides it."""
    read = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    names = {node.id for node in read} & BUILT_IN
    used = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    methods = {node.attr for node in used} & WORLDLY
    views = {"self", "view", "_view"}
    known = {node.attr for node in used if getattr(node.value, "id", getattr(node.value, "attr", "")) in views}
    return names | (methods - known)  # a View's own `now` was given to it


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_engine_imports_nothing_of_the_world(path: Path) -> None:
    assert foreign(ast.parse(path.read_text("utf-8"))) == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_engine_uses_nothing_that_depends_on_the_process(path: Path) -> None:
    assert worldly(ast.parse(path.read_text("utf-8"))) == set()


@pytest.mark.parametrize(
    "name",
    [
        "time",
        "random",
        "os",
        "sys",
        "io",
        "pathlib",
        "logging",
        "structlog",
        "uuid",
        "secrets",
        "socket",
        "asyncio",
        "threading",
        "subprocess",
        "hub.journal",
        "hub.config.yaml",
        ".x",
    ],
)
def test_the_guard_sees_every_import(name: str) -> None:  # fmt: skip
    for line in (f"import {name}", f"from {name} import x", f"def late():\n    import {name} as harmless"):
        if not name.startswith(".") or line.startswith("from"):
            assert foreign(ast.parse(line)) == {name}


@pytest.mark.parametrize(
    "line",
    [
        "datetime.now(UTC)",
        "date.today()",
        "stamp = datetime.now",
        "open('x')",
        "print(1)",
        "say = print",
        "hash(x)",
        "id(x)",
        "eval('1')",
        "path.read_text()",
    ],
)
def test_the_guard_sees_every_use(line: str) -> None:  # fmt: skip
    assert len(worldly(ast.parse(line))) == 1


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
from tests.mutations.table import MUTATIONS, Mutation
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


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_each_row_of_the_mutation_table_fits_the_code(mutation: Mutation) -> None:
    """``python -m tests.mutations`` is run by hand; a row that no longer fits would only be seen then."""
    text = (FOLDER.parent / mutation.file).read_text("utf-8")
    assert text.count(mutation.old) == 1
