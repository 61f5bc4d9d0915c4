"""Erases what was kept long enough, and proves that it did: a link says what went and why; the rest still proves.

Open incidents and those on hold keep their rows, the readings around them and their pictures, however old.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from hub.journal.chain import COLUMNS, leaf, seal
from hub.model.proof import Erased, Link, Occasion, Retention
from hub.model.time import DAY, MINUTE, Instant

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from hub.journal.store import Journal

#: Rows and pictures erased in one transaction, so that no alarm waits for it.
CHUNK, PICTURES = 5_000, 500
#: Readings kept around an incident.
MARGIN = 10 * MINUTE
#: Incidents that nothing is erased of: not closed, closed after the first parameter, or on hold.
_KEPT = "SELECT activation FROM incidents WHERE closed_at IS NULL OR closed_at >= ? UNION SELECT activation FROM holds"
_AROUND = f"t.at BETWEEN i.opened_at - {MARGIN} AND coalesce(i.closed_at, t.at) + {MARGIN}"
_OPEN_OR_HELD = "i.closed_at IS NULL OR i.activation IN (SELECT activation FROM holds)"
_KEPT_READING = f"EXISTS (SELECT 1 FROM incidents i WHERE ({_OPEN_OR_HELD}) AND {_AROUND})"  # noqa: S608 - words of this module

_WAITING = (
    "FROM tour_candidates c LEFT JOIN tickets t ON t.id = c.ticket "
    "WHERE c.state = 'open' OR (t.id IS NOT NULL AND t.done_at IS NULL)"
)
#: Pictures of facade tours that stay: what later ones are compared with, and what somebody is to see to.
_TOUR_KEPT = f"SELECT picture FROM tour_references UNION SELECT before {_WAITING} UNION SELECT after {_WAITING}"  # noqa: S608 - words of this module
_LAST_LOOKS = "SELECT max(id) FROM tour_looks GROUP BY stop"


async def erase(journal: Journal, data: Path, kept: Retention, now: Instant) -> int:
    """Erase everything whose time was over at ``now``; return how many rows and pictures went. Raises JournalError."""
    total = 0
    while count := await journal.answer(lambda db: _erase_some(db, kept, now)):
        total += count
    await _remove_files(journal, data)
    return total


async def _remove_files(journal: Journal, data: Path) -> None:
    """Remove the files whose erasure is committed; after a crash the next run does it."""
    paths = await journal.answer(lambda db: [str(path) for (path,) in db.execute("SELECT path FROM removals")])
    for path in paths:
        (data / path).unlink(missing_ok=True)
    if paths:
        await journal.execute(lambda db: _removed(db, paths))


def _removed(db: sqlite3.Connection, paths: list[str]) -> None:
    db.executemany("DELETE FROM removals WHERE path = ?", [(path,) for path in paths])


def _erase_some(db: sqlite3.Connection, kept: Retention, now: Instant) -> int:
    """Erase a chunk of each kind, and make a link of it; return how many rows and pictures went."""
    readings, incidents = now - kept.readings * DAY, now - kept.incidents * DAY
    pictures = max(now - kept.pictures * DAY, incidents)
    done = [
        _pictures(db, pictures, kept),
        _tour_pictures(db, pictures, kept),
        _rows(db, "readings", readings, f"NOT {_KEPT_READING}", (), f"kept {kept.readings} days"),
        _rows(db, "turns", readings, "1", (), f"kept {kept.readings} days"),
        _rows(
            db, "events", incidents, f"(t.activation IS NULL OR t.activation NOT IN ({_KEPT}))", (incidents,),
            f"kept {kept.incidents} days",
        ),
    ]  # fmt: skip
    erased = tuple(found for found in done if found is not None)
    _forget_incidents(db, incidents)
    _forget_looks(db, incidents)
    if erased:
        seal(db, now, Occasion.ERASED, erased)
        for name in ("readings", "turns", "events"):
            _compact(db, name)
    return sum(found.count for found in erased)


def _links(db: sqlite3.Connection) -> list[Link]:
    return [msgspec.json.decode(body, type=Link) for (body,) in db.execute("SELECT body FROM links ORDER BY seq")]


def _rows(
    db: sqlite3.Connection, name: str, before: int, where: str, values: tuple[Any, ...], why: str
) -> Erased | None:
    """Put leaves in the place of rows that were sealed before an instant. The last row stays, and its number."""
    links = _links(db)  # no row from before stands behind the first link made after: nobody need look there
    upto = next((link for link in links if link.at >= before), links[-1]).heads[name].seq
    columns = ", ".join(f"t.{column}" for column in COLUMNS[name].split(", "))
    sql = (
        f"SELECT {columns} FROM {name} t WHERE t.seq <= ? AND t.seq < (SELECT max(seq) FROM {name}) "  # noqa: S608 - words of this module
        f"AND t.at < ? AND {where} ORDER BY t.seq LIMIT {CHUNK}"
    )
    rows = [(name, row[0], leaf(row)) for row in db.execute(sql, (upto, before, *values))]
    if not rows:
        return None
    db.executemany("INSERT INTO erased VALUES (?, ?, ?)", rows)
    db.executemany(f"DELETE FROM {name} WHERE seq = ?", [(seq,) for _, seq, _ in rows])  # noqa: S608 - as above
    digest = hashlib.sha256(b"".join(found for _, _, found in rows)).hexdigest()
    return Erased(name, rows[0][1], rows[-1][1], len(rows), why, digest)


def _pictures(db: sqlite3.Connection, before: int, kept: Retention) -> Erased | None:
    """Take pictures out of the journal; their files follow once this is committed."""
    open_or_held = "SELECT activation FROM incidents WHERE closed_at IS NULL UNION SELECT activation FROM holds"
    rows = db.execute(
        f"SELECT id, path, sha256 FROM evidence WHERE at < ? AND activation NOT IN ({open_or_held}) "  # noqa: S608 - fixed
        f"ORDER BY at LIMIT {PICTURES}",
        (before,),
    ).fetchall()
    if not rows:
        return None
    db.executemany("INSERT OR IGNORE INTO removals VALUES (?)", [(path,) for _, path, _ in rows])
    db.executemany("DELETE FROM evidence WHERE id = ?", [(name,) for name, _, _ in rows])
    digest = hashlib.sha256("".join(sha256 for _, _, sha256 in rows).encode()).hexdigest()
    days = min(kept.pictures, kept.incidents)
    return Erased("pictures", 0, 0, len(rows), f"kept {days} days", digest, tuple(name for name, _, _ in rows))


def _tour_pictures(db: sqlite3.Connection, before: int, kept: Retention) -> Erased | None:
    """Take pictures of facade tours out; those that are compared with, or wait for somebody, stay."""
    rows = db.execute(
        f"SELECT id, path, sha256 FROM tour_pictures WHERE at < ? AND id NOT IN ({_TOUR_KEPT}) "  # noqa: S608 - as above
        f"ORDER BY id LIMIT {PICTURES}",
        (before,),
    ).fetchall()
    if not rows:
        return None
    db.executemany("INSERT OR IGNORE INTO removals VALUES (?)", [(path,) for _, path, _ in rows])
    db.executemany("DELETE FROM tour_pictures WHERE id = ?", [(number,) for number, _, _ in rows])
    digest = hashlib.sha256("".join(sha256 for _, _, sha256 in rows).encode()).hexdigest()
    days = min(kept.pictures, kept.incidents)
    return Erased("tour", 0, 0, len(rows), f"kept {days} days", digest, tuple(str(number) for number, _, _ in rows))


def _forget_looks(db: sqlite3.Connection, before: int) -> None:
    """Take old tours out of the tables that people read; the last look of each stop stays, and what is to be done."""
    db.execute(
        "DELETE FROM tour_looks WHERE at < ? AND id NOT IN (SELECT max(id) FROM tour_looks GROUP BY stop)", (before,)
    )
    db.execute("DELETE FROM tour_runs WHERE at < ? AND id NOT IN (SELECT max(id) FROM tour_runs)", (before,))
    db.execute(
        "DELETE FROM tour_candidates WHERE state != 'open' AND seen_at < ? "
        "AND (ticket IS NULL OR ticket NOT IN (SELECT id FROM tickets WHERE done_at IS NULL))",
        (before,),
    )


def _forget_incidents(db: sqlite3.Connection, before: int) -> None:
    """Take incidents whose time is over out of the tables that people read, with what hangs on them."""
    db.execute(f"DELETE FROM incidents WHERE closed_at < ? AND activation NOT IN ({_KEPT})", (before, before))  # noqa: S608
    db.execute(
        "DELETE FROM activations WHERE cleared_at < ? AND id NOT IN (SELECT activation FROM incidents)", (before,)
    )
    db.execute(
        "DELETE FROM commands WHERE at < ? AND status IN ('done', 'failed', 'dropped') "
        "AND activation NOT IN (SELECT id FROM activations)",
        (before,),
    )


def _compact(db: sqlite3.Connection, name: str) -> None:
    """Drop the leaves below the last seal under which no row is left: the seal's hash stands for them."""
    links = _links(db)
    first = links[0].heads[name].seq
    (lowest,) = db.execute(f"SELECT min(seq) FROM {name} WHERE seq > ?", (first,)).fetchone()  # noqa: S608 - fixed
    seals = [link.heads[name].seq for link in links]
    upto = max((seq for seq in seals if lowest is not None and seq < lowest), default=0)
    db.execute("DELETE FROM erased WHERE name = ? AND seq <= ?", (name, upto))


def hold(db: sqlite3.Connection, activation: str, now: Instant, by: str, why: str) -> None:
    """Keep everything of an incident until ``release``."""
    db.execute("INSERT OR REPLACE INTO holds VALUES (?, ?, ?, ?)", (activation, now, by, why))


def release(db: sqlite3.Connection, activation: str) -> None:
    """End a hold."""
    db.execute("DELETE FROM holds WHERE activation = ?", (activation,))


def holding(db: sqlite3.Connection, activation: str) -> tuple[Instant, str, str] | None:
    """Return since when an incident is on hold, by whom and why; None where it is not."""
    found: tuple[Instant, str, str] | None = db.execute(
        "SELECT at, by, why FROM holds WHERE activation = ?", (activation,)
    ).fetchone()
    return found
