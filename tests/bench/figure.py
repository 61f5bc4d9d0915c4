"""One figure of a bench, and how it is printed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """A value with its unit, from ``n`` samples; ``note`` says how it was measured."""

    bench: str
    name: str
    value: float
    unit: str
    n: int
    note: str = ""

    def line(self) -> str:
        """Write it for a person."""
        note = f"  ({self.note})" if self.note else ""
        return f"{self.bench:10} {self.name:34} {self.value:>10g} {self.unit:4} n={self.n}{note}"

    def json(self) -> str:
        """Write it for a program."""
        return json.dumps(asdict(self), ensure_ascii=False)


def percentile(samples: Sequence[float], part: float) -> float:
    """Return the nearest-rank percentile; ``part`` 0.99 is p99."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, max(0, -(-int(part * 1000) * len(ordered) // 1000) - 1))]
