"""Notices devices that fall silent: a state older than its ``expire_after`` is stale."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from hub.model.reading import Quality, Reading
from hub.model.time import Instant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub.model.entry import Entry
    from hub.model.execution import Clock, Timer
    from hub.model.ids import EntityId
    from hub.model.reading import State
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
        self._armed: set[EntityId] = set()
        self._timer: Timer | None = None

    def heard(self, entry: Entry) -> None:
        """Watch every entity of a committed entry that promises to repeat itself; one deadline for each."""
        for jump in entry.jumps:
            self._deadlines = [(Instant(at + jump.by), name) for at, name in self._deadlines]
        for reading in entry.readings:
            if reading.value is not None and reading.entity not in self._armed:
                self._arm(reading.entity, reading.at)
        self._arrange()

    def watch(self, states: Mapping[EntityId, State]) -> None:
        """Watch what was known before a restart: it may have fallen silent meanwhile."""
        for name, state in states.items():
            self._arm(name, state.at)
        self._arrange()

    def close(self) -> None:
        """Cancel the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self, name: EntityId, heard_at: Instant) -> None:
        entity = self._registry.entity(name)
        if entity is not None and entity.expire_after is not None:
            self._armed.add(name)
            heapq.heappush(self._deadlines, (Instant(heard_at + entity.expire_after), name))

    def _arrange(self) -> None:
        self.close()
        self._timer = self._clock.call_at(self._deadlines[0][0], self._due) if self._deadlines else None

    def _due(self) -> None:
        self._runtime.post(self._expire)

    def _expire(self, batch: Batch) -> None:
        """Mark what was silent for too long; watch on what was heard meanwhile."""
        while self._deadlines and self._deadlines[0][0] <= batch.now:
            _, name = heapq.heappop(self._deadlines)
            self._armed.discard(name)
            entity, state = self._registry.entity(name), batch.state.states.get(name)
            if entity is None or entity.expire_after is None or state is None:
                continue
            if state.at + entity.expire_after > batch.now:
                self._arm(name, state.at)
            elif state.quality is Quality.GOOD:
                batch.feed(Reading(name, None, Quality.STALE, batch.now))
            else:
                self._arm(name, batch.now)  # its link may come back and vouch for it
        self._arrange()
