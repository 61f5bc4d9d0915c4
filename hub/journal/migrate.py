"""Numbered SQL migrations: ``migrations/NNNN_name.sql``, each applied once, in order, in its own transaction.

A number may be missing: work that goes on at the same time takes its numbers beforehand.
"""

from __future__ import annotations

import sqlite3
from importlib import resources

from hub.model.errors import JournalError


def migrate(db: sqlite3.Connection) -> int:
    """Bring the store to the newest version and return it. Raises JournalError for a store newer than this hub."""
    folder = resources.files("hub.journal").joinpath("migrations")
    scripts = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    numbers = [int(script.name[:4]) for script in scripts]
    if numbers != sorted(set(numbers)):
        raise JournalError("two migrations have the same number")
    newest = numbers[-1]
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > newest:
        raise JournalError(f"the journal has version {version}, this hub knows only {newest}: start a newer hub")
    for number, script in zip(numbers, scripts, strict=True):
        if number <= version:
            continue
        try:
            db.executescript(f"BEGIN IMMEDIATE;\n{script.read_text('utf-8')}\nPRAGMA user_version = {number};\nCOMMIT;")
        except sqlite3.Error as error:
            raise JournalError(f"migration {script.name} failed: {error}") from error
    return newest
