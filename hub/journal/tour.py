"""The records of facade tours: what was seen, what differs, who said what of it; each change in one transaction.

Each look is a row of ``events`` with the hashes of its pictures, so that they are in the chain (hub.journal.chain).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from hub.journal.queries import add_audit
from hub.journal.tickets import add_ticket
from hub.model.time import Instant
from hub.model.tour import Box, Candidate, Look, Mark, Outcome, Reference, TourPicture

if TYPE_CHECKING:
    import sqlite3

#: Kind of the events that looks leave.
LOOKED = "tour_looked"
#: What came of a look that was compared with the accepted picture.
COMPARED = (Outcome.SAME, Outcome.DIFFERS)
_CANDIDATE = "id, stop, at, seen_at, box, before, after, state, judged_at, judged_by, ticket"


class Shot(msgspec.Struct, frozen=True):
    """A picture that lies on the disk and is not recorded yet."""

    path: str
    media_type: str
    sha256: str
    size: int


class Difference(msgspec.Struct, frozen=True):
    """Something that differs, with its cut-outs."""

    box: Box
    before: Shot
    after: Shot


class Seen(msgspec.Struct, frozen=True):
    """What one look brought."""

    stop: str
    at: Instant
    outcome: Outcome
    reason: str = ""
    found: int = 0
    """How many places differ."""
    picture: Shot | None = None
    differences: tuple[Difference, ...] = ()
    """Those that are new."""
    again: tuple[int, ...] = ()
    """Candidates that were known and are still there."""

    @property
    def beyond(self) -> int:
        """How many places are not kept, as there are too many."""
        return self.found - len(self.differences) - len(self.again)


class _Cutouts(msgspec.Struct, frozen=True):
    before: tuple[int, str]
    after: tuple[int, str]


class _Looked(msgspec.Struct, frozen=True):
    """Of the body of an event ``LOOKED``: number and SHA-256 of each picture."""

    picture: tuple[int, str] | None = None
    differences: tuple[_Cutouts, ...] = ()


def begin_run(db: sqlite3.Connection, at: Instant, by: str) -> int:
    """Note that a tour begins; return its number."""
    return db.execute("INSERT INTO tour_runs (at, by) VALUES (?, ?)", (at, by)).lastrowid or 0


def end_run(db: sqlite3.Connection, run: int, at: Instant) -> None:
    """Note that a tour is over."""
    db.execute("UPDATE tour_runs SET ended_at = ? WHERE id = ?", (at, run))


def last_run(db: sqlite3.Connection) -> tuple[Instant, str, Instant | None] | None:
    """Return when the last tour began, by whom, and when it was over (None: it is not, or the hub was stopped)."""
    found: tuple[Instant, str, Instant | None] | None = db.execute(
        "SELECT at, by, ended_at FROM tour_runs ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return found


def add_look(db: sqlite3.Connection, run: int, seen: Seen) -> None:
    """Record a look: its pictures, and what differs that is not known already."""
    picture = None if seen.picture is None else _add_picture(db, seen.stop, seen.at, seen.picture)
    body = {
        "stop": seen.stop, "outcome": seen.outcome, "reason": seen.reason, "found": seen.found, "beyond": seen.beyond,
        "picture": None if seen.picture is None else [picture, seen.picture.sha256],
        "differences": _differences(db, seen),
    }  # fmt: skip
    db.execute(
        "INSERT INTO tour_looks (run, stop, at, outcome, reason, found, beyond, picture) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (run, seen.stop, seen.at, seen.outcome, seen.reason, seen.found, seen.beyond, picture),
    )
    text = msgspec.json.encode(body).decode()
    db.execute("INSERT INTO events (at, kind, body) VALUES (?, ?, ?)", (seen.at, LOOKED, text))


def _differences(db: sqlite3.Connection, seen: Seen) -> list[object]:
    """Keep what is new; what is open and was not seen again is gone, where the look could have shown it."""
    if seen.outcome not in COMPARED:
        return []
    told: list[object] = []
    for one in seen.differences:
        before, after = (_add_picture(db, seen.stop, seen.at, shot) for shot in (one.before, one.after))
        db.execute(
            "INSERT INTO tour_candidates (stop, at, seen_at, box, before, after) VALUES (?, ?, ?, ?, ?, ?)",
            (seen.stop, seen.at, seen.at, msgspec.json.encode(one.box).decode(), before, after),
        )
        told.append({"box": one.box, "before": [before, one.before.sha256], "after": [after, one.after.sha256]})
    marks = ", ".join("?" * len(seen.again))
    db.execute(f"UPDATE tour_candidates SET seen_at = ? WHERE id IN ({marks})", (seen.at, *seen.again))  # noqa: S608 - question marks only
    gone = "UPDATE tour_candidates SET state = ? WHERE stop = ? AND state = ? AND seen_at < ?"
    db.execute(gone, (Mark.GONE, seen.stop, Mark.OPEN, seen.at))
    return told


def hashes_of(body: str) -> list[tuple[str, str]]:
    """Return number and SHA-256 of each picture that an event of a look names."""
    said = msgspec.json.decode(body, type=_Looked)
    pairs = [said.picture, *(pair for each in said.differences for pair in (each.before, each.after))]
    return [(str(number), sha256) for number, sha256 in filter(None, pairs)]


def standing(db: sqlite3.Connection, stop: str) -> list[Candidate]:
    """Return the candidates that what is seen at their places is no news of: open, or judged since the reference."""
    reference = reference_of(db, stop)
    since = 0 if reference is None else reference.at
    return [
        one for one in candidates(db, stop)
        if one.state is Mark.OPEN or (one.judged_at is not None and one.judged_at > since)
    ]  # fmt: skip


def judge(db: sqlite3.Connection, number: int, mark: Mark, note: str, by: str, at: Instant) -> Candidate | None:
    """Keep what a person said of a candidate; None where there is none that is open.

    ``ticket`` opens a maintenance ticket. With the last open one of a stop, its newest picture is the accepted one:
    not while there is more than was kept, which nobody has seen yet.
    """
    found = candidate(db, number)
    if found is None or found.state is not Mark.OPEN:
        return None
    ticket = None
    if mark is Mark.TICKET:
        ticket = add_ticket(db, "", None, note, by, at)
        db.execute("UPDATE tickets SET candidate = ? WHERE id = ?", (number, ticket))
    db.execute(
        "UPDATE tour_candidates SET state = ?, judged_at = ?, judged_by = ?, ticket = ? WHERE id = ?",
        (mark, at, by, ticket, number),
    )
    body = {"stop": found.stop, "mark": mark, "ticket": ticket, "note": note}
    add_audit(db, at, by, "judge_candidate", body, target=str(number))
    if not any(other.state is Mark.OPEN for other in candidates(db, found.stop)):
        look = last_look(db, found.stop, COMPARED)
        if look is not None and look.picture is not None and not look.beyond:
            _refer(db, found.stop, look.picture, by, at)
    return candidate(db, number)


def accept(db: sqlite3.Connection, stop: str, number: int, by: str, at: Instant) -> bool:
    """Make the newest picture of a stop its accepted one; False where ``number`` is not the newest.

    What was open differs from a picture that no longer counts: it is gone.
    """
    newest = last_picture(db, stop)
    if newest is None or newest.id != number:
        return False
    db.execute("UPDATE tour_candidates SET state = ? WHERE stop = ? AND state = ?", (Mark.GONE, stop, Mark.OPEN))
    _refer(db, stop, number, by, at)
    add_audit(db, at, by, "accept_picture", {"picture": number}, target=stop)
    return True


def _refer(db: sqlite3.Connection, stop: str, picture: int, by: str, at: Instant) -> None:
    db.execute("INSERT OR REPLACE INTO tour_references VALUES (?, ?, ?, ?)", (stop, picture, at, by))


def _add_picture(db: sqlite3.Connection, stop: str, at: Instant, shot: Shot) -> int:
    sql = "INSERT INTO tour_pictures (stop, at, path, media_type, sha256, size) VALUES (?, ?, ?, ?, ?, ?)"
    return db.execute(sql, (stop, at, shot.path, shot.media_type, shot.sha256, shot.size)).lastrowid or 0


def reference_of(db: sqlite3.Connection, stop: str) -> Reference | None:
    """Return the accepted picture of a stop."""
    row = db.execute("SELECT * FROM tour_references WHERE stop = ?", (stop,)).fetchone()
    return None if row is None else Reference(*row)


def picture_of(db: sqlite3.Connection, number: int) -> TourPicture | None:
    """Return the record of a picture; None where it was erased."""
    row = db.execute("SELECT * FROM tour_pictures WHERE id = ?", (number,)).fetchone()
    return None if row is None else TourPicture(*row)


def last_picture(db: sqlite3.Connection, stop: str) -> TourPicture | None:
    """Return the newest whole picture of a stop that is still kept."""
    sql = (
        "SELECT p.* FROM tour_looks l JOIN tour_pictures p ON p.id = l.picture WHERE l.stop = ? "
        "ORDER BY l.id DESC LIMIT 1"
    )
    row = db.execute(sql, (stop,)).fetchone()
    return None if row is None else TourPicture(*row)


def last_look(db: sqlite3.Connection, stop: str, outcomes: tuple[Outcome, ...]) -> Look | None:
    """Return the newest look at a stop that came out so."""
    marks = ", ".join("?" * len(outcomes))
    sql = f"SELECT * FROM tour_looks WHERE stop = ? AND outcome IN ({marks}) ORDER BY id DESC LIMIT 1"  # noqa: S608 - question marks only
    row = db.execute(sql, (stop, *outcomes)).fetchone()
    if row is None:
        return None
    number, run, of, at, outcome, reason, found, beyond, picture = row
    return Look(number, run, of, at, Outcome(outcome), reason, found, beyond, picture)


def candidates(db: sqlite3.Connection, stop: str, limit: int = 200) -> list[Candidate]:
    """Return what differed at a stop, newest first."""
    sql = f"SELECT {_CANDIDATE} FROM tour_candidates WHERE stop = ? ORDER BY id DESC LIMIT ?"  # noqa: S608 - words of this module
    return [_candidate(row) for row in db.execute(sql, (stop, limit))]


def candidate(db: sqlite3.Connection, number: int) -> Candidate | None:
    """Return one candidate."""
    row = db.execute(f"SELECT {_CANDIDATE} FROM tour_candidates WHERE id = ?", (number,)).fetchone()  # noqa: S608 - as above
    return None if row is None else _candidate(row)


def _candidate(row: tuple[Any, ...]) -> Candidate:
    number, stop, at, seen_at, box, before, after, state, *rest = row
    return Candidate(number, stop, at, seen_at, msgspec.json.decode(box, type=Box), before, after, Mark(state), *rest)


def cutouts(db: sqlite3.Connection, numbers: list[int]) -> dict[int, tuple[int, int]]:
    """Return the pictures of candidates before and after."""
    marks = ", ".join("?" * len(numbers))
    rows = db.execute(f"SELECT id, before, after FROM tour_candidates WHERE id IN ({marks})", numbers)  # noqa: S608 - question marks only
    return {number: (before, after) for number, before, after in rows}


def begin_check(db: sqlite3.Connection, by: str, at: Instant) -> int:
    """Begin a check before a typhoon: no line is ticked."""
    number = db.execute("INSERT INTO tour_checks (at, by) VALUES (?, ?)", (at, by)).lastrowid or 0
    add_audit(db, at, by, "begin_tour_check", {}, target=str(number))
    return number


def last_check(db: sqlite3.Connection) -> tuple[int, Instant, str] | None:
    """Return number and begin of the last check, and who began it."""
    found: tuple[int, Instant, str] | None = db.execute("SELECT * FROM tour_checks ORDER BY id DESC LIMIT 1").fetchone()
    return found


def tick(db: sqlite3.Connection, check: int, stop: str, by: str, at: Instant) -> bool:
    """Say that a stop was looked at; False where somebody has said so already."""
    sql = "INSERT OR IGNORE INTO tour_ticks VALUES (?, ?, ?, ?)"
    if db.execute(sql, (check, stop, at, by)).rowcount != 1:
        return False
    add_audit(db, at, by, "tick_tour_check", {"check": check}, target=stop)
    return True


def ticks(db: sqlite3.Connection, check: int) -> dict[str, tuple[Instant, str]]:
    """Return when each stop of a check was ticked, and by whom."""
    rows = db.execute("SELECT stop, at, by FROM tour_ticks WHERE check_id = ?", (check,))
    return {stop: (at, by) for stop, at, by in rows}
