"""Which pictures and clips the hub kept of a place near a moment, whatever they were taken for."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import msgspec

from hub.model.entry import Evidence
from hub.model.ids import ActivationId, CommandKey, ZoneId
from hub.model.time import HOUR, MINUTE, Instant

if TYPE_CHECKING:
    import sqlite3

#: A picture belongs to a moment from so long before until so long after it; so many of each moment, the nearest.
BEFORE, AFTER, MOST = HOUR, 10 * MINUTE, 3
_SQL = (
    "SELECT a.zone, i.id, e.id, e.activation, e.command, e.path, e.media_type, e.sha256, e.size, e.at "
    "FROM evidence e JOIN activations a ON a.id = e.activation LEFT JOIN incidents i ON i.activation = a.id "
    "WHERE e.at >= ? AND e.at < ? AND (e.media_type LIKE 'image/%' OR e.media_type LIKE 'video/%') ORDER BY e.at"
)


class Kept(msgspec.Struct, frozen=True):
    """One picture, and the incident that it is of."""

    evidence: Evidence
    incident: int | None


class Album:
    """The pictures of a span by zone, read once."""

    def __init__(self, db: sqlite3.Connection, begin: Instant, end: Instant) -> None:
        """Read what moments from ``begin`` to ``end`` may have."""
        self._zones: dict[ZoneId, list[Kept]] = {}
        for zone, incident, name, activation, command, *rest in db.execute(_SQL, (begin - BEFORE, end + AFTER)):
            kept = Kept(Evidence(name, ActivationId(activation), CommandKey(command), *rest), incident)
            self._zones.setdefault(ZoneId(zone), []).append(kept)

    def near(self, zone: ZoneId, since: Instant, at: Instant) -> tuple[Kept, ...]:
        """Return the pictures of ``zone`` nearest to ``at``, oldest first: none from before ``since``."""
        listed = self._zones.get(zone, [])
        first = bisect_left(listed, max(since, at - BEFORE), key=lambda kept: kept.evidence.at)
        last = bisect_left(listed, at + AFTER, key=lambda kept: kept.evidence.at)
        nearest = sorted(listed[first:last], key=lambda kept: abs(kept.evidence.at - at))[:MOST]
        return tuple(sorted(nearest, key=lambda kept: kept.evidence.at))
