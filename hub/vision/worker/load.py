"""Which part of a camera's pictures nobody had the time to look at: more than a little means a box that is too weak."""

from __future__ import annotations

from collections import deque

#: Seconds over which it is counted, and pictures in them without which nothing is said.
OVER, LEAST = 20, 4


class Load:
    """One camera's pictures that were to be looked at, by seconds of our own clock."""

    def __init__(self) -> None:
        self._seconds: deque[tuple[int, int, int]] = deque(maxlen=OVER)

    def add(self, now: float, *, looked: bool) -> None:
        """Note a picture that was looked at, or left out as there was no time."""
        second, seen, missed = int(now), int(looked), int(not looked)
        if self._seconds and self._seconds[-1][0] == second:
            _, before, without = self._seconds.pop()
            seen, missed = seen + before, missed + without
        self._seconds.append((second, seen, missed))

    def missed(self, now: float) -> float:
        """Return the part of the last pictures that was left out, from 0 to 1."""
        late = [(seen, left) for second, seen, left in self._seconds.copy() if second > now - OVER]
        both = sum(seen + left for seen, left in late)
        return round(sum(left for _, left in late) / both, 2) if both >= LEAST else 0.0
