"""From one device of the list to its entities and routes, and the decoding of what it sends."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from hub.sdk import (
    DecodeError,
    Device,
    Entity,
    EntityId,
    Message,
    Quality,
    Route,
    Sample,
    Text,
    Value,
    clean,
    entity_id,
    json_object,
)
from integrations.zigbee2mqtt.config import DOMAIN
from integrations.zigbee2mqtt.exposes import Property, properties
from integrations.zigbee2mqtt.wire import Entry

_IEEE = re.compile(r"0x[0-9a-fA-F]{1,16}\Z")
#: Longest friendly name, in characters, so that its topics stay short.
_LONGEST = 256
_ONLINE = {"online": Quality.GOOD, "offline": Quality.STALE}


def describe(entry: Entry, base: str) -> tuple[Device, list[str]]:
    """Return a device and sentences on what of it could not be used. Raises DecodeError when nothing can."""
    if not _IEEE.match(entry.ieee_address):
        raise DecodeError(f"'{clean(entry.ieee_address, 40)}' is not an IEEE address")
    name = clean(entry.friendly_name)
    _check_name(entry.friendly_name)
    if entry.interviewing:
        raise DecodeError(f"{name} is still being interviewed")
    if entry.definition is None or not entry.supported:
        raise DecodeError(f"{name} is not supported by Zigbee2MQTT")
    notes: list[str] = []
    entities: dict[EntityId, Entity] = {}
    routes: list[Route] = []
    for found in properties(entry.definition.exposes, notes):
        identity = entity_id(DOMAIN, f"{entry.ieee_address}_{found.key}")
        if identity in entities:
            notes.append(f"{clean(found.key, 40)} is exposed twice")
            continue
        entities[identity] = Entity(
            id=identity,
            capability=found.capability,
            name=found.name,
            device=name,
            unit=found.unit,
        )
        routes += _routes(identity, found, f"{base}/{entry.friendly_name}", f"{base}/bridge/state")
    device = Device(entry.ieee_address.lower(), Text(zh=name), tuple(entities.values()), tuple(routes))
    return device, [f"{name}: {note}" for note in notes]


def _check_name(name: str) -> None:
    """Refuse a name that cannot be part of a topic: wildcards, and control characters at which a broker may hang up."""
    solid = name.replace(" ", "_")
    if not name or set(name) & set("+#") or clean(solid, _LONGEST) != solid:
        raise DecodeError(f"the friendly name '{clean(name, 40)}' cannot be part of a topic")


def _routes(identity: EntityId, found: Property, topic: str, bridge: str) -> tuple[Route, ...]:
    return (
        Route(topic, partial(decode_property, identity, found.key, found.read)),
        Route(f"{topic}/availability", partial(decode_availability, identity)),
        Route(bridge, partial(decode_bridge, identity)),
    )


def decode_property(
    entity: EntityId, key: str, read: Callable[[object], Value], message: Message
) -> tuple[Sample, ...]:
    """Read one property of a device's message: absent is nothing said, null is not known."""
    if not message.payload:
        return ()
    properties_sent = json_object(message.payload)
    if key not in properties_sent:
        return ()
    raw = properties_sent[key]
    if raw is None:
        return (Sample(entity, None, Quality.UNKNOWN),)
    return (Sample(entity, read(raw)),)


def decode_availability(entity: EntityId, message: Message) -> tuple[Sample, ...]:
    """Read ``{"state": "online"}`` or, from bridges before 1.32 and by setting, the plain word."""
    if not message.payload:
        return ()
    quality = _ONLINE.get(_state(message.payload))
    if quality is None:
        raise DecodeError("the availability is neither online nor offline")
    return (Sample(entity, None, quality),)


def decode_bridge(entity: EntityId, message: Message) -> tuple[Sample, ...]:
    """Read the bridge's own state. Its return says nothing of a device; the bridge then publishes each one anew."""
    return tuple(sample for sample in decode_availability(entity, message) if sample.quality is Quality.STALE)


def _state(payload: bytes) -> str:
    if not payload.lstrip().startswith(b"{"):
        return payload.decode(errors="replace").strip()
    state = json_object(payload).get("state")
    return state if isinstance(state, str) else ""
