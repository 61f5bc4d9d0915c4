"""Which entities exist, who brought them, and which topics lead to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.model.ids import EntityId
from hub.model.reading import VALUES, Capability, Entity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hub.sdk import Device, Driver, Equipment, Route, Sample


class Owned(msgspec.Struct, frozen=True):
    """An entity and the integration that brought it."""

    entity: Entity
    integration: str


class Change(msgspec.Struct, frozen=True):
    """What an announcement changed."""

    listen: tuple[str, ...] = ()
    """Topics that lead somewhere now and did not before."""
    unlisten: tuple[str, ...] = ()
    withdrawn: tuple[EntityId, ...] = ()
    refused: tuple[str, ...] = ()
    """Entities that another announcement owns already."""


class Registry:
    """Everything that was announced or configured. One owner per entity; the first one keeps it."""

    def __init__(self) -> None:
        self._entities: dict[EntityId, Owned] = {}
        self._announced: dict[tuple[str, str], tuple[Device, ...]] = {}
        self._routes: dict[str, dict[tuple[str, str], tuple[Route, ...]]] = {}
        self._drivers: dict[EntityId, Driver] = {}

    def announce(self, integration: str, topic: str, devices: tuple[Device, ...]) -> Change:
        """Replace what a discovery topic announces."""
        key = (integration, topic)
        before = self._announced.pop(key, ())
        old = {entity.id for device in before for entity in device.entities}
        for entity_id in old:
            del self._entities[entity_id]
        refused = tuple(entity.id for device in devices for entity in device.entities if entity.id in self._entities)
        kept = tuple(device for device in devices if not any(entity.id in refused for entity in device.entities))
        new = {entity.id: entity for device in kept for entity in device.entities}
        self._entities.update({name: Owned(entity, integration) for name, entity in new.items()})
        if kept:
            self._announced[key] = kept
        topics_before = self._reroute(key, before, kept)
        return Change(
            listen=tuple(sorted(_topics(kept) - topics_before)),
            unlisten=tuple(sorted(name for name in topics_before if name not in self._routes)),
            withdrawn=tuple(sorted(old - set(new))),
            refused=refused,
        )

    def equip(self, integration: str, equipment: Iterable[Equipment]) -> None:
        """Add commanded devices."""
        for item in equipment:
            self._entities[item.entity.id] = Owned(item.entity, integration)
            self._drivers[item.entity.id] = item.driver

    def routes(self, topic: str) -> tuple[tuple[str, Route], ...]:
        """Return the decoders of a topic, each with its integration."""
        owners = self._routes.get(topic)
        if owners is None:
            return ()
        return tuple((integration, route) for (integration, _), routes in owners.items() for route in routes)

    def topics(self) -> tuple[str, ...]:
        """Return every topic that leads somewhere."""
        return tuple(self._routes)

    def entity(self, entity: EntityId) -> Entity | None:
        """Return what is known of an entity."""
        owned = self._entities.get(entity)
        return None if owned is None else owned.entity

    def takes(self, integration: str, sample: Sample) -> bool:
        """Tell whether a sample is of the integration's own entity and of that entity's kind."""
        owned = self._entities.get(sample.entity)
        if owned is None or owned.integration != integration:
            return False
        if sample.value is None:
            return True
        return isinstance(sample.value, VALUES.get(owned.entity.capability, float))

    def driver(self, entity: EntityId) -> Driver | None:
        """Return what commands an entity."""
        return self._drivers.get(entity)

    @property
    def entities(self) -> Mapping[EntityId, Owned]:
        """Return all entities."""
        return self._entities

    def sensed(self) -> tuple[EntityId, ...]:
        """Return the entities that speak through messages."""
        commanded = {Capability.CAMERA, Capability.SPEAKER, Capability.RELAY}
        return tuple(name for name, owned in self._entities.items() if owned.entity.capability not in commanded)

    def _reroute(self, key: tuple[str, str], before: tuple[Device, ...], after: tuple[Device, ...]) -> set[str]:
        """Replace the routes of one announcement; return the topics that it had."""
        topics_before = _topics(before)
        for topic in topics_before:
            owners = self._routes[topic]
            owners.pop(key, None)
            if not owners:
                del self._routes[topic]
        routes: dict[str, list[Route]] = {}
        for device in after:
            for route in device.routes:
                routes.setdefault(route.topic, []).append(route)
        for topic, found in routes.items():
            self._routes.setdefault(topic, {})[key] = tuple(found)
        return topics_before


def _topics(devices: tuple[Device, ...]) -> set[str]:
    return {route.topic for device in devices for route in device.routes}
