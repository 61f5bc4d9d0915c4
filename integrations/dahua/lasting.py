"""What lasts and what is over: a pure state machine on a monotonic clock that the caller reads.

An event that starts lasts until it stops, however long that is: a car that is parked is reported once. A pulse has no
end of its own and is over after a while.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from integrations.dahua.config import Kind
from integrations.dahua.event import Event
from integrations.dahua.kinds import KINDS, codes

_ACTIONS = {"Start", "Stop", "Pulse"}


@dataclass(slots=True)
class Lasting:
    """The configured events of one channel. Times are seconds of one monotonic clock."""

    events: tuple[Kind, ...]
    channel: int
    """From 1."""
    quiet: float
    _active: dict[Kind, bool] = field(default_factory=dict)
    """What was said last; absent for what is not known yet."""
    _started: set[str] = field(default_factory=set)
    """Codes that have started and not stopped."""
    _unsaid: set[str] = field(default_factory=set)
    """Codes of which the camera has said nothing yet."""
    _ends: dict[Kind, float] = field(default_factory=dict)
    """When a pulse is over."""

    def __post_init__(self) -> None:
        self._unsaid.update(codes(self.events))

    def found(self, code: str, channels: frozenset[int]) -> list[tuple[Kind, bool]]:
        """Take on which channels (from 0) the camera says that ``code`` lasts; return what changed by it."""
        event = next(event for event in self.events if code in KINDS[event].codes)
        lasts = bool(channels) if KINDS[event].whole_device else self.channel - 1 in channels
        return self._said(event, code, lasts=lasts)

    def heard(self, said: Event, now: float) -> list[tuple[Kind, bool]]:
        """Take one event; return what changed by it, each with whether it is active now."""
        for event in self.events:
            meaning = KINDS[event]
            if said.code in meaning.codes and said.action in _ACTIONS:
                if not meaning.whole_device and said.index not in {None, self.channel - 1}:
                    return []
                if said.action != "Pulse":
                    return self._said(event, said.code, lasts=said.action == "Start")
                self._ends[event] = now + self.quiet
                return self._set(event, active=True)
        return []

    def due(self) -> float:
        """Return when ``expire`` is next needed; infinity for never."""
        return min(self._ends.values(), default=inf)

    def expire(self, now: float) -> list[tuple[Kind, bool]]:
        """Return what has ended by ``now``."""
        changes = []
        for event in [event for event, end in self._ends.items() if end <= now]:
            del self._ends[event]
            if self._started.isdisjoint(KINDS[event].codes):
                changes += self._set(event, active=False)
        return changes

    def _said(self, event: Kind, code: str, *, lasts: bool) -> list[tuple[Kind, bool]]:
        self._unsaid.discard(code)
        if lasts:
            self._started.add(code)
            return self._set(event, active=True)
        self._started.discard(code)
        others = KINDS[event].codes
        if event in self._ends or not self._started.isdisjoint(others):
            return []
        if event not in self._active and not self._unsaid.isdisjoint(others):
            return []  # the other code may be what it was active by before the link broke
        return self._set(event, active=False)

    def _set(self, event: Kind, *, active: bool) -> list[tuple[Kind, bool]]:
        if self._active.get(event) is active:
            return []
        self._active[event] = active
        return [(event, active)]
