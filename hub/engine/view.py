"""The state as one input makes it, without changing it; notes when time alone will change an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.engine.listening import deaf, lasts
from hub.model.memory import NO_MEMORY, Memory
from hub.model.reading import NEVER_HEARD, State
from hub.model.time import after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub.engine.listening import Absences
    from hub.model.entry import ModeChange
    from hub.model.ids import EntityId
    from hub.model.site import Mode, Role
    from hub.model.time import Duration, Instant

NOWHERE: Mapping[Role, tuple[EntityId, ...]] = {}


class View:
    """What closures see."""

    __slots__ = (
        "_absences",
        "_changed",
        "_integrations",
        "_known",
        "_memories",
        "_modes",
        "_states",
        "bound",
        "looked",
        "now",
        "supplies",
    )

    def __init__(
        self,
        now: Instant,
        states: Mapping[EntityId, State],
        changed: Mapping[EntityId, State],
        memories: Mapping[EntityId, Memory],
        known: Mapping[EntityId, Memory],
        modes: Mapping[Mode, ModeChange],
        bound: Mapping[Role, tuple[EntityId, ...]] = NOWHERE,
        absences: Absences = (),
    ) -> None:
        self.now = now
        self.bound = bound
        """What serves the zone that is looked at; one view goes through several."""
        self.supplies: tuple[tuple[EntityId, ...], ...] = ()
        """What hangs on each of the supplies of that zone."""
        self.looked: Instant | None = None
        """The earliest instant at which an answer given since ``forget`` may change by itself."""
        self._states = states
        self._changed = changed
        self._memories = memories
        self._known = known
        self._modes = modes
        self._absences = absences
        self._integrations: dict[tuple[EntityId, ...], frozenset[str]] = {}

    def state(self, entity: EntityId) -> State:
        """Return the state of an entity."""
        changed = self._changed.get(entity)
        return changed if changed is not None else self._states.get(entity, NEVER_HEARD)

    def memory(self, entity: EntityId) -> Memory:
        """Return what is remembered of an entity beyond its state."""
        changed = self._memories.get(entity)
        return changed if changed is not None else self._known.get(entity, NO_MEMORY)

    def mode(self, mode: Mode) -> bool:
        """Tell whether the site is in ``mode``."""
        return mode in self._modes

    def changed(self, mode: Mode) -> ModeChange | None:
        """Return how a mode came to be on, or None while it is off."""
        return self._modes.get(mode)

    def listened(self, since: Instant, time: Duration, entities: tuple[EntityId, ...]) -> Instant:
        """Return when the hub will have listened to any of ``entities`` for ``time`` since ``since``.

        While it was away it heard nobody, and while its link was away nobody who speaks by it. While ``unheard`` that
        instant moves along with ``now``.
        """
        if not self._absences:
            return after(since, time)
        return after(since, time + deaf(self._absences, since, self.now, self._of(entities)))

    def unheard(self, entities: tuple[EntityId, ...]) -> bool:
        """Tell whether none of ``entities`` can be heard now."""
        return lasts(self._absences) and self._absences[-1].concerns(self._of(entities))

    def _of(self, entities: tuple[EntityId, ...]) -> frozenset[str]:
        """Return whose entities these are; the same many stand behind each zone of a supply."""
        found = self._integrations.get(entities)
        if found is None:
            found = self._integrations[entities] = frozenset(entity.partition(".")[0] for entity in entities)
        return found

    def look_at(self, instant: Instant) -> None:
        """Note that an answer may change at ``instant``."""
        if self.looked is None or instant < self.looked:
            self.looked = instant

    def forget(self) -> None:
        """Begin to note anew, for the next slot."""
        self.looked = None
