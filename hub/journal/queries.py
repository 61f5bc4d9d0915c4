"""The reading side of the journal: its own connection on its own thread, so that no page holds up a commit."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from hub.journal.soundness import trouble_of
from hub.journal.store import FILE, Answer, connect
from hub.journal.versions import Fired, Version, deleted, fired, versions
from hub.model.decision import Witness
from hub.model.entry import Evidence
from hub.model.errors import JournalError
from hub.model.ids import ActivationId, CommandKey
from hub.model.reading import Quality, value_from_store
from hub.model.roster import Briefing
from hub.model.time import Instant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hub.model.reading import Value


_TOKENS = "SELECT id, name, role, created_at FROM tokens"


class IncidentRow(msgspec.Struct, frozen=True):
    """One incident."""

    id: int
    activation: ActivationId
    rule: str
    zone: str
    severity: str
    state: str
    opened_at: Instant
    closed_at: Instant | None
    reason: str | None
    answered_at: Instant | None = None
    """When a person first did something about it."""
    handler: str = ""
    """Who handled it last."""
    verdict: str | None = None
    note: str = ""


class HandoverRow(msgspec.Struct, frozen=True):
    """One shift handed over."""

    id: int
    at: Instant
    giver: str
    note: str
    briefing: Briefing
    taken_at: Instant | None
    taker: str


class ActivationRow(msgspec.Struct, frozen=True):
    """One activation with the trace of its opening."""

    id: ActivationId
    rule: str
    zone: str
    opened_at: Instant
    late_by: int
    cleared_at: Instant | None
    reason: str | None
    trace: tuple[Witness, ...]


class EventRow(msgspec.Struct, frozen=True):
    """One line of a timeline; ``body`` is the decision or outcome as it was journalled."""

    seq: int
    at: Instant
    kind: str
    body: dict[str, Any]


class ReadingRow(msgspec.Struct, frozen=True):
    """One reading of an entity."""

    at: Instant
    value: Value | None
    quality: Quality
    retained: bool


class TokenRow(msgspec.Struct, frozen=True):
    """Who holds a token."""

    id: int
    name: str
    role: str
    created_at: Instant


class AuditRow(msgspec.Struct, frozen=True):
    """What a person did; ``body`` says more, by the kind of action."""

    seq: int
    at: Instant
    actor: str
    action: str
    body: dict[str, Any]
    address: str
    """Where from: the other end's IP address; empty for the console."""
    target: str
    outcome: str
    """``done``, or the word of the refusal."""


