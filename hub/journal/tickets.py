"""Maintenance tickets: what must be repaired, by whom, and who said that it is done; each change in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.journal.queries import add_audit
from hub.model.time import Instant

if TYPE_CHECKING:
    import sqlite3

    from hub.journal.store import Journal


class Ticket(msgspec.Struct, frozen=True):
    """One thing to repair."""

    id: int
    device: str
    """``<integration>/<name>``; empty while nobody has said which."""
    incident: int | None
    """The incident that was closed for repair."""
    opened_at: Instant
    opened_by: str
    note: str
    assigned: str
    done_at: Instant | None
    done_by: str
    candidate: int | None = None
    """What a facade tour found (hub.journal.tour), where it was opened for that."""


def add_ticket(db: sqlite3.Connection, device: str, incident: int | None, note: str, by: str, at: Instant) -> int:
    """Open a ticket; return its number."""
    sql = "INSERT INTO tickets (device, incident, opened_at, opened_by, note) VALUES (?, ?, ?, ?, ?)"
    return db.execute(sql, (device, incident, at, by, note)).lastrowid or 0


async def open_ticket(journal: Journal, device: str, note: str, assigned: str, by: str, at: Instant) -> int:
    """Open a ticket by hand; return its number. Raises JournalError."""
    number = 0

    def job(db: sqlite3.Connection) -> None:
        nonlocal number
        number = add_ticket(db, device, None, note, by, at)
        db.execute("UPDATE tickets SET assigned = ? WHERE id = ?", (assigned, number))
        add_audit(db, at, by, "open_ticket", {"device": device, "assigned": assigned, "note": note}, target=str(number))

    await journal.execute(job)
    return number


async def change_ticket(journal: Journal, ticket: Ticket, by: str, at: Instant) -> bool:
    """Keep who shall do it, the note and the device; or that it is done. False for one that is done or unknown.

    A done ticket stays as it was: what is broken again is a new one. Raises JournalError.
    """
    changed = False

    def job(db: sqlite3.Connection) -> None:
        nonlocal changed
        sql = (
            "UPDATE tickets SET device = ?, note = ?, assigned = ?, done_at = ?, done_by = ? "
            "WHERE id = ? AND done_at IS NULL"
        )
        row = (ticket.device, ticket.note, ticket.assigned, ticket.done_at, ticket.done_by, ticket.id)
        changed = db.execute(sql, row).rowcount == 1
        if changed:
            body = {"device": ticket.device, "assigned": ticket.assigned, "done": ticket.done_at is not None,
                    "note": ticket.note}  # fmt: skip
            add_audit(db, at, by, "change_ticket", body, target=str(ticket.id))

    await journal.execute(job)
    return changed


def tickets(db: sqlite3.Connection, *, done: bool | None, device: str | None, limit: int, before: int) -> list[Ticket]:
    """Return tickets, newest first, with numbers below ``before``."""
    wanted = {None: "1", True: "done_at IS NOT NULL", False: "done_at IS NULL"}[done]
    sql = f"SELECT * FROM tickets WHERE {wanted} AND id < ? AND coalesce(?, device) = device ORDER BY id DESC LIMIT ?"  # noqa: S608 - fixed words
    return [Ticket(*row) for row in db.execute(sql, (before, device, limit))]


def ticket(db: sqlite3.Connection, number: int) -> Ticket | None:
    """Return one ticket."""
    row = db.execute("SELECT * FROM tickets WHERE id = ?", (number,)).fetchone()
    return None if row is None else Ticket(*row)


def to_do(db: sqlite3.Connection) -> dict[str, int]:
    """Count the tickets of each device that are not done."""
    return dict(db.execute("SELECT device, count(*) FROM tickets WHERE done_at IS NULL GROUP BY device").fetchall())
