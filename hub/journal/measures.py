"""Figures of a report about people: how alarms ended, who was told, who came, which rounds were walked (DOMAIN.md, D).

Each is a count of facts that the journal has; what no fact says is None and is not estimated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from hub.journal.spread import Spread, spread
from hub.model.ids import EntityId
from hub.model.incident import CommandStatus, Verdict
from hub.model.reading import Alarm
from hub.model.site import Role
from hub.model.time import Instant

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

Places = dict[str, frozenset[EntityId]]


class Round(msgspec.Struct, frozen=True):
    """One round of a patrol: the point is to be read from ``begin`` until before ``end``."""

    begin: Instant
    end: Instant


class Ended(msgspec.Struct, frozen=True):
    """How the alarms of a period ended, by the word of a person; None: nobody has said."""

    verdict: Verdict | None
    count: int


class Told(msgspec.Struct, frozen=True):
    """What one contact was told, and how soon somebody answered after it."""

    contact: str
    notices: int
    delivered: int
    answered: Spread
    """From the first notice of an alarm to this contact until a person first acted on it."""


class Patrol(msgspec.Struct, frozen=True):
    """What became of the rounds of one zone that are over; those before the point was ever heard of are none."""

    name: str
    due: int
    made: int


class Turned(msgspec.Struct, frozen=True):
    """E-bikes in one lift: those for which its door was held, and those that were gone before it was let go."""

    name: str
    held: int
    gone: int


class Filmed(msgspec.Struct, frozen=True):
    """What evidence there is of one camera; ``oldest_video`` None where no clip is left."""

    name: str
    files: int
    oldest_video: Instant | None


class People(msgspec.Struct, frozen=True):
    """All of it, for one period."""

    on_site: Spread | None = None
    """Until a patrol point of the zone was read; None where the site has no such point."""
    ended: tuple[Ended, ...] = ()
    told: tuple[Told, ...] = ()
    patrols: tuple[Patrol, ...] = ()
    turned: tuple[Turned, ...] = ()
    filmed: tuple[Filmed, ...] = ()


class Span(NamedTuple):
    """A period, and how much of it has passed."""

    begin: Instant
    end: Instant
    until: Instant


_ENDED = "SELECT verdict, count(*) FROM incidents WHERE opened_at >= ? AND opened_at < ? GROUP BY verdict"
_TOLD = (
    "SELECT json_extract(c.body, '$.action.contact'), c.at, c.status, c.activation, i.answered_at "
    "FROM commands c LEFT JOIN incidents i ON i.activation = c.activation "
    "WHERE json_extract(c.body, '$.action.type') = 'notify' AND c.at >= ? AND c.at < ? ORDER BY c.at"
)
_CAME = "SELECT min(at) FROM readings WHERE entity = ? AND at >= ? AND at < ? AND value = ?"
_OPEN = (
    "SELECT zone, opened_at, coalesce(closed_at, ?) FROM incidents WHERE opened_at >= ? AND opened_at < ? ORDER BY id"
)
_FIRST = "SELECT min(at) FROM readings WHERE entity = ?"
#: A relay that is held lets go by itself; an e-bike that is seen no more before that went out by the door it came in.
_HELD = (
    "SELECT a.zone, min(c.at), max(c.at + json_extract(c.body, '$.action.hold')), a.cleared_at, a.reason "
    "FROM commands c JOIN activations a ON a.id = c.activation "
    "WHERE json_extract(c.body, '$.action.type') = 'switch' AND json_extract(c.body, '$.action.role') = ? "
    "AND c.status = ? AND a.opened_at >= ? AND a.opened_at < ? GROUP BY a.id"
)
_FILMED = (
    "SELECT json_extract(o.body, '$.detail.entity') AS camera, count(*), "
    "min(CASE WHEN e.media_type LIKE 'video/%' THEN e.at END) "
    "FROM evidence e JOIN events o ON o.activation = e.activation AND o.kind = 'outcome' "
    "AND json_extract(o.body, '$.evidence.id') = e.id "
    "WHERE camera IS NOT NULL GROUP BY camera ORDER BY camera"
)


def people(
    db: sqlite3.Connection, points: Places, rounds: Mapping[str, Iterable[Round]], lifts: frozenset[str], span: Span
) -> People:
    """Measure a period; ``points`` and ``rounds`` by zone."""
    begin, end, until = span
    return People(
        on_site(db, points, span), ended(db, begin, end), told(db, begin, end), patrols(db, points, rounds, until),
        turned_back(db, lifts, begin, end), filmed(db),
    )  # fmt: skip


def ended(db: sqlite3.Connection, begin: Instant, end: Instant) -> tuple[Ended, ...]:
    """Count the alarms that began in the period by how a person closed them, every verdict, and none."""
    counts = dict(db.execute(_ENDED, (begin, end)))
    return tuple(Ended(verdict, counts.get(verdict, 0)) for verdict in (*Verdict, None))


def told(db: sqlite3.Connection, begin: Instant, end: Instant) -> tuple[Told, ...]:
    """Say of each contact what it was told in the period."""
    notices: dict[str, list[bool]] = {}
    first: dict[tuple[str, str], int | None] = {}
    for contact, at, status, activation, answered_at in db.execute(_TOLD, (begin, end)):
        notices.setdefault(contact, []).append(status == CommandStatus.DONE)
        # who was told after somebody had acted did not make him act
        waited = None if answered_at is None or answered_at < at else answered_at - at
        first.setdefault((contact, activation), waited)
    return tuple(
        Told(contact, len(done), sum(done),
             spread(waited for (name, _), waited in first.items() if name == contact and waited is not None))
        for contact, done in sorted(notices.items())
    )  # fmt: skip


def on_site(db: sqlite3.Connection, points: Places, span: Span) -> Spread | None:
    """Measure from alarms until a checkpoint of their zone was read before they ended; None where no zone has any."""
    if not points:
        return None
    waits = []
    for zone, opened, closed in db.execute(_OPEN, (span.until, span.begin, span.end)):
        came = _first_read(db, points.get(zone, frozenset()), opened, closed)
        waits += [] if came is None else [came - opened]
    return spread(waits)


def patrols(
    db: sqlite3.Connection, points: Places, rounds: Mapping[str, Iterable[Round]], until: Instant
) -> tuple[Patrol, ...]:
    """Count the rounds that are over by ``until``, and those on which a point of the zone was read."""
    found = []
    for zone, wanted in sorted(rounds.items()):
        names = points.get(zone, frozenset())
        heard = min((at for name in names for (at,) in db.execute(_FIRST, (name,)) if at is not None), default=until)
        due = [one for one in wanted if heard < one.end <= until]
        made = sum(_first_read(db, names, one.begin, one.end) is not None for one in due)
        found.append(Patrol(zone, len(due), made))
    return tuple(found)


def turned_back(db: sqlite3.Connection, lifts: frozenset[str], begin: Instant, end: Instant) -> tuple[Turned, ...]:
    """Count, of each lift whose door was ever held in the period, the e-bikes that left before it was let go."""
    counts: dict[str, list[bool]] = {}
    for zone, _, let_go, cleared_at, reason in db.execute(_HELD, (Role.DOOR_HOLD, CommandStatus.DONE, begin, end)):
        if zone in lifts:
            gone = cleared_at is not None and reason == "cleared" and cleared_at <= let_go
            counts.setdefault(zone, []).append(gone)
    return tuple(Turned(zone, len(gone), sum(gone)) for zone, gone in sorted(counts.items()))


def filmed(db: sqlite3.Connection) -> tuple[Filmed, ...]:
    """Say what evidence there is of each camera, whatever the period."""
    return tuple(
        Filmed(name, files, None if oldest is None else Instant(oldest)) for name, files, oldest in db.execute(_FILMED)
    )


def _first_read(db: sqlite3.Connection, points: frozenset[EntityId], begin: int, end: int) -> int | None:
    reads = (db.execute(_CAME, (name, begin, end, Alarm.ACTIVE)).fetchone()[0] for name in points)
    return min((at for at in reads if at is not None), default=None)
