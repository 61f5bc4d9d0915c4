"""The hub's journal as an auditor reads it: straight from the file, with its tables and nothing of the hub's code."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any


def rows(data: Path, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Ask the journal of a data folder; also while the hub runs."""
    with contextlib.closing(sqlite3.connect(f"file:{data / 'journal.sqlite3'}?mode=ro", uri=True, timeout=10)) as db:
        return db.execute(sql, parameters).fetchall()


def outcomes(data: Path) -> dict[str, list[dict[str, Any]]]:
    """Return what became of each command, by key, in order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for (body,) in rows(data, "SELECT body FROM events WHERE kind = 'outcome' ORDER BY seq"):
        outcome = json.loads(body)
        found.setdefault(outcome["key"], []).append(outcome)
    return found


def says(data: Path) -> dict[str, str]:
    """Return the activation of each spoken command, by key."""
    found = rows(data, "SELECT key, activation, body FROM commands")
    return {key: activation for key, activation, body in found if json.loads(body)["action"]["type"] == "say"}


def undone(data: Path) -> int:
    """Return how many commands are still to be done."""
    return int(rows(data, "SELECT COUNT(*) FROM commands WHERE status IN ('pending', 'started')")[0][0])


def whole(data: Path) -> None:
    """Assert that the file itself is sound."""
    assert rows(data, "PRAGMA integrity_check") == [("ok",)]
    assert rows(data, "PRAGMA foreign_key_check") == []
