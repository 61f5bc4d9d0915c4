"""Searches the past: incidents and readings by time, place, device, kind and text, a page at a time, newest first."""

from __future__ import annotations

import heapq
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from hub.journal.queries import IncidentRow
from hub.model.ids import EntityId
from hub.model.reading import Quality, Value, value_from_store
from hub.model.time import Instant

if TYPE_CHECKING:
    import sqlite3

#: Entities of one search of readings.
MOST_ENTITIES = 500


class IncidentSearch(msgspec.Struct, frozen=True):
    """What incidents are looked for; None and empty ask for nothing."""

    begin: Instant
    end: Instant
    zones: frozenset[str] | None = None
    rules: frozenset[str] | None = None
    entities: frozenset[str] | None = None
    """One of these had a say in it."""
    verdict: str | None = None
    """``unreviewed`` for none yet."""
    text: str = ""
    """In the note, the handler's name, or in what is called so:"""
    named_zones: frozenset[str] = frozenset()
    named_rules: frozenset[str] = frozenset()


class Cursor(msgspec.Struct, frozen=True):
    """Before which reading a page begins: they stand in the order of their times, and of their numbers within one."""

    at: Instant
    seq: int


class FoundReading(msgspec.Struct, frozen=True):
    """One reading, and of what."""

    seq: int
    entity: EntityId
    at: Instant
    value: Value | None
    quality: Quality


def find_incidents(db: sqlite3.Connection, wanted: IncidentSearch, limit: int, before: int) -> list[IncidentRow]:
    """Return incidents, newest first, with numbers below ``before``."""
    where, values = ["i.id < ?", "i.opened_at >= ?", "i.opened_at < ?"], [before, wanted.begin, wanted.end]
    parameters: list[str | int] = list(values)
    for column, names in (("i.zone", wanted.zones), ("i.rule", wanted.rules)):
        if names is not None:
            where.append(f"{column} IN ({_marks(names)})")
            parameters += sorted(names)
    if wanted.entities is not None:
        seen = [f'"entity":"{name}"' for name in sorted(wanted.entities)]  # ids need no escape in JSON
        where.append(f"({' OR '.join(['instr(a.trace, ?) > 0'] * len(seen)) or '0'})")
        parameters += seen
    if wanted.verdict == "unreviewed":
        where.append("i.verdict IS NULL")
    elif wanted.verdict is not None:
        where.append("i.verdict = ?")
        parameters.append(wanted.verdict)
    if wanted.text:
        where.append(
            "(instr(lower(i.note), lower(?)) > 0 OR instr(lower(i.handler), lower(?)) > 0 "
            f"OR i.zone IN ({_marks(wanted.named_zones)}) OR i.rule IN ({_marks(wanted.named_rules)}))"
        )
        parameters += [wanted.text, wanted.text, *sorted(wanted.named_zones), *sorted(wanted.named_rules)]
    sql = (
        "SELECT i.* FROM incidents i LEFT JOIN activations a ON a.id = i.activation "  # noqa: S608 - fixed words and question marks
        f"WHERE {' AND '.join(where)} ORDER BY i.id DESC LIMIT ?"
    )
    return [IncidentRow(*row) for row in db.execute(sql, (*parameters, limit))]


def find_readings(
    db: sqlite3.Connection, entities: frozenset[EntityId], begin: Instant, before: Cursor, limit: int
) -> list[FoundReading]:
    """Return readings of entities, newest first, from ``begin`` up to before ``before``; each reads its own index."""
    sql = (
        "SELECT seq, at, value, quality FROM readings "
        "WHERE entity = ? AND at >= ? AND (at < ? OR (at = ? AND seq < ?)) ORDER BY at DESC, seq DESC LIMIT ?"
    )
    found = [
        [
            FoundReading(seq, name, Instant(at), value_from_store(value), Quality(quality))
            for seq, at, value, quality in db.execute(sql, (name, begin, before.at, before.at, before.seq, limit))
        ]
        for name in sorted(entities)[:MOST_ENTITIES]
    ]
    return list(islice(heapq.merge(*found, key=lambda row: (-row.at, -row.seq)), limit))


def _marks(names: frozenset[str]) -> str:
    return ",".join("?" * len(names))
