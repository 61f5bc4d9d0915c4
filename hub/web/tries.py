"""Counts tries of secrets, so that guessing takes longer than anybody lives (ASVS 6.3.1)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from hub.model.time import MINUTE

if TYPE_CHECKING:
    from hub.model.execution import Clock
    from hub.model.time import Instant

#: Failed tries of one account and of one address within a minute; more must wait.
TRIES = 10
#: Accounts and addresses remembered; the one that tried longest ago is forgotten first.
KEPT = 10_000


class Tries:
    """Failed tries of the last minute. Who is signed in or has a token is never asked to wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._made: dict[str, deque[Instant]] = {}

    def take(self, *keys: str) -> bool:
        """Count a try before it is made, so that a thousand at once are counted, too; False where it must wait."""
        now = self._clock.now()
        if not all(self._is_free(key, now) for key in keys):
            return False
        for key in keys:
            made = self._made.pop(key, deque())
            made.append(now)
            self._made[key] = made  # at the end: tried last
        while len(self._made) > KEPT:
            del self._made[next(iter(self._made))]
        return True

    def give_back(self, *keys: str) -> None:
        """Forget the last try: it succeeded."""
        for key in keys:
            made = self._made.get(key)
            if made:
                made.pop()

    def _is_free(self, key: str, now: Instant) -> bool:
        made = self._made.get(key, deque())
        while made and now - made[0] > MINUTE:
            made.popleft()
        return len(made) < TRIES
