"""When the hub itself listened: a device that speaks while the hub is down is not silent, only not heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.model.entry import ClockJump, Started
from hub.model.time import DAY, Duration, Instant

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The longest silence that a rule can ask for (hub.engine.parse_terms): what lies further back changes no answer.
LONGEST = 7 * DAY
#: Most absences kept: a hub that is started again and again must not fill its memory. The earliest are forgotten.
MOST = 1_000

#: The times at which the hub was away, in their order.
Absences = tuple[Started, ...]


def started(absences: Absences, event: Started) -> Absences:
    """Return the absences with one more; those after which the hub has listened for ``LONGEST`` are forgotten."""
    if event.since >= event.at:
        return absences
    kept = [event]
    listened = 0
    for earlier in reversed(absences):
        listened += max(0, kept[-1].since - earlier.at)
        if listened >= LONGEST or len(kept) >= MOST:
            break
        kept.append(earlier)
    return tuple(reversed(kept))


def jumped(absences: Absences, by: int) -> Absences:
    """Return the absences as a clock tells of them that has moved by ``by`` microseconds."""
    return tuple(
        msgspec.structs.replace(away, since=Instant(away.since + by), at=Instant(away.at + by)) for away in absences
    )


def deaf(absences: Absences, since: Instant) -> Duration:
    """Return for how long the hub was away since ``since``, in microseconds."""
    total = 0
    for away in reversed(absences):
        if away.at <= since:
            break
        total += away.at - max(away.since, since)
    return Duration(total)


def remembered(turns: Iterable[Started | ClockJump]) -> Absences:
    """Return the absences that the journal tells of, as the clock stands after all of ``turns``."""
    found: Absences = ()
    for turn in turns:
        found = started(found, turn) if isinstance(turn, Started) else jumped(found, turn.by)
    return found
