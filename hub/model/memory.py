"""What the engine remembers of an entity beyond its state: when it changed, and which limits it is beyond."""

from __future__ import annotations

import msgspec

from hub.model.reading import Value
from hub.model.time import Instant


class Memory(msgspec.Struct, frozen=True, gc=False):
    """Kept only for entities that a rule counts, orders or measures; survives restart as one row."""

    edges: tuple[tuple[Instant, str], ...] = ()
    """The last changes of the value, oldest first: when, and to what."""
    latches: tuple[str, ...] = ()
    """Names of the limits (hub.engine.terms.Beyond.latch) that the number is beyond."""

    def instants(self, value: Value) -> tuple[Instant, ...]:
        """Return when the value became ``value``."""
        word = str(value)
        return tuple(instant for instant, to in self.edges if to == word)


NO_MEMORY = Memory()
