"""Turns the time stamps of a stream into one time that only grows, near the wall clock, whatever the camera sends."""

from __future__ import annotations

from collections import deque

#: Seconds by which stream and wall may drift apart before the stream's zero is set anew. Also the largest honest jump.
DRIFT = 5.0
#: Seconds that a late packet may lie back (B-frames, repeated packets) without being taken for a new zero.
LATE = 1.0
#: Jumps within so many seconds that are a fault of the camera; one alone is a clock that was set.
UNRULY, WITHIN = 3, 15.0


class StreamClock:
    """Maps stream time to seconds since 1970; survives jumps in both directions and a reconnect."""

    def __init__(self) -> None:
        self._zero: float | None = None
        self._last = 0.0
        self.jumps = 0
        """How often the stream's time has jumped."""
        self._jumped: deque[float] = deque(maxlen=UNRULY)

    def at(self, stamp: float | None, now: float) -> float:
        """Return the time of a packet that arrives ``now`` with ``stamp`` seconds, None where it has none."""
        if stamp is None:
            return self._told(max(self._last, now))
        if self._zero is None:
            self._zero = max(now, self._last) - stamp
        at = self._zero + stamp
        if at < self._last - LATE or abs(at - now) > DRIFT:
            self.jumps += 1
            self._jumped.append(now)
            self._zero = max(now, self._last) - stamp
            at = self._zero + stamp
        if at > (latest := max(now, self._last)):
            # nothing comes from the future: the first packets had waited, while the stream was looked at, and so
            # the zero was late; it settles where packets take the least time
            self._zero, at = latest - stamp, latest
        return self._told(at)

    def unruly(self, now: float) -> bool:
        """Return whether the stream's time has jumped again and again of late."""
        return len(self._jumped) == UNRULY and self._jumped[0] > now - WITHIN

    def reconnected(self) -> None:
        """The next packet has another zero."""
        self._zero = None

    def _told(self, at: float) -> float:
        self._last = max(self._last, at)
        return at