class Queries:
    """Questions that people and pages ask."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal-read")
        self._db: sqlite3.Connection | None = None

    async def close(self) -> None:
        """End the thread."""
        await self.ask(lambda db: db.close())
        self._threads.shutdown()

    async def incidents(self, *, is_open: bool | None, limit: int, before: int | None) -> list[IncidentRow]:
        """Return incidents, newest first, with ids below ``before``."""
        wanted = {None: "1", True: "closed_at IS NULL", False: "closed_at IS NOT NULL"}[is_open]
        sql = f"SELECT * FROM incidents WHERE {wanted} AND id < ? ORDER BY id DESC LIMIT ?"  # noqa: S608 - fixed words
        rows = await self._all(sql, (before if before is not None else 1 << 62, limit))
        return [_incident(row) for row in rows]

    async def incident(self, number: int) -> IncidentRow | None:
        """Return one incident."""
        rows = await self._all("SELECT * FROM incidents WHERE id = ?", (number,))
        return _incident(rows[0]) if rows else None

    async def evidence_of(self, activations: Sequence[str]) -> dict[str, list[Evidence]]:
        """Return the evidence of many activations, at most 999, each in the order it was taken."""
        marks = ",".join("?" * len(activations))
        rows = await self._all(
            f"SELECT * FROM evidence WHERE activation IN ({marks}) ORDER BY at",  # noqa: S608 - question marks only
            tuple(activations),
        )
        found: dict[str, list[Evidence]] = {}
        for record in map(_evidence, rows):
            found.setdefault(record.activation, []).append(record)
        return found

    async def handovers(self, limit: int) -> list[HandoverRow]:
        """Return the last shifts handed over, newest first."""
        rows = await self._all("SELECT * FROM handovers ORDER BY id DESC LIMIT ?", (limit,))
        return [_handover(row) for row in rows]

    async def incident_of(self, activation: str) -> int | None:
        """Return the id of the incident of an activation."""
        rows = await self._all("SELECT id FROM incidents WHERE activation = ?", (activation,))
        return int(rows[0][0]) if rows else None

    async def events(self, activation: str) -> list[EventRow]:
        """Return the timeline of an activation."""
        rows = await self._all(
            "SELECT seq, at, kind, body FROM events WHERE activation = ? ORDER BY seq LIMIT 1000", (activation,)
        )
        return [EventRow(seq, Instant(at), kind, msgspec.json.decode(body)) for seq, at, kind, body in rows]

    async def activations(self, limit: int = 100) -> list[ActivationRow]:
        """Return the newest activations."""
        rows = await self._all("SELECT * FROM activations ORDER BY opened_at DESC LIMIT ?", (limit,))
        return [_activation(row) for row in rows]

    async def evidence(self, activation: str | None, limit: int = 100) -> list[Evidence]:
        """Return the evidence of an activation in the order it was taken, or the newest of all."""
        if activation is None:
            rows = await self._all("SELECT * FROM evidence ORDER BY at DESC LIMIT ?", (limit,))
        else:
            rows = await self._all("SELECT * FROM evidence WHERE activation = ? ORDER BY at", (activation,))
        return [_evidence(row) for row in rows]

    async def evidence_file(self, name: str) -> Evidence | None:
        """Return the record of one file."""
        rows = await self._all("SELECT * FROM evidence WHERE id = ?", (name,))
        return _evidence(rows[0]) if rows else None

    async def history(self, entity: str, limit: int) -> list[ReadingRow]:
        """Return the newest readings of an entity, oldest first."""
        rows = await self._all(
            "SELECT at, value, quality, retained FROM readings WHERE entity = ? ORDER BY seq DESC LIMIT ?",
            (entity, limit),
        )
        return [
            ReadingRow(Instant(at), value_from_store(value), Quality(quality), bool(retained))
            for at, value, quality, retained in reversed(rows)
        ]

    async def versions(self, file: str) -> list[Version]:
        """Return the texts that a rule's file has had, newest first."""
        return await self.ask(lambda db: versions(db, file))

    async def deleted(self) -> list[Version]:
        """Return the rules that were deleted, with their last texts."""
        return await self.ask(deleted)

    async def fired(self, since: Instant) -> dict[str, Fired]:
        """Return how often each rule fired, lately since ``since``."""
        return await self.ask(lambda db: fired(db, since))

    async def token(self, token: str) -> TokenRow | None:
        """Return whose token this is."""
        return await self.holder(token_hash(token))

    async def holder(self, digest: bytes) -> TokenRow | None:
        """Return whose token has this hash."""
        rows = await self._all(f"{_TOKENS} WHERE hash = ?", (digest,))
        return TokenRow(*rows[0]) if rows else None

    async def tokens(self) -> list[TokenRow]:
        """Return who holds tokens, by name."""
        return [TokenRow(*row) for row in await self._all(f"{_TOKENS} ORDER BY name", ())]

    async def audit(self, limit: int, before: int | None) -> list[AuditRow]:
        """Return what people did, newest first, with numbers below ``before``."""
        sql = "SELECT * FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT ?"
        rows = await self._all(sql, (before if before is not None else 1 << 62, limit))
        return [_audit(row) for row in rows]

    async def _all(self, sql: str, parameters: tuple[Any, ...]) -> list[Any]:
        return await self.ask(lambda db: db.execute(sql, parameters).fetchall())

    async def ask(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Return the answer of a question put to the store, on the reading thread. Raises JournalError, as all here."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._on_thread, question)

    def _on_thread(self, question: Callable[[sqlite3.Connection], Any]) -> Any:
        if self._db is None:
            self._db = connect(self._path, read_only=True)
        try:
            return question(self._db)
        except sqlite3.Error as error:
            raise JournalError(f"the journal cannot be read: {error}", trouble_of(error)) from error


def token_hash(token: str) -> bytes:
    """Hash a token. It has 256 random bits, so a fast hash is as good as a slow one."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def add_token(db: sqlite3.Connection, name: str, role: str, token: str, at: Instant) -> None:
    """Store a token in the place of the one that ``name`` had."""
    put_token(db, name, role, token, at)
    add_audit(db, at, "console", "add_token", {"role": role}, target=name)


def put_token(db: sqlite3.Connection, name: str, role: str, token: str, at: Instant) -> None:
    """Store a token in the place of the one that ``name`` had; sessions opened with that one are over."""
    db.execute(
        "INSERT OR REPLACE INTO tokens (name, role, hash, created_at) VALUES (?, ?, ?, ?)",
        (name, role, token_hash(token), at),
    )


def drop_token(db: sqlite3.Connection, number: int) -> str | None:
    """Revoke a token; return whose it was."""
    row = db.execute("DELETE FROM tokens WHERE id = ? RETURNING name", (number,)).fetchone()
    return None if row is None else str(row[0])


def add_audit(
    db: sqlite3.Connection,
    at: Instant,
    actor: str,
    action: str,
    body: dict[str, Any],
    *,
    address: str = "",
    target: str = "",
    outcome: str = "done",
) -> None:
    """Record what a person did."""
    db.execute(
        "INSERT INTO audit (at, actor, action, body, address, target, outcome) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (at, actor, action, msgspec.json.encode(body).decode(), address, target, outcome),
    )


def _audit(row: Any) -> AuditRow:
    seq, at, actor, action, body, *rest = row
    return AuditRow(seq, at, actor, action, msgspec.json.decode(body), *rest)


def _activation(row: Any) -> ActivationRow:
    name, rule, zone, opened_at, late_by, cleared_at, reason, trace = row
    witnesses = msgspec.json.decode(trace, type=tuple[Witness, ...])
    return ActivationRow(name, rule, zone, opened_at, late_by, cleared_at, reason, witnesses)


def _incident(row: Any) -> IncidentRow:
    return IncidentRow(*row)


def _handover(row: Any) -> HandoverRow:
    number, at, giver, note, body, taken_at, taker = row
    return HandoverRow(number, at, giver, note, msgspec.json.decode(body, type=Briefing), taken_at, taker)


def _evidence(row: Any) -> Evidence:
    name, activation, command, *rest = row
    return Evidence(name, ActivationId(activation), CommandKey(command), *rest)
