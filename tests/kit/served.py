"""Time on a machine that has others to serve: what a test allows is meant for one that serves it at once."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

#: How many times as long as allowed a test waits at most.
LONGEST = 5.0

_SOME = re.compile(rb"^some .*total=(\d+)", re.MULTILINE)


def owed_s() -> float:
    """Return the seconds since its start in which this machine let somebody wait, 0 where it does not tell.

    Linux: Documentation/accounting/psi.rst, ``/proc/pressure``: time in which at least one task waited for a processor
    or for the disk, in microseconds; and proc(5), ``/proc/stat``: what the host of a virtual machine took away.
    """
    pressure = sum(_total(Path("/proc/pressure", what)) for what in ("cpu", "io")) / 1e6
    try:
        stolen = int(Path("/proc/stat").read_bytes().split(None, 9)[8]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        stolen = 0.0
    return pressure + stolen


def _total(file: Path) -> int:
    try:
        found = _SOME.search(file.read_bytes())
    except OSError:
        return 0
    return int(found[1]) if found else 0


class Waiting:
    """From now on: how long it is, and how long it may be."""

    def __init__(self, within: float = 0.0) -> None:
        """``within`` is how many seconds a machine that serves us at once may take."""
        self._within, self._began, self._owed = within, time.monotonic(), owed_s()

    @property
    def owed(self) -> float:
        """Seconds of it in which somebody waited for the machine, never more than have passed."""
        return min(max(0.0, owed_s() - self._owed), self._passed)

    @property
    def served(self) -> float:
        """Seconds of it in which nobody had to wait for the machine."""
        return max(0.0, self._passed - self.owed)

    @property
    def over(self) -> bool:
        """Whether it has been too long."""
        return self.served > self._within or self._passed > self._within * LONGEST

    @property
    def _passed(self) -> float:
        return time.monotonic() - self._began

    def __str__(self) -> str:
        return (
            f"within {self._within:g} s (by the clock {self._passed:.1f}, in {self.owed:.1f} of them somebody waited)"
        )
