"""How often a camera's pictures come, against how often they used to: a starved stream shows too little of a fall."""

from __future__ import annotations

from collections import deque

#: Seconds over which the rate is measured; for which it must be low; between two looks.
OVER, LASTS, EVERY = 10.0, 10.0, 1.0
#: Seconds of a connection before the first look: its first packets have waited, and come at once.
SETTLED = 2 * OVER
#: Part of the usual rate below which it is low, and part by which the usual one follows at each look.
LOW, FOLLOW = 0.6, 0.02
#: Times the usual rate that one look counts for at most: what comes after a stall comes all at once.
BURST = 2.0


class Pace:
    """One connection's packets, by stream time in seconds."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self._first: float | None = None
        self._looked = 0.0
        self._low_since: float | None = None
        self.usual = 0.0
        """Pictures a second as they used to be; 0 until that is known."""
        self.slow = False
        """Whether there have been too few of them for some time."""

    def add(self, at: float) -> None:
        """Note a packet."""
        self._first = at if self._first is None else self._first
        self._times.append(at)
        while self._times[0] < at - OVER or len(self._times) > 2000:
            self._times.popleft()
        if at >= self._looked + EVERY and at - self._first >= SETTLED:
            self._looked = at
            # not by the span of what came: after a stall that is a moment, and the rate of a moment is anything
            self._judge(at, len(self._times) / OVER)

    def rate(self, now: float) -> float:
        """Return the pictures a second of the last seconds; 0 where there were too few to say."""
        times = [at for at in self._times.copy() if at > now - OVER]  # another thread may add to it
        return round((len(times) - 1) / (times[-1] - times[0]), 2) if len(times) > 2 and times[-1] > times[0] else 0.0

    def _judge(self, at: float, rate: float) -> None:
        if not self.usual:
            self.usual = rate
        elif rate >= LOW * self.usual:
            self.usual += FOLLOW * (min(rate, BURST * self.usual) - self.usual)
            self._low_since = None
        elif self._low_since is None:
            self._low_since = at
        self.slow = self._low_since is not None and at - self._low_since >= LASTS
