"""Home Assistant MQTT discovery: devices that announce themselves in retained messages.

Wire format: Home Assistant documentation, "MQTT" (discovery topic, discovery payload, abbreviations, device discovery),
"MQTT binary sensor" and "MQTT sensor". What is read, approximated and refused: docs/integrations/mqtt.md.

One Route is made for each (entity, topic): several entities on one state topic are decoded apart from each other, so
that one broken value does not hide the others.
"""

from __future__ import annotations

from hub.sdk import Announcement, DecodeError, Device, EntityId, Message, Plugin, Text, clean, json_object
from integrations.mqtt_discovery.component import Component, build, describe_device
from integrations.mqtt_discovery.config import DOMAIN, Config, filters, parse_topic
from integrations.mqtt_discovery.keys import expand, split

plugin = Plugin(DOMAIN)


@plugin.announcement(Config, filters)
def announce(message: Message, config: Config) -> Announcement:
    """Read one discovery message. A part that cannot be used is refused in a sentence, the rest of it is used.

    An empty payload withdraws the device. Raises DecodeError when the payload is not a JSON object.
    """
    place = parse_topic(message.topic, config.prefix)
    if place is None:
        return Announcement(refused=(clean(f"{message.topic} is not a discovery topic", 200),))
    if not message.payload:
        return Announcement()
    options = expand(json_object(message.payload))
    refused: list[str] = []
    built: dict[EntityId, Component] = {}
    try:
        owner = describe_device(options, place.object_id)
        parts = split(options, place)
    except DecodeError as error:
        return Announcement(refused=(clean(f"{place.platform} {place.object_id}: {error.reason}", 200),))
    for part in parts:
        try:
            component = build(part, owner, taken=built.keys())
            built[component.entity.id] = component
        except DecodeError as error:
            refused.append(clean(f"{part.platform} {part.object_id}: {error.reason}", 200))
    if not built:
        return Announcement(refused=tuple(refused))
    entities = tuple(component.entity for component in built.values())
    device = Device(
        id=owner.id,
        name=Text(zh=owner.name or entities[0].name.zh),
        entities=entities,
        routes=tuple(route for component in built.values() for route in component.routes),
    )
    return Announcement(devices=(device,), refused=tuple(refused))
