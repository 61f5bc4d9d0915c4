"""The texts that rules have had: who wrote them, when and why; and how often the rules fired."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.model.incident import Verdict
from hub.model.time import Instant

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

#: Versions of one file that are listed, newest first.
LISTED = 200


class Version(msgspec.Struct, frozen=True):
    """One text of a file. ``author`` empty: edited by hand; ``text`` None: the file was deleted."""

    seq: int
    file: str
    rule: str
    at: Instant
    author: str
    reason: str
    text: str | None


class Fired(msgspec.Struct, frozen=True):
    """How often a rule fired: when last, how often lately, and how people judged its incidents."""

    last: Instant
    lately: int
    judged: int
    false: int


def add_version(db: sqlite3.Connection, version: Version) -> None:
    """Keep a text; ``seq`` is given by the store. The same text once more counts only where it names its author.

    A row is never altered: it is in the chain.
    """
    last = db.execute("SELECT author, text FROM rule_versions WHERE file = ? ORDER BY seq DESC LIMIT 1",
                      (version.file,)).fetchone()  # fmt: skip
    if last is not None and last[1] == version.text and (last[0] or not version.author):
        return
    db.execute("INSERT INTO rule_versions (file, rule, at, author, reason, text) VALUES (?, ?, ?, ?, ?, ?)",
               (version.file, version.rule, version.at, version.author, version.reason, version.text))  # fmt: skip


def add_versions(db: sqlite3.Connection, found: Iterable[Version]) -> None:
    """Keep several texts, in their order."""
    for version in found:
        add_version(db, version)


def note_files(db: sqlite3.Connection, files: Mapping[str, tuple[str, str]], at: Instant) -> None:
    """Keep what was edited by hand: ``files`` has rule and text of every file that is there now."""
    for file, (rule, text) in files.items():
        add_version(db, Version(0, file, rule, at, "", "", text))
    last = "SELECT MAX(seq) FROM rule_versions GROUP BY file"
    newest = f"SELECT file, rule, text FROM rule_versions WHERE seq IN ({last})"  # noqa: S608 - fixed words
    for file, rule, text in db.execute(newest).fetchall():
        if text is not None and file not in files:
            add_version(db, Version(0, file, rule, at, "", "", None))


def versions(db: sqlite3.Connection, file: str) -> list[Version]:
    """Return the versions of a file, newest first; what seemed to be edited by hand and was a save not twice."""
    columns = "seq, file, rule, at, author, reason, text"
    sql = f"SELECT {columns} FROM rule_versions WHERE file = ? ORDER BY seq DESC LIMIT ?"  # noqa: S608 - fixed words
    found = [Version(*row) for row in db.execute(sql, (file, LISTED))]
    return [one for one, next_one in zip(found, [None, *found], strict=False) if not _is_same(one, next_one)]


def _is_same(one: Version, next_one: Version | None) -> bool:
    return next_one is not None and not one.author and one.text == next_one.text


def deleted(db: sqlite3.Connection) -> list[Version]:
    """Return the last text of each file that was deleted, with who deleted it and when, newest first."""
    gone = "SELECT MAX(seq) AS seq FROM rule_versions GROUP BY file"
    text = "SELECT text FROM rule_versions b WHERE b.file = a.file AND b.text IS NOT NULL ORDER BY seq DESC LIMIT 1"
    sql = (
        f"SELECT seq, file, rule, at, author, reason, ({text}) FROM rule_versions a "  # noqa: S608 - fixed words
        f"WHERE text IS NULL AND seq IN ({gone}) ORDER BY seq DESC LIMIT ?"
    )
    return [Version(*row) for row in db.execute(sql, (LISTED,))]


def fired(db: sqlite3.Connection, since: Instant) -> dict[str, Fired]:
    """Return how often each rule fired; ``lately`` counts from ``since`` on."""
    counted = "SELECT rule, COUNT(*), SUM(verdict = ?) FROM incidents WHERE verdict IS NOT NULL GROUP BY rule"
    judged = {rule: (count, false) for rule, count, false in db.execute(counted, (Verdict.FALSE_ALARM,))}
    rows = db.execute("SELECT rule, MAX(opened_at), SUM(opened_at >= ?) FROM activations GROUP BY rule", (since,))
    return {rule: Fired(Instant(last), lately, *judged.get(rule, (0, 0))) for rule, last, lately in rows}
