"""A person's word at the duty desk as a reading of the hub's own entity, in the zone's role `review`: rules hear it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.engine.terms import Is, Preceded
from hub.model.reading import NEVER_HEARD, Alarm, Capability, Entity, Quality, Reading
from hub.model.site import Role, word_of
from hub.model.text import Text
from hub.model.time import SECOND, Instant
from hub.runtime.troubles import DOMAIN
from hub.sdk import Equipment

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.engine.terms import Term
    from hub.model.execution import Clock
    from hub.model.ids import EntityId
    from hub.model.site import Site, Zone
    from hub.runtime.batch import Batch
    from hub.runtime.core import Runtime
    from hub.runtime.registry import Registry

DEVICE = "desk"
#: What people call it, among other devices.
_CALLED = "值班台"
#: A word is a moment, not a state: what is seen afterwards is not reviewed by it.
HOLD = SECOND
_NAME = Text("值班台复核", "Review at the desk")


class Reviews:
    """Says that a person has looked and confirms; each zone has an entity of its own."""

    def __init__(self, site: Callable[[], Site], registry: Registry, runtime: Runtime, clock: Clock) -> None:
        self._site = site
        self._registry = registry
        self._runtime = runtime
        self._clock = clock

    def look(self) -> None:
        """Begin, and look again when the site was edited; a word that a restart cut short ends."""
        entities = [Entity(name, Capability.ALARM, _NAME, device=_CALLED) for name in self._words()]
        self._registry.equip(DOMAIN, DEVICE, [Equipment(one) for one in entities])
        self._runtime.post(self._rest)

    def confirm(self, zone: Zone) -> None:
        """Say that what a zone's rules saw is so, and a moment later no more."""
        word = word_of(zone.id)
        self._runtime.post(lambda batch: batch.feed(Reading(word, Alarm.ACTIVE, Quality.GOOD, batch.now)))
        self._clock.call_at(Instant(self._clock.now() + HOLD), lambda: self._runtime.post(self._rest))

    def awaited(self, zone: Zone) -> bool:
        """Tell whether a rule that is active begins with a person's word in this zone."""
        slots = self._runtime.program.slots.values()
        return word_of(zone.id) in zone.bound(Role.REVIEW) and any(
            slot.zone.id == zone.id and _asks(slot.rule.trigger.condition) for slot in slots
        )

    def _words(self) -> list[EntityId]:
        return [word_of(zone.id) for zone in self._site().zones.values() if word_of(zone.id) in zone.bound(Role.REVIEW)]

    def _rest(self, batch: Batch) -> None:
        for word in self._words():
            known = batch.state.states.get(word, NEVER_HEARD)
            if (known.value, known.quality) != (Alarm.CLEAR, Quality.GOOD):
                batch.feed(Reading(word, Alarm.CLEAR, Quality.GOOD, batch.now))


def _asks(term: Term) -> bool:
    match term:
        case Is(role=Role.REVIEW) | Preceded(term=Is(role=Role.REVIEW)):
            return True
        case _:
            return False
