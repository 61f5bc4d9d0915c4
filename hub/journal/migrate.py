"""Numbered SQL migrations: ``migrations/NNNN_name.sql``, each applied once, in order, in its own transaction.

A number may be missing: work that goes on at the same time takes its numbers beforehand.
"""

from __future__ import annotations

import sqlite3
from importlib import resources
from typing import TYPE_CHECKING

from hub.model.errors import JournalError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def newest() -> int:
    """Return the version that this hub brings a store to."""
    return _scripts()[-1][0]


def migrate(db: sqlite3.Connection) -> int:
    """Bring the store to the newest version and return it. Raises JournalError for a store newer than this hub."""
    scripts = _scripts()
    last = scripts[-1][0]
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > last:
        raise JournalError(f"the journal has version {version}, this hub knows only {last}: start a newer hub")
    for number, script in scripts:
        if number <= version:
            continue
        try:
            db.executescript(f"BEGIN IMMEDIATE;\n{script.read_text('utf-8')}\nPRAGMA user_version = {number};\nCOMMIT;")
        except sqlite3.Error as error:
            raise JournalError(f"migration {script.name} failed: {error}") from error
    return last


def _scripts() -> list[tuple[int, Traversable]]:
    folder = resources.files("hub.journal").joinpath("migrations")
    scripts = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    numbers = [int(script.name[:4]) for script in scripts]
    if numbers != sorted(set(numbers)):
        raise JournalError("two migrations have the same number")
    return list(zip(numbers, scripts, strict=True))
