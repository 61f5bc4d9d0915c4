"""What people do at the duty desk: each step is decided and kept in one transaction of the journal's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.journal.queries import add_audit
from hub.journal.tickets import add_ticket
from hub.model.incident import Handling, IncidentState, Verdict, may_follow

if TYPE_CHECKING:
    import sqlite3

    from hub.journal.store import Journal
    from hub.model.roster import Briefing, Roster
    from hub.model.time import Instant


async def handle(journal: Journal, handling: Handling, seen: IncidentState) -> bool:
    """Take a step with an incident that the person saw in the state ``seen``.

    False when it stands elsewhere by now (somebody else was faster, or its rule closed it) or cannot be handled so;
    then nothing is written. All writers share one thread, so of two people at once exactly one gets True.
    """
    taken = False

    def job(db: sqlite3.Connection) -> None:
        nonlocal taken
        taken = _handle(db, handling, seen)

    await journal.execute(job)
    return taken


def _handle(db: sqlite3.Connection, handling: Handling, seen: IncidentState) -> bool:
    row = db.execute("SELECT id, state, verdict FROM incidents WHERE activation = ?", (handling.activation,)).fetchone()
    if row is None:
        return False
    number, state, verdict = row[0], IncidentState(row[1]), None if row[2] is None else Verdict(row[2])
    if state is not seen or not may_follow(state, verdict, handling):
        return False
    closes = handling.state is IncidentState.CLOSED
    db.execute(
        "UPDATE incidents SET state = ?, handler = ?, answered_at = coalesce(answered_at, ?), verdict = ?, note = ?, "
        "closed_at = coalesce(closed_at, ?) WHERE id = ?",
        (
            handling.state, handling.by, handling.at, handling.verdict, handling.note,
            handling.at if closes else None, number,
        ),
    )  # fmt: skip
    body = msgspec.to_builtins(handling)
    db.execute(
        "INSERT INTO events (at, kind, activation, body) VALUES (?, 'handling', ?, ?)",
        (handling.at, handling.activation, msgspec.json.encode(body).decode()),
    )
    add_audit(db, handling.at, handling.by, "handle", body, target=str(number))
    if handling.verdict is Verdict.REPAIR:  # in the same transaction: what is to be repaired is never forgotten
        add_ticket(db, "", number, handling.note, handling.by, handling.at)
    return True


async def keep_roster(journal: Journal, roster: Roster, seen: int, by: str, at: Instant) -> int | None:
    """Keep a new version of the on-call list in the place of version ``seen``; return its number.

    None when somebody has changed it meanwhile; then nothing is written.
    """
    kept: int | None = None

    def job(db: sqlite3.Connection) -> None:
        nonlocal kept
        (last,) = db.execute("SELECT coalesce(max(version), 0) FROM rosters").fetchone()
        if last != seen:
            return
        row = (at, by, msgspec.json.encode(roster).decode())
        kept = db.execute("INSERT INTO rosters (at, by, body) VALUES (?, ?, ?)", row).lastrowid
        add_audit(db, at, by, "change_roster", {"version": kept})

    await journal.execute(job)
    return kept


async def hand_over(journal: Journal, briefing: Briefing, giver: str, note: str, by: str, at: Instant) -> int:
    """Keep what a shift leaves behind; return its number."""
    number = 0

    def job(db: sqlite3.Connection) -> None:
        nonlocal number
        row = (at, giver, note, msgspec.json.encode(briefing).decode())
        number = db.execute("INSERT INTO handovers (at, giver, note, body) VALUES (?, ?, ?, ?)", row).lastrowid or 0
        add_audit(db, at, by, "give", {"giver": giver}, target=str(number))

    await journal.execute(job)
    return number


async def take_over(journal: Journal, number: int, taker: str, by: str, at: Instant) -> bool:
    """Note who took a shift over; False when somebody did already, or there is no such hand-over."""
    taken = False

    def job(db: sqlite3.Connection) -> None:
        nonlocal taken
        sql = "UPDATE handovers SET taken_at = ?, taker = ? WHERE id = ? AND taken_at IS NULL"
        taken = db.execute(sql, (at, taker, number)).rowcount == 1
        if taken:
            add_audit(db, at, by, "take", {"taker": taker}, target=str(number))

    await journal.execute(job)
    return taken
