"""Whose turn it is: one camera of a worker decodes and looks at a time, in the order in which they asked.

They share one core. Side by side they would take it from each other every few steps, each time with other pictures in
the cache: 40 lanes then cost a sixth more (docs/performance.md). Cameras that must see every picture, for a fall, wait
for nobody. A plain lock may be taken again by the camera that has just left it, as often as that has pictures waiting.
"""

from __future__ import annotations

import threading
from collections import deque


class Turn:
    """A lock that goes to the one who has waited longest; not to be taken twice by one thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        """Wait for the turn."""
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()  # given by the one before

    def __exit__(self, *_: object) -> None:
        """Give it on."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)
