"""Time that passes when a test says so: inside the test, and as the wall clock of a process (libfaketime)."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.model.time import DAY, Instant

#: Where virtual time begins: far enough from 1970 that nothing kept becomes negative by accident.
START = Instant(20_000 * DAY)


@dataclass(order=True)
class Arranged:
    """A call that was arranged, and cannot be any more once it is cancelled."""

    at: int
    number: int
    callback: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Do not make the call."""
        self.cancelled = True


class VirtualClock:
    """A ``hub.model.execution.Clock`` whose ``advance`` makes every call that falls due, in order, at its instant."""

    def __init__(self, start: int = START) -> None:
        self._now = start
        self._calls: list[Arranged] = []
        self._numbers = itertools.count()

    def now(self) -> Instant:
        """Return the present instant."""
        return Instant(self._now)

    def call_at(self, instant: Instant, callback: Callable[[], None]) -> Arranged:
        """Arrange a call; one that is due already is made at the next ``advance``, even by 0."""
        call = Arranged(instant, next(self._numbers), callback)
        heapq.heappush(self._calls, call)
        return call

    @property
    def waiting(self) -> list[Instant]:
        """When the calls that are arranged fall due, in order."""
        return [Instant(call.at) for call in sorted(self._calls) if not call.cancelled]

    def advance(self, duration: int) -> None:
        """Let time pass."""
        end = self._now + duration
        while self._calls and self._calls[0].at <= end:
            call = heapq.heappop(self._calls)
            if not call.cancelled:
                self._now = max(self._now, call.at)
                call.callback()
        self._now = end

    async def run(self, duration: int) -> None:
        """Let time pass, and after each call let the loop do what follows from it."""
        end = self._now + duration
        await settle()
        while self.waiting and self.waiting[0] <= end:
            self.advance(max(0, self.waiting[0] - self._now))
            await settle()
        self.advance(end - self._now)
        await settle()

    def jump(self, by: int) -> None:
        """Move the clock without making a call: the calls arranged keep their distance, as timers of a loop do."""
        self._now += by
        for call in self._calls:
            call.at += by


async def settle(turns: int = 30) -> None:
    """Let everything run that needs no time and no thread."""
    for _ in range(turns):
        await asyncio.sleep(0)


def faketime(file: Path, shows: str = "+0") -> dict[str, str]:
    """Return the environment of a process whose wall clock is what ``file`` says, at first ``shows``."""
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not libraries:
        pytest.skip("libfaketime is not installed: a wall clock that jumps cannot be played")
    file.write_text(shows, "ascii")
    return {
        "LD_PRELOAD": str(libraries[0]),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
