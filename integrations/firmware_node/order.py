"""Events of one node in the order in which they happened: one whose predecessor was lost on the way waits for it. Pure.

A node sends up to eight events before the first is answered. Were they taken as they come, a door that opened and
closed would stay open here whenever the network lost the first datagram.
"""

from __future__ import annotations

from firmware_bridge.frame import Frame
from firmware_bridge.messages import Event
from firmware_bridge.registry import Record

#: Seconds that an event waits: the node repeats a lost one after 1 s, and once more after 2. What a node dropped
#: because its store was full never comes.
HOLD = 3.5
#: Events that wait; a node has eight under way.
MOST = 32


class Order:
    """What has come and waits. ``now`` is in seconds on any steady clock."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._held: dict[tuple[int, int], tuple[float, Frame, Event]] = {}

    def put(self, request: Frame, event: Event, now: float) -> None:
        """Take an event; a repetition of one that waits takes its place, one too many is dropped and comes again."""
        name = event.boot, event.seq
        since = self._held[name][0] if name in self._held else now
        if name in self._held or len(self._held) < MOST:
            self._held[name] = since, request, event

    def take(self, now: float) -> list[tuple[Frame, Event]]:
        """Return what is due, in order."""
        due: list[tuple[Frame, Event]] = []
        following: dict[int, int] = {}
        for name in sorted(self._held):
            boot, seq = name
            since, request, event = self._held[name]
            if seq > following.get(boot, self._next(boot)) and now < since + HOLD:
                continue
            following[boot] = max(seq + 1, following.get(boot, 0))
            due.append((request, event))
            del self._held[name]
        return due

    def due_at(self) -> float | None:
        """Return when the first of those that wait has waited enough."""
        return min((since + HOLD for since, _, _ in self._held.values()), default=None)

    def _next(self, boot: int) -> int:
        """Return the number that follows what is in the journal."""
        kept = self._record.committed.get(boot)
        return 1 if kept is None else kept.highest + 1
