"""A token bucket: so many in the long run, and so many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.model.time import SECOND

if TYPE_CHECKING:
    from hub.model.time import Instant


class Budget:
    """Tokens that come back at ``rate`` a second, ``burst`` at most."""

    def __init__(self, rate: float, burst: float, now: Instant) -> None:
        self._rate, self._burst = rate, burst
        self._at = now
        self.left = burst
        """Below 0 when more was spent than there was."""

    def refill(self, now: Instant) -> float:
        """Return what there is at ``now``; the clock may go back."""
        passed = max(0, now - self._at) / SECOND
        self.left, self._at = min(self._burst, self.left + passed * self._rate), now
        return self.left

    def spend(self, count: int, now: Instant) -> float:
        """Take ``count``, even those that are not there; return what is left."""
        self.left = self.refill(now) - count
        return self.left
