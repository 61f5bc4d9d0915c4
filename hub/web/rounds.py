"""The rounds of a patrol that a site's rules ask for in a period: from the rules about missed ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hub.engine.terms import All, Count, Is, Not, TimeIs
from hub.journal.measures import Round
from hub.model.site import Role
from hub.model.time import SECOND, Instant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub.engine.rule import Rule
    from hub.model.period import Period
    from hub.model.site import Site
    from hub.model.time import Duration


def rounds_of(rules: Iterable[Rule], site: Site, period: Period) -> dict[str, tuple[Round, ...]]:
    """Return the rounds by zone with a checkpoint; a rule of any other shape asks for none: nothing is guessed."""
    found: dict[str, list[Round]] = {}
    for rule in rules:
        judged = _judged(rule) if rule.enabled else None
        if judged is None:
            continue
        rounds = _daily(*judged, period, ZoneInfo(site.timezone))
        for zone in site.zones.values():
            if zone.kind is rule.zone_kind and rule.applies_to(zone.id) and zone.bound(Role.CHECKPOINT):
                found.setdefault(zone.id, []).extend(rounds)
    return {zone: tuple(sorted(rounds, key=lambda one: one.end)) for zone, rounds in found.items()}


def _judged(rule: Rule) -> tuple[int, Duration] | None:
    """Return when a rule looks for a check-in (seconds after midnight), and how long before that it may have been."""
    match rule.trigger.condition:
        case All((TimeIs(begin), Not(Count(Is(role=Role.CHECKPOINT), 1, within)))):
            return begin, within
        case _:
            return None


def _daily(second: int, within: Duration, period: Period, zone: ZoneInfo) -> list[Round]:
    days = (period.first + timedelta(days=number) for number in range((period.after - period.first).days))
    ends = (datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(seconds=second) for day in days)
    return [Round(Instant(end - within), end) for end in (Instant(round(one.timestamp()) * SECOND) for one in ends)]
