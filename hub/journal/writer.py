"""Writes one Entry into the tables. Runs on the writer thread, inside its transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from hub.model.decision import Cleared, Command, IncidentClosed, IncidentOpened, Opened
from hub.model.entry import KEPT_DELIVERIES
from hub.model.incident import CommandStatus, IncidentState

if TYPE_CHECKING:
    import sqlite3

    from hub.journal.chain import Fresh
    from hub.model.decision import Decision
    from hub.model.entry import Entry, Outcome

#: Tables of the chain, their columns in the order of hub.journal.chain.COLUMNS.
_INSERT = {
    "readings": "INSERT INTO readings (entity, value, quality, at, device_at, retained) VALUES (?, ?, ?, ?, ?, ?)",
    "events": "INSERT INTO events (at, kind, activation, body) VALUES (?, ?, ?, ?)",
    "turns": "INSERT INTO turns (reading, at, kind, body) VALUES (?, ?, ?, ?)",
}
_ENCODER = msgspec.json.Encoder()


def write(db: sqlite3.Connection, entry: Entry, fresh: Fresh) -> None:
    """Write everything of ``entry``, and note in ``fresh`` what is to be chained."""
    _write_memory(db, entry)
    _append(db, fresh, "turns", _turns(db, entry))
    _append(
        db, fresh, "readings",
        [(r.entity, _plain(r.value), r.quality, r.at, r.device_at, int(r.retained)) for r in entry.readings],
    )  # fmt: skip
    _append(db, fresh, "events", _events(entry))
    _project(db, entry.decisions)
    for outcome in entry.outcomes:
        _write_outcome(db, outcome)
    _write_transport(db, entry)


def _append(db: sqlite3.Connection, fresh: Fresh, table: str, rows: list[tuple[Any, ...]]) -> None:
    """Insert rows at the end of a chained table, just as they are hashed."""
    if rows:
        db.executemany(_INSERT[table], rows)
        fresh.rows[table] += rows


def _events(entry: Entry) -> list[tuple[Any, ...]]:
    """Return the rows of what was decided, done and noted."""
    rows: list[tuple[Any, ...]] = [
        (decision.at, decision.__struct_config__.tag, getattr(decision, "activation", None), _json(decision))
        for decision in entry.decisions
    ]
    rows += [(outcome.at, "outcome", outcome.activation, _json(outcome)) for outcome in entry.outcomes]
    rows += [(change.at, "mode", None, _json(change)) for change in entry.modes]
    rows += [(jump.at, "clock_jump", None, _json(jump)) for jump in entry.jumps]
    rows += [(note.at, note.kind, None, _json(note.body)) for note in entry.notes]
    return rows


def _write_memory(db: sqlite3.Connection, entry: Entry) -> None:
    """Rewrite what the engine remembers."""
    db.executemany(
        "INSERT OR REPLACE INTO states VALUES (?, ?, ?, ?, ?)",
        [(entity, _plain(s.value), s.quality, s.since, s.at) for entity, s in entry.states.items()],
    )
    db.executemany(
        "INSERT OR REPLACE INTO memories VALUES (?, ?)",
        [(entity, _json(memory)) for entity, memory in entry.memories.items()],
    )
    gone = [key for key, slot in entry.slots.items() if slot is None]
    kept = [(*key, _json(slot)) for key, slot in entry.slots.items() if slot is not None]
    db.executemany("DELETE FROM slots WHERE rule = ? AND zone = ?", gone)
    db.executemany("INSERT OR REPLACE INTO slots VALUES (?, ?, ?)", kept)
    for change in entry.modes:
        if change.on:
            db.execute("INSERT OR REPLACE INTO modes VALUES (?, ?)", (change.mode, _json(change)))
        else:
            db.execute("DELETE FROM modes WHERE mode = ?", (change.mode,))


def _turns(db: sqlite3.Connection, entry: Entry) -> list[tuple[Any, ...]]:
    """Return what moved the engine beside readings, each with the last reading before it. Inputs share no instant."""
    if not entry.turns:
        return []
    (last,) = db.execute("SELECT coalesce(max(seq), 0) FROM readings").fetchone()
    return [
        (last + sum(reading.at < turn.at for reading in entry.readings), turn.at, type(turn).__name__, _json(turn))
        for turn in entry.turns
    ]


def _write_transport(db: sqlite3.Connection, entry: Entry) -> None:
    db.executemany(
        "INSERT INTO deliveries (link, mid, digest) VALUES (?, ?, ?)",
        [(delivery.link, delivery.mid, delivery.digest) for delivery in entry.deliveries],
    )
    if entry.deliveries:
        db.execute("DELETE FROM deliveries WHERE seq <= (SELECT MAX(seq) FROM deliveries) - ?", (KEPT_DELIVERIES,))
    for mark in entry.bookmarks:
        at = (mark.domain, mark.device, mark.key)
        if mark.value:
            db.execute("INSERT OR REPLACE INTO bookmarks VALUES (?, ?, ?, ?)", (*at, mark.value))
        else:
            db.execute("DELETE FROM bookmarks WHERE domain = ? AND device = ? AND key = ?", at)
    for announcement in entry.announcements:
        key = (announcement.integration, announcement.topic)
        if announcement.payload:
            db.execute("INSERT OR REPLACE INTO announcements VALUES (?, ?, ?)", (*key, announcement.payload))
        else:
            db.execute("DELETE FROM announcements WHERE integration = ? AND topic = ?", key)


def _project(db: sqlite3.Connection, decisions: list[Decision]) -> None:
    """Keep the tables that people and executors read in step with the decisions, many rows at a time."""
    db.executemany(
        "INSERT INTO activations VALUES (?, ?, ?, ?, ?, NULL, NULL, ?)",
        [(d.activation, d.rule, d.zone, d.at, d.late_by, _json(d.trace)) for d in decisions if isinstance(d, Opened)],
    )
    db.executemany(
        "UPDATE activations SET cleared_at = ?, reason = ? WHERE id = ?",
        [(d.at, d.reason, d.activation) for d in decisions if isinstance(d, Cleared)],
    )
    db.executemany(
        "INSERT INTO commands VALUES (?, ?, ?, ?, ?)",
        [(d.key, d.activation, d.at, CommandStatus.PENDING, _json(d)) for d in decisions if isinstance(d, Command)],
    )
    for decision in decisions:  # one by one: an incident may be opened, closed and opened again in one transaction
        if isinstance(decision, IncidentOpened):
            db.execute(
                "INSERT INTO incidents (activation, rule, zone, severity, state, opened_at) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (activation) DO UPDATE SET state = 'open', closed_at = NULL, reason = NULL, "
                "verdict = NULL, note = ''",
                (decision.activation, decision.rule, decision.zone, decision.severity, IncidentState.OPEN, decision.at),
            )
        elif isinstance(decision, IncidentClosed):
            db.execute(
                "UPDATE incidents SET state = ?, closed_at = ?, reason = ? WHERE activation = ? AND closed_at IS NULL",
                (IncidentState.CLOSED, decision.at, decision.reason, decision.activation),
            )


def _write_outcome(db: sqlite3.Connection, outcome: Outcome) -> None:
    db.execute("UPDATE commands SET status = ? WHERE key = ?", (outcome.status, outcome.key))
    if outcome.evidence is not None:
        db.execute(
            "INSERT OR IGNORE INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?, ?)", msgspec.structs.astuple(outcome.evidence)
        )


def _json(value: Any) -> str:
    return _ENCODER.encode(value).decode()


def _plain(value: str | float | None) -> str | float | None:
    """Return the value as the store will give it back: no enum, and no minus before a zero."""
    if value is None:
        return None
    return str(value) if isinstance(value, str) else value + 0
