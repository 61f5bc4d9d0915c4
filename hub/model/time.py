"""Instants and durations: whole microseconds, so that a replay is exact to the byte."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import NewType

#: Microseconds since 1970-01-01T00:00:00Z on the hub's own clock (hub.runtime.clock).
Instant = NewType("Instant", int)
#: Microseconds.
Duration = NewType("Duration", int)

MILLISECOND = Duration(1_000)
SECOND = Duration(1_000_000)
MINUTE = Duration(60 * SECOND)
HOUR = Duration(60 * MINUTE)
DAY = Duration(24 * HOUR)

UNITS = {"ms": MILLISECOND, "s": SECOND, "min": MINUTE, "h": HOUR, "d": DAY}
_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(ms|s|min|h|d)\Z")


@lru_cache(maxsize=256)  # a community uses few different ones, and asks for each very often
def parse_duration(text: str) -> Duration:
    """Read ``3 min``, ``90 s``, ``1.5 h``. Raises ValueError when the unit is missing or unknown."""
    match = _DURATION.match(text.strip())
    if match is None:
        raise ValueError(text)
    return Duration(round(float(match[1]) * UNITS[match[2]]))


def format_duration(duration: int) -> str:
    """Write a duration as a person would, in the largest unit that keeps it whole: ``3 min``."""
    for unit in ("d", "h", "min", "s"):
        if duration and duration % UNITS[unit] == 0:
            return f"{duration // UNITS[unit]} {unit}"
    return f"{duration / SECOND:.3f}".rstrip("0").rstrip(".") + " s"


def after(instant: Instant, duration: int) -> Instant:
    """Return the instant ``duration`` later."""
    return Instant(instant + duration)


def isoformat(instant: int) -> str:
    """Write an instant as RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(instant / SECOND, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
