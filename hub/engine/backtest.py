"""What a rule would have done over recorded history, zone by zone, and how that differs from the rule it replaces."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from hub.model.decision import (
    Cleared,
    Command,
    Decision,
    Escalated,
    Opened,
    PendingDropped,
    Reason,
    Rehearsed,
    Say,
    Withheld,
)
from hub.model.ids import ActivationId, ZoneId
from hub.model.text import Text
from hub.model.time import Duration, Instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Life(msgspec.Struct, frozen=True):
    """One activation as it would have been."""

    zone: ZoneId
    activation: ActivationId
    since: Instant
    """When the trigger became true."""
    opened_at: Instant
    late_by: Duration
    """The worst of its opening and its steps."""
    cleared_at: Instant | None = None
    reason: Reason | None = None
    done: dict[str, int] = {}
    """How often it would have acted inside the span, by kind of action."""
    withheld: dict[str, int] = {}
    """How often it would have kept silent, by reason."""


class Drop(msgspec.Struct, frozen=True):
    """A ``for`` that began to run and did not become a warning."""

    zone: ZoneId
    at: Instant
    ran: Duration
    reason: Reason


class Said(msgspec.Struct, frozen=True):
    """A sentence, and how often it would have been spoken."""

    text: Text
    times: int


class ZoneResult(msgspec.Struct, frozen=True):
    """One zone. A life that had opened before the span is among them, as long as it went on into it."""

    zone: ZoneId
    lives: tuple[Life, ...]
    drops: tuple[Drop, ...]
    said: tuple[Said, ...]


class Comparison(msgspec.Struct, frozen=True):
    """Two rules over the same time; lives of the same zone that overlap are the same event."""

    only_new: tuple[Life, ...]
    only_old: tuple[Life, ...]
    both: tuple[Life, ...]
    """Those of the new rule."""


def summarise(zone: ZoneId, decisions: Iterable[Decision], begin: Instant) -> ZoneResult:
    """Tell the decisions of one zone as lives; what was before ``begin`` only says what was running then."""
    lives: dict[ActivationId, Life] = {}
    drops: list[Drop] = []
    said: Counter[Text] = Counter()
    for made in decisions:
        if isinstance(made, PendingDropped):
            if made.at >= begin:
                drops.append(Drop(zone, made.at, made.ran, made.reason))
        elif isinstance(made, Opened):
            lives[made.activation] = Life(zone, made.activation, made.since, made.at, made.late_by)
        elif isinstance(made, Escalated | Cleared | Command | Rehearsed | Withheld):
            lives[made.activation] = _after(lives[made.activation], made, counts=made.at >= begin)
            if isinstance(made, Command | Rehearsed) and isinstance(made.action, Say) and made.at >= begin:
                said[made.action.text] += 1
    kept = tuple(life for life in lives.values() if life.cleared_at is None or life.cleared_at >= begin)
    return ZoneResult(zone, kept, tuple(drops), tuple(Said(text, times) for text, times in said.most_common()))


def _after(life: Life, made: Escalated | Cleared | Command | Rehearsed | Withheld, *, counts: bool) -> Life:
    replace = msgspec.structs.replace
    match made:
        case Escalated():
            return replace(life, late_by=max(life.late_by, made.late_by)) if counts else life
        case Cleared():
            return replace(life, cleared_at=made.at, reason=made.reason)
        case Withheld():
            return replace(life, withheld=_more(life.withheld, str(made.reason))) if counts else life
        case Command() | Rehearsed():
            kind = str(made.action.__struct_config__.tag)
            return replace(life, done=_more(life.done, kind)) if counts else life


def _more(counted: dict[str, int], key: str) -> dict[str, int]:
    return {**counted, key: counted.get(key, 0) + 1}


def compare(new: Iterable[ZoneResult], old: Iterable[ZoneResult]) -> Comparison:
    """Find the lives that only one of two rules would have had."""
    fresh = {result.zone: result.lives for result in new}
    before = {result.zone: result.lives for result in old}
    only_new: list[Life] = []
    only_old: list[Life] = []
    both: list[Life] = []
    for zone, lives in fresh.items():
        others = before.get(zone, ())
        for life, met in zip(lives, _overlaps(lives, others), strict=True):
            (both if met else only_new).append(life)
    for zone, lives in before.items():
        others = fresh.get(zone, ())
        only_old += [life for life, met in zip(lives, _overlaps(lives, others), strict=True) if not met]
    return Comparison(_ordered(only_new), _ordered(only_old), _ordered(both))


def _overlaps(lives: Sequence[Life], others: Sequence[Life]) -> list[bool]:
    """Tell of each life whether one of ``others`` shares a moment with it, the time of its ``for`` included.

    Both are in the order of time, and no two of one side overlap: one activation per zone at a time.
    """
    found, index = [], 0
    for life in lives:
        while index < len(others) and _ended_before(others[index], life):
            index += 1
        found.append(index < len(others) and not _ended_before(life, others[index]))
    return found


def _ended_before(first: Life, second: Life) -> bool:
    return first.cleared_at is not None and first.cleared_at < second.since


def _ordered(lives: Iterable[Life]) -> tuple[Life, ...]:
    return tuple(sorted(lives, key=lambda life: (life.opened_at, life.zone)))
