"""Which entities exist, who brought them, and which topics lead to them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from hub.model.ids import EntityId
from hub.model.reading import COMMANDED, VALUES, Capability, Entity
from hub.sdk import Vitals

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hub.sdk import Device, Driver, Equipment, Route, Sample


class Owned(msgspec.Struct, frozen=True):
    """An entity and the integration that brought it."""

    entity: Entity
    integration: str
    session: str = ""
    """Name of the configured device that brought it; empty for one that was announced by a message."""


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
        self._brought: dict[tuple[str, str], tuple[EntityId, ...]] = {}
        self._vitals: dict[tuple[str, str], Vitals] = {}

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

    def equip(self, integration: str, name: str, equipment: Iterable[Equipment]) -> tuple[EntityId, ...]:
        """Replace what the configured device ``name`` brings; return the entities that belong to another."""
        key = (integration, name)
        for entity in self._brought.pop(key, ()):
            del self._entities[entity]
            self._drivers.pop(entity, None)
        mine: list[EntityId] = []
        refused: list[EntityId] = []
        for item in equipment:
            entity = item.entity.id
            if entity in self._entities or not entity.startswith(f"{integration}."):
                refused.append(entity)
                continue
            mine.append(entity)
            self._entities[entity] = Owned(item.entity, integration, session=name)
            if item.driver is not None:
                self._drivers[entity] = item.driver
        self._brought[key] = tuple(mine)
        return tuple(refused)

    def brought(self, integration: str, name: str) -> tuple[EntityId, ...]:
        """Return the entities of a configured device."""
        return self._brought.get((integration, name), ())

    def by_message(self, entity: EntityId) -> bool:
        """Tell whether an entity is known and speaks through the broker, not through a session."""
        owned = self._entities.get(entity)
        return owned is not None and not owned.session

    def note_vitals(self, integration: str, vitals: Vitals) -> None:
        """Keep how a unit is; what it does not say stays."""
        key = (integration, vitals.device)
        known = self._vitals.get(key, vitals)
        self._vitals[key] = Vitals(
            vitals.device,
            known.battery if vitals.battery is None else vitals.battery,
            known.signal if vitals.signal is None else vitals.signal,
        )

    def vitals(self, integration: str, device: str) -> Vitals | None:
        """Return how a unit is, as far as it says."""
        return self._vitals.get((integration, device))

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
        if owned.entity.capability is Capability.MEASURE:
            return isinstance(sample.value, float) and math.isfinite(sample.value)
        return isinstance(sample.value, VALUES.get(owned.entity.capability, ()))

    def driver(self, entity: EntityId) -> Driver | None:
        """Return what commands an entity."""
        return self._drivers.get(entity)

    @property
    def entities(self) -> Mapping[EntityId, Owned]:
        """Return all entities."""
        return self._entities

    def sensed(self) -> tuple[EntityId, ...]:
        """Return the entities that speak through messages."""
        return tuple(name for name, owned in self._entities.items() if owned.entity.capability not in COMMANDED)

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
