"""The hash chain over what was sensed, decided, done, seen and exported: kept in the transaction that writes the rows.

Each row of a chained table has a *leaf*: SHA-256 over the JSON of its columns in the order of ``COLUMNS``. The hash of
its table goes on with SHA-256(hash, leaf). A *link* (hub.model.proof) seals the hashes of all tables, and links make a
chain of their own: whoever holds the hash of one link can tell whether anything before it was touched.

What ``hub.journal.writer`` inserted is hashed as it was handed over (``Fresh``): reading it back cost a seventh of the
sustained rate. Rows that anybody else wrote are read back, so whoever wrote them, they are in the chain.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from hub.model.entry import RESTORED
from hub.model.proof import Erased, Head, Link, Occasion
from hub.model.time import DAY, HOUR, Instant

if TYPE_CHECKING:
    import sqlite3

#: What is chained of each table. A column added later needs a new version of Link.
COLUMNS = {
    "readings": "seq, entity, value, quality, at, device_at, retained",
    "events": "seq, at, kind, activation, body",
    "audit": "seq, at, actor, action, body, address, target, outcome",
    "turns": "seq, reading, at, kind, body",
    "rule_versions": "seq, file, rule, at, author, reason, text",
}
ZERO = bytes(32)
#: Copied instead of made anew: a third cheaper for short rows with OpenSSL 3.
_NEW = hashlib.sha256()
_AFTER = {name: f"SELECT {columns} FROM {name} WHERE seq > ? ORDER BY seq" for name, columns in COLUMNS.items()}  # noqa: S608
_HEADS = "SELECT * FROM heads WHERE name != 'links' ORDER BY name"
_LASTS = " ".join(f"WHEN '{name}' THEN (SELECT max(seq) FROM {name})" for name in COLUMNS)  # noqa: S608 - fixed names
_REACHED = f"SELECT name, seq, hash, CASE name {_LASTS} END FROM heads WHERE name != 'links' ORDER BY name"  # noqa: S608
#: Time of the last link, and of the last that stands in the queue of stamps: 0 where there is none.
_TIMES = (
    "SELECT coalesce((SELECT at FROM links ORDER BY seq DESC LIMIT 1), 0), "
    "coalesce((SELECT at FROM links WHERE seq = (SELECT max(link) FROM stamps)), 0)"
)
_ENCODER = msgspec.json.Encoder()


class Fresh:
    """Rows that one transaction inserted at the end of the chained tables, as the store holds them, without numbers."""

    def __init__(self) -> None:
        self.rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in COLUMNS}
        self.ends: dict[str, int] = {}
        """Where the chain of each table stood after the last transaction that was committed."""

    def clear(self) -> None:
        """Forget the rows: their transaction is over."""
        for rows in self.rows.values():
            rows.clear()

    def take(self, name: str, seq: int, last: int) -> list[tuple[Any, ...]] | None:
        """Return the rows ``seq`` + 1 to ``last`` if these and no others were inserted, else None: read them."""
        rows = self.rows[name]
        if self.ends.get(name) != seq or last - seq != len(rows):
            return None  # somebody else wrote too, or a link was made in the middle
        return [(number, *row) for number, row in enumerate(rows, seq + 1)]


def leaf(row: tuple[Any, ...]) -> bytes:
    """Return the leaf of a row, its columns in the order of ``COLUMNS``."""
    return hashlib.sha256(_ENCODER.encode(row)).digest()


def joined(before: bytes, after: bytes) -> bytes:
    """Return the hash that goes on from ``before``."""
    return hashlib.sha256(before + after).digest()


def extend(db: sqlite3.Connection, fresh: Fresh | None = None) -> dict[str, int]:
    """Chain the rows that were written since; return the last number of each table.

    To be called at the end of every transaction that writes.
    """
    ends = {}
    for name, seq, head, last in db.execute(_REACHED).fetchall():
        ends[name] = seq
        if last is None or last <= seq:
            continue
        rows = None if fresh is None else fresh.take(name, seq, last)
        if rows is None:
            rows = db.execute(_AFTER[name], (seq,)).fetchall()
        db.execute("UPDATE heads SET seq = ?, hash = ? WHERE name = ?", (last, _onward(head, rows), name))
        ends[name] = last
    return ends


def _onward(digest: bytes, rows: list[tuple[Any, ...]]) -> bytes:
    """Return the hash that goes on from ``digest`` over ``rows``: joined(digest, leaf(row)) for each."""
    new = _NEW.copy
    for line in _ENCODER.encode_lines(rows).splitlines():  # JSON escapes line breaks: a line is a row
        leaf_hash, chained = new(), new()
        leaf_hash.update(line)
        chained.update(digest + leaf_hash.digest())
        digest = chained.digest()
    return digest


def seal(db: sqlite3.Connection, at: Instant, occasion: Occasion, erased: tuple[Erased, ...] = ()) -> str:
    """Chain what is new, make a link of it and return the link's hash in hexadecimal."""
    extend(db)
    last = db.execute("SELECT hash FROM links ORDER BY seq DESC LIMIT 1").fetchone()
    heads = {name: Head(seq, digest.hex()) for name, seq, digest in db.execute(_HEADS)}
    body = _ENCODER.encode(Link(at, occasion, heads, erased))
    digest = joined(ZERO if last is None else last[0], body)
    db.execute("INSERT INTO links (at, body, hash) VALUES (?, ?, ?)", (at, body.decode(), digest))
    db.execute("INSERT OR REPLACE INTO heads SELECT 'links', max(seq), ? FROM links", (digest,))
    return digest.hex()


def begin(db: sqlite3.Connection) -> None:
    """Make the first link, which says from where on rows are chained; nothing where there is one.

    Its time is that of the last commit before, 0 in a new journal: no clock runs yet. Call it inside a transaction: a
    link without its head looks like a chain that was cut.
    """
    if db.execute("SELECT 1 FROM links LIMIT 1").fetchone() is None:
        seal(db, _last_commit(db), Occasion.BEGIN)


def note_restored(db: sqlite3.Connection, made: str) -> None:
    """Make the first link after a restore, with a row that says when the backup was made (RFC 3339).

    A session that a broker has kept goes on from another past than this: the hub must begin a new one.

    Its time is that of the last commit in the backup: no clock runs, and the day's own link is not to be missed.
    """
    begin(db)
    db.execute("INSERT INTO deliveries (link, mid, digest) VALUES ('', ?, x'')", (RESTORED,))
    at = _last_commit(db)
    body = _ENCODER.encode({"made": made}).decode()
    db.execute("INSERT INTO events (at, kind, body) VALUES (?, 'restored', ?)", (at, body))
    seal(db, at, Occasion.RESTORED)


def _last_commit(db: sqlite3.Connection) -> Instant:
    (at,) = db.execute("SELECT json_extract(value, '$.at') FROM meta WHERE key = 'anchor'").fetchone() or (0,)
    return Instant(at)


def keep(db: sqlite3.Connection, now: Instant | None, fresh: Fresh | None = None) -> dict[str, int]:
    """Chain what is new, with a link for each hour of the clock; without a clock there is no link.

    A link of another occasion (an export) stands for that of its hour, never for that of the day: only this is stamped.
    Returns the last number of each table.
    """
    ends = extend(db, fresh)
    if now is not None:
        last, day = db.execute(_TIMES).fetchone()
        if now // DAY != day // DAY:
            seal(db, now, Occasion.DAY)
            db.execute("INSERT INTO stamps (link) SELECT max(seq) FROM links")
        elif now // HOUR != last // HOUR:
            seal(db, now, Occasion.HOUR)
    return ends
