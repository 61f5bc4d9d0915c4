"""The figures of a report over a period: alarms and how people judged them, lanes, devices (DOMAIN.md, section D).

Alarms are counted in the period in which they began, with what is known of them now: a report of a month gets better
while people judge what happened in it.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import msgspec

from hub.journal.history import History
from hub.journal.measures import People, Round, Span, people
from hub.journal.spans import Sums, groups_of, sums
from hub.journal.spread import Spread, spread
from hub.journal.store import FILE, connect
from hub.model.decision import Witness
from hub.model.ids import EntityId
from hub.model.incident import Verdict
from hub.model.site import Role
from hub.model.time import Instant

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path


class Scope(msgspec.Struct, frozen=True):
    """What the site says of the entities, for a journal that knows only their names."""

    lanes: dict[str, frozenset[EntityId]] = {}
    """Fire lane → what tells of vehicles in it."""
    bays: dict[str, frozenset[EntityId]] = {}
    """One entity each: a bay is what one sensor sees."""
    doors: dict[str, frozenset[EntityId]] = {}
    """Zone with doors → what tells of them."""
    devices: dict[str, frozenset[EntityId]] = {}
    """Device → its entities that say something."""
    lifts: frozenset[str] = frozenset()
    """Zones in which an e-bike is an attempt to take one up."""
    points: dict[str, frozenset[EntityId]] = {}
    """Zone with patrol points → what tells that one was read."""
    rounds: dict[str, tuple[Round, ...]] = {}
    """Zone → the rounds of the period that its rules ask for."""


class Judged(msgspec.Struct, frozen=True):
    """Alarms of one rule, zone or device, by the verdict of people; nobody has judged the rest."""

    name: str
    alarms: int
    valid: int
    """Resolved, or given to be repaired."""
    false: int

    @property
    def unreviewed(self) -> int:
        """How many nobody has judged yet."""
        return self.alarms - self.valid - self.false


class Blocked(msgspec.Struct, frozen=True):
    """How long vehicles stood in a lane or bay, in microseconds, as far as its sensors could be trusted."""

    name: str
    blocked: int
    known: int
    """How long any of its sensors was trusted."""


class Availability(msgspec.Struct, frozen=True):
    """How long a device was trusted, of the microseconds in which the hub ran and had heard it before."""

    name: str
    good: int
    known: int

    @property
    def share(self) -> float | None:
        """0 to 1; None where it was never heard."""
        return self.good / self.known if self.known else None


class Attempts(msgspec.Struct, frozen=True):
    """How often an e-bike came into a lift."""

    name: str
    count: int


class Kept(msgspec.Struct, frozen=True):
    """What evidence there is of one zone, whatever the period."""

    name: str
    files: int
    oldest: Instant


class Figures(msgspec.Struct, frozen=True):
    """All figures of one period."""

    total: Judged
    rules: tuple[Judged, ...]
    zones: tuple[Judged, ...]
    devices: tuple[Judged, ...]
    """By what decided: an alarm that two devices confirmed counts for both."""
    answered: Spread
    closed: Spread
    escalations: int
    lanes: tuple[Blocked, ...]
    bays: tuple[Blocked, ...]
    """Those that were blocked at all, the longest first."""
    ebikes: tuple[Attempts, ...]
    availability: tuple[Availability, ...]
    """The worst first; those that were never heard last."""
    down: int
    """Microseconds of the period in which the hub did not run; they count for no device and no lane."""
    doors: tuple[Blocked, ...] = ()
    """How long doors stood open."""
    evidence: tuple[Kept, ...] = ()
    """The zones with evidence, those with the least history first."""
    viewed: int = 0
    """Files of evidence that people looked at in the period."""
    exported: int = 0
    """Signed packages that they made."""
    begun: Spread = Spread(0, None, None)
    """Until somebody said that he begins (开始处理)."""
    people: People = People()


class _Alarm(msgspec.Struct, frozen=True):
    rule: str
    zone: str
    opened_at: int
    answered_at: int | None
    closed_at: int | None
    verdict: str | None
    trace: str


_ALARMS = (
    "SELECT i.rule, i.zone, i.opened_at, i.answered_at, i.closed_at, i.verdict, coalesce(a.trace, '[]') "
    "FROM incidents i LEFT JOIN activations a ON a.id = i.activation "
    "WHERE i.opened_at >= ? AND i.opened_at < ? ORDER BY i.id"
)
_ESCALATIONS = (
    "SELECT count(*) FROM incidents i JOIN events e ON e.activation = i.activation "
    "WHERE e.kind = 'escalated' AND i.opened_at >= ? AND i.opened_at < ?"
)
_BEGUN = (
    "SELECT i.opened_at, min(e.at) FROM incidents i JOIN events e ON e.activation = i.activation "
    "WHERE e.kind = 'handling' AND json_extract(e.body, '$.state') = 'in_progress' "
    "AND i.opened_at >= ? AND i.opened_at < ? GROUP BY i.id"
)
_ACTIVATIONS = (
    "SELECT zone, opened_at, coalesce(cleared_at, ?), trace FROM activations "
    "WHERE opened_at >= ? AND opened_at < ? ORDER BY opened_at"
)

_KEPT = (
    "SELECT a.zone, count(*), min(e.at) FROM evidence e JOIN activations a ON a.id = e.activation "
    "GROUP BY a.zone ORDER BY min(e.at) DESC, a.zone"
)
_LOOKED = "SELECT count(*) FROM audit WHERE action = ? AND outcome = 'done' AND at >= ? AND at < ?"


def figures(
    folder: Path,
    scope: Scope,
    begin: Instant,
    end: Instant,
    now: Instant,
    progress: Callable[[float], None] = lambda part: None,
) -> Figures:
    """Ask the journal in ``folder``, on connections of its own; slow for a long period: hub.web.tally does it.

    What lies after ``now`` has not happened; ``progress`` hears of the part that is done, 0 to 1. Raises JournalError
    where there is no journal.
    """
    until = Instant(max(begin, min(end, now)))
    with closing(connect(folder / FILE, read_only=True)) as db:
        alarms = [_Alarm(*row) for row in db.execute(_ALARMS, (begin, end))]
        (escalations,) = db.execute(_ESCALATIONS, (begin, end)).fetchone()
        ebikes = _attempts(db, scope.lifts, begin, end)
        begun = spread(at - opened for opened, at in db.execute(_BEGUN, (begin, end)))
        kept = tuple(Kept(zone, files, Instant(oldest)) for zone, files, oldest in db.execute(_KEPT))
        handled = people(db, scope.points, scope.rounds, scope.lifts, Span(begin, end, until))
        viewed, exported = (
            int(db.execute(_LOOKED, (action, begin, end)).fetchone()[0]) for action in ("evidence", "export")
        )
    owners = {entity: name for name, entities in scope.devices.items() for entity in entities}
    with closing(History(folder)) as history:
        found, down = sums(
            history, groups_of(scope.lanes, scope.bays, scope.doors, scope.devices), begin, until, progress
        )
    heard = [
        Availability(name, found[names].good, found[names].known) for name, names in scope.devices.items() if names
    ]
    return Figures(
        total=_judged("", alarms),
        rules=_by((alarm.rule, alarm) for alarm in alarms),
        zones=_by((alarm.zone, alarm) for alarm in alarms),
        devices=_by((name, alarm) for alarm in alarms for name in _deciders(alarm.trace, owners)),
        answered=spread(a.answered_at - a.opened_at for a in alarms if a.answered_at is not None),
        closed=spread(a.closed_at - a.opened_at for a in alarms if a.closed_at is not None),
        escalations=escalations,
        lanes=_blocked(scope.lanes, found),
        bays=tuple(bay for bay in _blocked(scope.bays, found) if bay.blocked),
        ebikes=ebikes,
        availability=tuple(sorted(heard, key=lambda one: (2.0 if one.share is None else one.share, one.name))),
        down=down,
        doors=_blocked(scope.doors, found),
        evidence=kept,
        viewed=viewed,
        exported=exported,
        begun=begun,
        people=handled,
    )


def noise(db: sqlite3.Connection, owners: Mapping[EntityId, str], begin: Instant, end: Instant) -> tuple[Judged, ...]:
    """Count the alarms of each device, and how people judged them; ``owners`` names the device of an entity."""
    alarms = [_Alarm(*row) for row in db.execute(_ALARMS, (begin, end))]
    return _by((name, alarm) for alarm in alarms for name in _deciders(alarm.trace, owners))


def _judged(name: str, alarms: list[_Alarm]) -> Judged:
    judged = [alarm.verdict for alarm in alarms if alarm.verdict is not None]
    false = sum(verdict == Verdict.FALSE_ALARM for verdict in judged)
    return Judged(name, len(alarms), len(judged) - false, false)


def _by(named: Iterable[tuple[str, _Alarm]]) -> tuple[Judged, ...]:
    """Count by name, the most alarms first."""
    groups: dict[str, list[_Alarm]] = {}
    for name, alarm in named:
        groups.setdefault(name, []).append(alarm)
    found = (_judged(name, alarms) for name, alarms in groups.items())
    return tuple(sorted(found, key=lambda one: (-one.alarms, one.name)))


def _witnesses(trace: str) -> tuple[Witness, ...]:
    return msgspec.json.decode(trace, type=tuple[Witness, ...])


def _deciders(trace: str, owners: Mapping[EntityId, str]) -> set[str]:
    """Return the devices whose readings made a rule fire; an entity that is gone stands for itself."""
    return {
        owners.get(seen.entity, str(seen.entity))
        for seen in _witnesses(trace)
        if seen.entity is not None and seen.holds
    }


def _blocked(
    places: Mapping[str, frozenset[EntityId]], found: Mapping[frozenset[EntityId], Sums]
) -> tuple[Blocked, ...]:
    """Return how long each place was blocked, the longest first; one without a sensor was never seen."""
    rows = [Blocked(name, found[names].active, found[names].good) if names else Blocked(name, 0, 0)
            for name, names in places.items()]  # fmt: skip
    return tuple(sorted(rows, key=lambda one: (-one.blocked, one.name)))


def _attempts(db: sqlite3.Connection, lifts: frozenset[str], begin: Instant, end: Instant) -> tuple[Attempts, ...]:
    """Count e-bikes by lift: what several rules say of one at the same time is one attempt."""
    counts = dict.fromkeys(sorted(lifts), 0)
    until: dict[str, int] = {}
    for zone, opened, cleared, trace in db.execute(_ACTIVATIONS, (end, begin, end)):
        if zone in lifts and any(seen.role is Role.EBIKE and seen.holds for seen in _witnesses(trace)):
            counts[zone] += opened >= until.get(zone, 0)
            until[zone] = max(cleared, until.get(zone, 0))
    return tuple(Attempts(zone, count) for zone, count in counts.items())
