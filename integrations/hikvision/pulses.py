"""What lasts and what is over: a pure state machine on a monotonic clock that the caller reads.

While an event lasts the camera repeats it, about once a second; most firmwares never say that it ended. So an event is
over when it was not repeated for a while, or when the camera says ``inactive``. For the same reason all is calm when
a camera that is heard says nothing for that while: what was active before the link broke ends here, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from integrations.hikvision.alert import Alert
from integrations.hikvision.config import Event
from integrations.hikvision.kinds import KINDS


@dataclass(slots=True)
class Pulses:
    """The configured events of one channel. Times are seconds of one monotonic clock."""

    events: tuple[Event, ...]
    channel: int
    quiet: float
    _active: dict[Event, bool] = field(default_factory=dict)
    """What was said last; absent for what is not known yet."""
    _ends: dict[Event, float] = field(default_factory=dict)

    def heard(self, alert: Alert, now: float) -> list[tuple[Event, bool]]:
        """Take one alert; return what changed by it, each with whether it is active now."""
        if not self._active and not self._ends:
            self._ends = dict.fromkeys(self.events, now + self.quiet)
        changes = []
        for event in self.events:
            if alert.type in KINDS[event].types and self._is_mine(alert):
                if alert.active:
                    self._ends[event] = now + self.quiet
                else:
                    self._ends.pop(event, None)
                changes += self._set(event, active=alert.active)
        return changes

    def due(self) -> float:
        """Return when ``expire`` is next needed; infinity for never."""
        return min(self._ends.values(), default=inf)

    def expire(self, now: float) -> list[tuple[Event, bool]]:
        """Return what has ended by ``now``."""
        over = [event for event, end in self._ends.items() if end <= now]
        for event in over:
            del self._ends[event]
        return [change for event in over for change in self._set(event, active=False)]

    def _is_mine(self, alert: Alert) -> bool:
        """An alert without a channel is the whole device's; an inactive one of channel 0 is only a heartbeat."""
        return alert.channel == self.channel or (not alert.channel and (alert.active or alert.channel is None))

    def _set(self, event: Event, *, active: bool) -> list[tuple[Event, bool]]:
        if self._active.get(event) is active:
            return []
        self._active[event] = active
        return [(event, active)]
