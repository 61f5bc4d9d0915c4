"""From one announced component to an entity and its routes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from hub.sdk import DecodeError, Entity, EntityId, Message, Quality, Route, Sample, Text, Value, clean, entity_id
from integrations.mqtt_discovery.availability import availability_routes
from integrations.mqtt_discovery.binary_sensor import Kind, binary_sensor
from integrations.mqtt_discovery.config import DOMAIN
from integrations.mqtt_discovery.keys import Part
from integrations.mqtt_discovery.options import seconds, text, topic
from integrations.mqtt_discovery.sensor import sensor
from integrations.mqtt_discovery.template import Operand, Template, render
from integrations.mqtt_discovery.template_parser import parse

_PLATFORMS: dict[str, Callable[[dict[str, Any]], Kind]] = {"binary_sensor": binary_sensor, "sensor": sensor}


@dataclass(frozen=True, slots=True)
class Owner:
    """The physical unit that a message speaks of. ``name`` is cleaned, and empty where the message has no device."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Component:
    """One entity and how its messages are decoded."""

    entity: Entity
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class State:
    """The state topic of one entity."""

    entity: EntityId
    template: Template
    read: Callable[[str], Value | None]


def describe_device(options: dict[str, Any], object_id: str) -> Owner:
    """Read the ``device`` of a message; its first identifier, else its first connection, names it."""
    device = options.get("device", {})
    if not isinstance(device, dict):
        raise DecodeError("device is not an object")
    identifiers = device.get("identifiers") or device.get("connections") or object_id
    first = identifiers[0] if isinstance(identifiers, list) else identifiers
    if isinstance(first, list):  # a connection is a pair such as ["mac", "02:5b:26:a8:dc:12"]
        first = "_".join(part for part in first if isinstance(part, str))
    if not isinstance(first, str | int):
        raise DecodeError("the identifiers of the device are neither a text nor a list of texts")
    return Owner(entity_id(DOMAIN, str(first)), clean(text(device, "name")) or (clean(str(first)) if device else ""))


def build(part: Part, owner: Owner, taken: Collection[EntityId]) -> Component:
    """Make the entity of one component, its id not one of ``taken``.

    Raises DecodeError with the reason when it cannot be used.
    """
    if part.platform not in _PLATFORMS:
        raise DecodeError("components of this kind are not supported")
    options = part.options
    if text(options, "encoding", "utf-8").lower() not in {"utf-8", "utf8"}:
        raise DecodeError("only texts in UTF-8 are read")
    kind = _PLATFORMS[part.platform](options)
    identity = entity_id(DOMAIN, text(options, "unique_id") or part.object_id)
    if identity in taken:
        raise DecodeError("another component of this message has the same unique_id")
    # without a name it is called after its class; name null says "like the device" (HA documentation, "name")
    usual = "" if "name" in options else clean(text(options, "device_class"))
    name = clean(text(options, "name")) or usual or owner.name or clean(part.object_id)
    template = text(options, "value_template")
    state = State(identity, parse(template) if template else Operand(), kind.read)
    entity = Entity(
        id=identity,
        capability=kind.capability,
        name=Text(zh=name),
        device=owner.name or name,
        unit=kind.unit,
        expire_after=seconds(options, "expire_after"),
    )
    return Component(
        entity,
        (Route(topic(options, "state_topic"), partial(decode_state, state)), *availability_routes(identity, options)),
    )


def decode_state(state: State, message: Message) -> tuple[Sample, ...]:
    """Turn one message on a state topic into a value; nothing when it does not speak of this entity."""
    text_of_state = render(state.template, message.payload)
    if not text_of_state:
        return ()
    value = state.read(text_of_state)
    return (Sample(state.entity, value, Quality.UNKNOWN if value is None else Quality.GOOD),)
