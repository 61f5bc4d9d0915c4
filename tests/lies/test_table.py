"""The table of lies is complete, names tests that are there, and shares only with those who speak HTTP."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.lies.guests import GUESTS
from tests.lies.liar import Lie
from tests.lies.table import TABLE, Never, Shared

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(manifest.parent.name for manifest in (ROOT / "integrations").glob("*/manifest.yaml"))


@cache
def _tests(path: str) -> frozenset[str]:
    """Names of the tests of one file."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_each_integration_has_its_row() -> None:
    assert sorted(TABLE) == SHIPPED, "a new integration needs a row in tests/lies/table.py"


@pytest.mark.parametrize("domain", TABLE)
def test_each_cell_is_covered_or_has_its_reason(domain: str) -> None:
    row = TABLE[domain]
    assert set(row) == set(Lie)
    guests = {guest.split()[0] for guest in GUESTS}
    for lie, cell in row.items():
        if isinstance(cell, Never):
            assert len(cell.reason) > 20, lie
        elif isinstance(cell, Shared):
            assert domain in guests, f"{lie}: tests/lies/guests.py does not lead {domain} to the liar"
        else:
            path, _, name = cell.partition("::")
            assert name in _tests(path), f"{lie}: there is no test {name} in {path}"


def test_all_guests_are_in_the_table() -> None:
    assert {guest.split()[0] for guest in GUESTS} == {
        domain for domain, row in TABLE.items() if Shared.HTTP in row.values()
    }
