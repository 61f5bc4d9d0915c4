"""When somebody was listened to: a device that speaks while the hub or its link is away is only not heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.model.entry import ClockJump, LinkBack, LinkLost, Started
from hub.model.time import DAY, Duration, Instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Set

#: The longest silence that a rule can ask for (hub.engine.parse_terms): what lies further back changes no answer.
LONGEST = 7 * DAY
#: Most absences kept: a hub that is started again and again must not fill its memory. The earliest are forgotten.
MOST = 1_000


class Absence(msgspec.Struct, frozen=True, omit_defaults=True):
    """From ``since`` to ``at`` nobody was heard, or nobody of some integrations."""

    at: Instant | None
    """None while it lasts."""
    since: Instant
    integrations: tuple[str, ...] = ()
    """Whose link was away; empty where the hub itself was, and heard nobody."""

    def concerns(self, integrations: Set[str]) -> bool:
        """Tell whether it kept all of these from being heard."""
        return not self.integrations or integrations <= set(self.integrations)


#: The times at which the hub or its link was away, in their order; none overlaps another.
Absences = tuple[Absence, ...]
#: What moves them.
Moves = Started | LinkLost | LinkBack | ClockJump


def heard(absences: Absences, event: Started | LinkLost | LinkBack) -> Absences:
    """Return the absences after ``event``. A hub that starts does not know yet whether its link is there."""
    match event:
        case Started():
            before = _ended(absences, event.since)
            return before if event.since >= event.at else _kept(before, Absence(event.at, event.since))
        case LinkLost():
            return absences if lasts(absences) else _kept(absences, Absence(None, event.at, event.integrations))
        case LinkBack():
            return _ended(absences, event.at)


def lasts(absences: Absences) -> bool:
    """Tell whether the link is away now."""
    return bool(absences) and absences[-1].at is None


def jumped(absences: Absences, by: int) -> Absences:
    """Return the absences as a clock tells of them that has moved by ``by`` microseconds."""
    return tuple(
        msgspec.structs.replace(
            away, since=Instant(away.since + by), at=None if away.at is None else Instant(away.at + by)
        )
        for away in absences
    )


def deaf(absences: Absences, since: Instant, now: Instant, integrations: Set[str]) -> Duration:
    """Return for how long nobody of ``integrations`` could be heard from ``since`` to ``now``, in microseconds."""
    total = 0
    for away in reversed(absences):
        end = now if away.at is None else away.at
        if end <= since:
            break
        if away.concerns(integrations):
            total += end - max(away.since, since)
    return Duration(total)


def remembered(turns: Iterable[Moves]) -> Absences:
    """Return the absences that the journal tells of, as the clock stands after all of ``turns``."""
    found: Absences = ()
    for turn in turns:
        found = jumped(found, turn.by) if isinstance(turn, ClockJump) else heard(found, turn)
    return found


def _ended(absences: Absences, at: Instant) -> Absences:
    """End the absence that lasts, if one does."""
    if not lasts(absences):
        return absences
    last = absences[-1]
    if at <= last.since:
        return absences[:-1]
    return (*absences[:-1], msgspec.structs.replace(last, at=at))


def _kept(absences: Absences, fresh: Absence) -> Absences:
    """Return the absences with one more; those after which the hub has listened for ``LONGEST`` are forgotten."""
    kept = [fresh]
    listened = 0
    for earlier in reversed(absences):
        listened += max(0, kept[-1].since - (earlier.at or kept[-1].since))
        if listened >= LONGEST or len(kept) >= MOST:
            break
        kept.append(earlier)
    return tuple(reversed(kept))
