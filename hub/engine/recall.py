"""Keeps what rules count, order and measure: the last changes of an entity and the limits it is beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.engine.truth import latched
from hub.model.memory import Memory
from hub.model.reading import Quality

if TYPE_CHECKING:
    from hub.engine.program import Tracking
    from hub.model.reading import State
    from hub.model.time import Instant


def recall(tracking: Tracking, memory: Memory, prior: State, state: State, now: Instant) -> Memory:
    """Return the memory after a reading. A value that cannot be trusted is no event and moves no limit."""
    if state.quality is not Quality.GOOD:
        return memory
    edges = memory.edges
    word = str(state.value)
    if state.value != prior.value and word in tracking.words:
        edges = (*edges, (now, word))
    value = state.value
    latches = memory.latches
    if isinstance(value, float):
        limits = sorted(tracking.limits.items())
        latches = tuple(name for name, term in limits if latched(term, value, was=name in memory.latches))
    return Memory(edges[-tracking.keep :] if tracking.keep else (), latches)
