"""How often a service may be used."""

from __future__ import annotations

from collections import deque


class Window:
    """At most ``count`` messages in any ``seconds``, on a clock that never jumps."""

    def __init__(self, count: int, seconds: float) -> None:
        self._seconds = seconds
        self._taken: deque[float] = deque(maxlen=count)

    def wait(self, now: float) -> float:
        """Return the seconds until there is a place, 0 when there is one."""
        if len(self._taken) < (self._taken.maxlen or 0):
            return 0.0
        return max(0.0, self._taken[0] + self._seconds - now)

    def take(self, now: float) -> None:
        """Take a place."""
        self._taken.append(now)
