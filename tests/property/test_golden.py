"""The same inputs give the same bytes: under every hash seed, across restores at any point, under other Pythons."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hub
from tests.kit.golden import LENGTH, TRIGGERS, Golden

#: SHA-256 of all that the golden history leaves behind. It changes with the rule language, never by itself: a change
#: of it is a line in CHANGELOG.md, because recorded sites are replayed with the new meaning.
HASH = "bbe5987f87e134129b44c04b4df0d51d0dc56f4e4e5dfd3393916c6b19a8c876"
ROOT = Path(hub.__file__).parents[1]
PYTHONS = [name for name in os.environ.get("MENSHEN_PYTHONS", "").split(":") if name]


def ask(python: str, seed: str) -> subprocess.Popen[str]:
    """Have another process live the history; it prints the hash."""
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [python, "-m", "tests.kit.golden"]
    return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_the_history_says_something_with_every_rule() -> None:
    golden = Golden()
    golden.live(LENGTH)
    opened = {made.rule for made in golden.machine.decisions if made.__struct_config__.tag == "opened"}
    assert opened == {name for name, *_ in TRIGGERS}
    assert len({made.__struct_config__.tag for made in golden.machine.decisions}) == 10, "every kind of decision"
    assert golden.hash() == HASH


@pytest.mark.slow
def test_the_same_bytes_under_twenty_hash_seeds() -> None:
    seeds = [str(number * 211) for number in range(20)]
    answers = set()
    for first, second in zip(seeds[::2], seeds[1::2], strict=True):
        for process in [ask(sys.executable, first), ask(sys.executable, second)]:
            answers.add(process.communicate()[0].strip())
    assert answers == {HASH}


@given(st.lists(st.integers(0, 30), min_size=1, max_size=3))
def test_the_same_bytes_when_memory_is_written_down_and_read_back_anywhere(pieces: list[int]) -> None:
    """What is restored, and what comes after, is what it would have been."""
    straight, broken = Golden(), Golden()
    for piece in pieces:
        straight.live(piece)
        broken.live(piece, reopen=True)
    straight.live(20)
    broken.live(20)
    assert broken.bytes() == straight.bytes()


@pytest.mark.slow
def test_the_whole_history_with_memory_read_back_after_every_hundredth_input() -> None:
    golden = Golden()
    for _ in range(LENGTH // 100):
        golden.live(100, reopen=True)
    assert golden.hash() == HASH


@pytest.mark.slow
@pytest.mark.skipif(
    not PYTHONS, reason="MENSHEN_PYTHONS names no other interpreter (colon separated; each needs msgspec)"
)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_same_bytes_under_another_python(python: str) -> None:
    process = ask(python, "7")
    assert process.communicate()[0].strip() == HASH
    assert process.returncode == 0
