"""The hub's own clock: it starts at wall time, runs on time since boot, and notices when the wall clock jumps."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hub.model.time import SECOND, Instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.model.execution import Timer

#: A difference between wall clock and hub clock above this is a jump; below, the hub clock follows slowly.
JUMP = 2 * SECOND
#: Most that one look (a second apart) follows the wall clock, in microseconds: 1 ms/s, twice what NTP slews (RFC 5905).
SLEW = 1_000


class SystemClock:
    """The clock of a running hub."""

    def __init__(self, start: Instant) -> None:
        self._base = start
        self._boot = boot_us()

    @classmethod
    def resume(cls, at: Instant | None, boot_id: str, boot: int) -> SystemClock:
        """Go on from the last commit: by time since boot if the machine was not restarted, else by the wall clock."""
        if at is None:
            return cls(wall())
        if boot_id and boot_id == current_boot_id():
            return cls(Instant(at + boot_us() - boot))
        return cls(max(wall(), at))

    def now(self) -> Instant:
        """Return the present instant."""
        return Instant(self._base + boot_us() - self._boot)

    def call_at(self, instant: Instant, callback: Callable[[], None]) -> Timer:
        """Arrange a call on the running loop."""
        return asyncio.get_running_loop().call_later(max(0, instant - self.now()) / SECOND, callback)

    def follow(self) -> int:
        """Compare with the wall clock; return by how many microseconds it jumped (and jump along), or 0."""
        difference = wall() - self.now()
        if abs(difference) > JUMP:
            self._base = Instant(self._base + difference)
            return difference
        self._base = Instant(self._base + max(-SLEW, min(SLEW, difference)))
        return 0


def wall() -> Instant:
    """Return the wall clock."""
    return Instant(time.time_ns() // 1_000)


def boot_us() -> int:
    """Return microseconds since boot, sleep included where the system tells (CLOCK_BOOTTIME, Linux)."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(clock) // 1_000


def current_boot_id() -> str:
    """Name this run of the machine; empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""
