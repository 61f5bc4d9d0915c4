"""How long a loop is held up by what runs in it, told apart from waiting for a processor that others use."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

#: Of this thread: nanoseconds on a processor, nanoseconds of waiting for one, turns (Linux, Documentation/scheduler).
_SCHEDSTAT = Path("/proc/thread-self/schedstat")
#: Seconds between two looks.
TICK = 0.01


def _waited() -> float:
    """Return for how many seconds this thread was ready and had no processor; 0 where the system does not tell."""
    try:
        return int(_SCHEDSTAT.read_text("ascii").split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


class Metronome:
    """The longest time between two looks, in seconds: ``lag`` by the clock, ``held`` without the waiting.

    ``lags`` and ``holds`` are all of them, where ``keeps`` is set.
    """

    def __init__(self, *, keeps: bool = False) -> None:
        self.lag = self.held = 0.0
        self.keeps = keeps
        self.lags: list[float] = []
        self.holds: list[float] = []

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            began, waited = time.monotonic(), _waited()
            await asyncio.sleep(TICK)
            lag = time.monotonic() - began - TICK
            held = lag - (_waited() - waited)
            self.lag, self.held = max(self.lag, lag), max(self.held, held)
            if self.keeps:
                self.lags.append(lag)
                self.holds.append(held)
