"""Whether the journal's file is what was written: what SQLite can tell, and in which words its errors are known."""

from __future__ import annotations

import sqlite3

from hub.model.errors import JournalError, Trouble

#: The tables that a restarted hub goes on with: small, so that a start can afford to look through them.
MEMORY = (
    "states",
    "memories",
    "slots",
    "modes",
    "meta",
    "rosters",
    "announcements",
    "bookmarks",
    "deliveries",
    "found",
)
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_DISK = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}


def trouble_of(cause: BaseException) -> Trouble:
    """Name the kind of an error; the primary code is the low byte of SQLite's (sqlite.org/rescode.html)."""
    if isinstance(cause, JournalError):
        return cause.trouble
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return Trouble.FULL
        if code in _DISK:
            return Trouble.DISK
        if code in _DAMAGED:
            return Trouble.DAMAGED
    return Trouble.REFUSED


def check(db: sqlite3.Connection, tables: tuple[str, ...] = ()) -> None:
    """Look through ``tables``, or everything. Raises sqlite3.DatabaseError where pages are damaged.

    SQLite sees broken pages and rows, not a flipped bit inside a value.
    """
    for table in tables or (None,):
        pragma = "PRAGMA quick_check(1)" if table is None else f"PRAGMA quick_check({table})"
        found = db.execute(pragma).fetchone()
        if found != ("ok",):
            raise sqlite3.DatabaseError(str(found[0])[:200])
