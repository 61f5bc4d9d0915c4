"""Counts the figures of a report in a process of its own (``python -m hub.web.tally``).

A month of a large site is millions of readings, and the hub must not wait for them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hub.journal.report import Figures, Scope, figures
from hub.model.time import Instant
from hub.web.apart import Told, result_of, work_for_parent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Count(msgspec.Struct, frozen=True):
    """What to count; what lies after ``now`` has not happened."""

    folder: Path
    scope: Scope
    begin: Instant
    end: Instant
    now: Instant


class Line(Told, frozen=True):
    """What the process writes."""

    result: Figures | None = None


async def tally(count: Count, note: Callable[[float], Awaitable[None]] | None = None) -> Figures:
    """Return the figures; ``note`` hears of the part that is done, 0 to 1. Raises JournalError."""
    found: Figures = await result_of(__name__, count, Line, note)
    return found


def _work(count: Count, progress: Callable[[float], None]) -> Figures:
    return figures(count.folder, count.scope, count.begin, count.end, count.now, progress)


if __name__ == "__main__":
    work_for_parent(Line, _work)
