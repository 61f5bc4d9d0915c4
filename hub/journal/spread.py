"""How long something took, of many times: the median and what 95 % do not exceed, by nearest rank."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable


class Spread(msgspec.Struct, frozen=True):
    """Durations in microseconds, by nearest rank; None where there is none."""

    count: int
    p50: int | None
    p95: int | None


def percentile(values: list[int], percent: int) -> int | None:
    """Return the nearest-rank percentile of sorted ``values``: the smallest that so many percent do not exceed."""
    return values[max(0, -(-len(values) * percent // 100) - 1)] if values else None


def spread(durations: Iterable[int]) -> Spread:
    """Sum durations up."""
    values = sorted(max(0, duration) for duration in durations)  # a clock that was set back makes no negative wait
    return Spread(len(values), percentile(values, 50), percentile(values, 95))
