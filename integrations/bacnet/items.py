"""Turns the configuration into objects to read and the entities that come of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from hub.sdk import Capability, Entity, EntityId, Text, Unsupported, clean, entity_id
from integrations.bacnet.answers import BINARY_INPUT, LIFT, Target
from integrations.bacnet.config import DOMAIN, Config, InputConfig, LiftConfig, Name
from integrations.bacnet.points import (
    INPUT_CAPABILITIES,
    INPUT_PROPERTIES,
    LIFT_POINTS,
    LIFT_PROPERTIES,
    Known,
    LiftPoint,
    Said,
    read_input,
)

#: Seconds after which an unchanged value is reported again.
REFRESH = 5.0
#: Rounds without a word after which an entity is stale.
_SILENT_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Sensed:
    """An entity, and how it is read from what the device says of its object."""

    entity: Entity
    read: Callable[[Said], Known]


@dataclass(frozen=True, slots=True)
class Item:
    """One object with all that is read from it."""

    target: Target
    props: tuple[int, ...]
    sensed: tuple[Sensed, ...]


def items(name: str, config: Config) -> tuple[Item, ...]:
    """Return all objects of the device ``name``. Raises Unsupported for two entities of one name, or none at all."""
    found = (
        *(_lift(name, config, lift) for lift in config.lifts),
        *(_input(name, config, one) for one in config.inputs),
    )
    seen: set[EntityId] = set()
    for sensed in (sensed for item in found for sensed in item.sensed):
        if sensed.entity.id in seen:
            raise Unsupported(f"two lifts or inputs are `{sensed.entity.id}`: give each a key of its own")
        seen.add(sensed.entity.id)
    if not seen:
        raise Unsupported("nothing to read: enter lifts or inputs")
    return found


def _lift(name: str, config: Config, lift: LiftConfig) -> Item:
    def entity(point: LiftPoint) -> Entity:
        own = _text(lift.name)
        title = Text(f"{own.zh} {point.name.zh}", f"{own.en or own.zh} {point.name.en}")
        return _entity(name, config, f"{lift.key}_{point.key}", title, point.capability, point.unit)

    def reading(point: LiftPoint) -> Callable[[Said], Known]:
        return lambda said: point.read(said, lift)

    sensed = tuple(Sensed(entity(point), reading(point)) for point in LIFT_POINTS)
    return Item(Target(LIFT, lift.instance), LIFT_PROPERTIES, sensed)


def _input(name: str, config: Config, one: InputConfig) -> Item:
    entity = _entity(name, config, one.key, _text(one.name), INPUT_CAPABILITIES[one.meaning])
    return Item(
        Target(BINARY_INPUT, one.instance), INPUT_PROPERTIES, (Sensed(entity, partial(read_input, config=one)),)
    )


def _entity(name: str, config: Config, key: str, title: Text, capability: Capability, unit: str = "") -> Entity:
    silence = _SILENT_ROUNDS * (REFRESH + config.poll_s + config.timeout_s)
    return Entity(
        id=entity_id(DOMAIN, f"{name}_{key}"),
        capability=capability,
        name=title,
        device=clean(config.name.zh),
        unit=unit,
        expire_after=round(silence * 1_000_000),
    )


def _text(name: Name) -> Text:
    return name if isinstance(name, Text) else Text(name)
