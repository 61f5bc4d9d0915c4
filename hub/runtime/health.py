"""Notices devices that fall silent: a state older than its ``expire_after`` is stale."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from hub.model.reading import Quality, Reading
from hub.model.time import Instant

if TYPE_CHECKING:
    from hub.model.entry import Entry
    from hub.model.execution import Clock, Timer
    from hub.model.ids import EntityId
    from hub.runtime.batch import Batch
    from hub.runtime.core import Runtime
    from hub.runtime.registry import Registry


class Health:
    """One timer for all entities that promise to repeat themselves."""

    def __init__(self, runtime: Runtime, registry: Registry, clock: Clock) -> None:
        self._runtime = runtime
        self._registry = registry
        self._clock = clock
        self._deadlines: list[tuple[Instant, EntityId]] = []
        self._timer: Timer | None = None

    def heard(self, entry: Entry) -> None:
        """Take note of the readings of a committed entry."""
        for reading in entry.readings:
            entity = self._registry.entity(reading.entity)
            if entity is not None and entity.expire_after is not None and reading.value is not None:
                heapq.heappush(self._deadlines, (Instant(reading.at + entity.expire_after), reading.entity))
        self._arrange()

    def close(self) -> None:
        """Cancel the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def _arrange(self) -> None:
        self.close()
        if self._deadlines:
            self._timer = self._clock.call_at(self._deadlines[0][0], self._due)

    def _due(self) -> None:
        self._runtime.post(self._expire)
        while self._deadlines and self._deadlines[0][0] <= self._clock.now():
            heapq.heappop(self._deadlines)
        self._arrange()

    def _expire(self, batch: Batch) -> None:
        for name in self._registry.sensed():
            entity, state = self._registry.entity(name), batch.state.states.get(name)
            if entity is None or entity.expire_after is None or state is None:
                continue
            if state.quality is Quality.GOOD and state.at + entity.expire_after <= batch.now:
                batch.feed(Reading(name, None, Quality.STALE, batch.now))
