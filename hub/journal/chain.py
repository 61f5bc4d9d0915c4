"""The hash chain over what was sensed, decided, done, seen and exported: kept in the transaction that writes the rows.

Each row of a chained table has a *leaf*: SHA-256 over the JSON of its columns in the order of ``COLUMNS``. The hash of
its table goes on with SHA-256(hash, leaf). A *link* (hub.model.proof) seals the hashes of all tables, and links make a
chain of their own: whoever holds the hash of one link can tell whether anything before it was touched.

Rows are read back from the tables, so whoever wrote them, they are in the chain, as the store holds them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

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
_AFTER = {name: f"SELECT {columns} FROM {name} WHERE seq > ? ORDER BY seq" for name, columns in COLUMNS.items()}  # noqa: S608
_HEADS = "SELECT * FROM heads WHERE name != 'links' ORDER BY name"
_ENCODER = msgspec.json.Encoder()


def leaf(row: tuple[Any, ...]) -> bytes:
    """Return the leaf of a row, its columns in the order of ``COLUMNS``."""
    return hashlib.sha256(_ENCODER.encode(row)).digest()


def joined(before: bytes, after: bytes) -> bytes:
    """Return the hash that goes on from ``before``."""
    return hashlib.sha256(before + after).digest()


def extend(db: sqlite3.Connection) -> None:
    """Chain the rows that were written since. To be called at the end of every transaction that writes."""
    sha256, encode = hashlib.sha256, _ENCODER.encode
    for name, seq, head in db.execute(_HEADS).fetchall():
        last, digest = seq, head
        for row in db.execute(_AFTER[name], (seq,)):
            digest = sha256(digest + sha256(encode(row)).digest()).digest()
            last = row[0]
        if last != seq:
            db.execute("UPDATE heads SET seq = ?, hash = ? WHERE name = ?", (last, digest, name))


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

    Its time is that of the last commit before, 0 in a new journal: no clock runs yet.
    """
    if db.execute("SELECT 1 FROM links LIMIT 1").fetchone() is None:
        (at,) = db.execute("SELECT json_extract(value, '$.at') FROM meta WHERE key = 'anchor'").fetchone() or (0,)
        seal(db, Instant(at), Occasion.BEGIN)


def keep(db: sqlite3.Connection, now: Instant | None) -> None:
    """Chain what is new, with a link for each hour of the clock; without a clock there is no link."""
    if now is not None:
        (last,) = db.execute("SELECT at FROM links ORDER BY seq DESC LIMIT 1").fetchone() or (0,)
        if now // DAY != last // DAY:
            seal(db, now, Occasion.DAY)
            db.execute("INSERT INTO stamps (link) SELECT max(seq) FROM links")
            return
        if now // HOUR != last // HOUR:
            seal(db, now, Occasion.HOUR)
            return
    extend(db)
