"""Counts the figures of a report in a process of its own (``python -m hub.web.tally``).

A month of a large site is millions of readings, and the hub must not wait for them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hub.journal.report import Figures, Scope, figures
from hub.model.errors import JournalError
from hub.model.time import Instant
from hub.web.apart import apart, work_for_parent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Count(msgspec.Struct, frozen=True):
    """What to count; what lies after ``now`` has not happened."""

    folder: Path
    scope: Scope
    begin: Instant
    end: Instant
    now: Instant


class Line(msgspec.Struct, frozen=True):
    """What the process writes: the part that is done, 0 to 1; the last line has one of the others."""

    progress: float
    result: Figures | None = None
    problem: str | None = None


async def tally(count: Count, note: Callable[[float], Awaitable[None]] | None = None) -> Figures:
    """Return the figures; ``note`` hears of the part that is done, 0 to 1. Raises JournalError."""
    async with apart(__name__, count) as lines:
        async for text in lines:
            line = msgspec.json.decode(text, type=Line)
            if line.problem is not None:
                raise JournalError(line.problem)
            if line.result is not None:
                return line.result
            if note is not None:
                await note(line.progress)
    raise JournalError("the report ended without a result")


def _work(count: Count, progress: Callable[[float], None]) -> Figures:
    return figures(count.folder, count.scope, count.begin, count.end, count.now, progress)


if __name__ == "__main__":
    work_for_parent(Line, _work)
