"""Keeps what rules count, order and measure: the last changes of an entity and the limits it is beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.engine.truth import latched
from hub.model.memory import Memory
from hub.model.reading import Quality
from hub.model.time import Instant

if TYPE_CHECKING:
    from hub.engine.program import Tracking
    from hub.model.reading import State

Edge = tuple[Instant, str]


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
    return Memory(_last(edges, tracking.words), latches)


def _last(edges: tuple[Edge, ...], words: dict[str, int]) -> tuple[Edge, ...]:
    """Keep as many changes to each word as rules ask for: what one rule waits for takes nothing from another."""
    left, kept = dict(words), list[Edge]()
    for instant, word in reversed(edges):
        if left.get(word, 0) > 0:
            left[word] -= 1
            kept.append((instant, word))
    return tuple(reversed(kept))
