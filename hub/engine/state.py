"""What the engine knows between inputs: states, modes, slots, and an index of when to look again."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import msgspec

from hub.engine.listening import Absences
from hub.model.activation import Slot, SlotKey
from hub.model.decision import Decision
from hub.model.entry import ModeChange
from hub.model.ids import EntityId
from hub.model.memory import Memory
from hub.model.reading import State
from hub.model.site import Mode
from hub.model.time import Instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Superseded wakes are dropped when there are more than a few, and many for each slot.
FEW, MANY = 1_000, 4
#: What is due: a slot, or a mode (as ``("", mode)``).
WakeKey = tuple[str, str]


class Step(msgspec.Struct, frozen=True):
    """What one input changes. Nothing is changed until ``EngineState.apply``; the journal writes the same changes."""

    states: dict[EntityId, State] = {}
    memories: dict[EntityId, Memory] = {}
    slots: dict[SlotKey, Slot | None] = {}
    modes: tuple[ModeChange, ...] = ()
    decisions: tuple[Decision, ...] = ()
    absences: Absences | None = None
    """When the hub or its link was away, if that is another now."""


class EngineState:
    """All memory of the engine. Only ``apply`` and ``take_due`` change it."""

    def __init__(
        self,
        states: Mapping[EntityId, State] | None = None,
        slots: Mapping[SlotKey, Slot] | None = None,
        modes: Iterable[ModeChange] = (),
        memories: Mapping[EntityId, Memory] | None = None,
        absences: Absences = (),
    ) -> None:
        self.states: dict[EntityId, State] = dict(states or {})
        self.memories: dict[EntityId, Memory] = dict(memories or {})
        self.slots: dict[SlotKey, Slot] = {}
        self.modes: dict[Mode, ModeChange] = {}
        self.absences = absences
        """When the hub or its link was away (hub.engine.listening)."""
        self._wakes: list[tuple[Instant, WakeKey]] = []
        self.apply(Step(slots=dict(slots or {}), modes=tuple(modes)))

    def apply(self, step: Step) -> None:
        """Take over what ``step`` changed."""
        self.states.update(step.states)
        self.memories.update(step.memories)
        for key, slot in step.slots.items():
            if slot is None:
                self.slots.pop(key, None)
            else:
                self.slots[key] = slot
                if slot.wake is not None:
                    heapq.heappush(self._wakes, (slot.wake, key))
        if len(self._wakes) > FEW and len(self._wakes) > MANY * len(self.slots):
            self._forget_superseded()
        if step.absences is not None:
            self.absences = step.absences
        for change in step.modes:
            if change.on:
                self.modes[change.mode] = change
                if change.until is not None:
                    heapq.heappush(self._wakes, (change.until, ("", change.mode)))
            else:
                self.modes.pop(change.mode, None)

    def next_wake(self) -> Instant | None:
        """Return when something is due, or None."""
        while self._wakes and self._wake_of(self._wakes[0][1]) != self._wakes[0][0]:
            heapq.heappop(self._wakes)  # superseded: the slot ended, or wants another time
        return self._wakes[0][0] if self._wakes else None

    def take_due(self, now: Instant) -> WakeKey | None:
        """Return one thing that is due and forget that it was, so that a step without progress cannot repeat it."""
        wake = self.next_wake()
        if wake is None or wake > now:
            return None
        return heapq.heappop(self._wakes)[1]

    def _forget_superseded(self) -> None:
        """Keep one wake of each slot: a contact that bounces all day must not fill the memory."""
        wakes = [(slot.wake, key) for key, slot in self.slots.items() if slot.wake is not None]
        expiries = [(change.until, ("", mode)) for mode, change in self.modes.items() if change.until is not None]
        self._wakes = [*wakes, *expiries]
        heapq.heapify(self._wakes)

    def _wake_of(self, key: WakeKey) -> Instant | None:
        if key[0] == "":
            change = self.modes.get(Mode(key[1]))
            return None if change is None else change.until
        slot = self.slots.get(key)  # type: ignore[call-overload]  # a SlotKey is such a pair
        return None if slot is None else slot.wake
