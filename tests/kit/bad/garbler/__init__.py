"""A decoder that reads well until a message tells it not to: ``integrations.rogue`` for messages."""

from __future__ import annotations

from importlib import import_module

import msgspec

from hub.sdk import (
    Announcement,
    Capability,
    Contact,
    DecodeError,
    Device,
    Entity,
    Message,
    Plugin,
    Route,
    Sample,
    Text,
    entity_id,
)

plugin = Plugin("garbler")
BAD = import_module("integrations.rogue").BAD


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing that matters: the messages say how to misbehave."""

    how: str = "well"


@plugin.announcement(Config, lambda _: ("garbler/find/+",))
def announce(message: Message, config: Config) -> Announcement:
    """Announce the door that the payload names."""
    name = message.payload.decode()
    if not name:
        return Announcement()
    if name.startswith("meter"):
        return _meter(name)
    door = Entity(entity_id("garbler", name), Capability.CONTACT, Text(name), name)

    def decode(message: Message) -> tuple[Sample, ...]:
        word = message.payload.decode()
        if word == "refuse":
            raise DecodeError("not a state")
        if word == "foreign":
            return (Sample(entity_id("garbler", "neighbour"), Contact.OPEN),)
        if word in BAD:
            BAD[word]()
        return (Sample(door.id, Contact(word)),)

    return Announcement((Device(name, Text(name), (door,), (Route(f"garbler/state/{name}", decode),)),))


def _meter(name: str) -> Announcement:
    """Announce a device with nothing but a number."""
    meter = Entity(entity_id("garbler", name), Capability.MEASURE, Text(name), name)

    def decode(message: Message) -> tuple[Sample, ...]:
        return (Sample(meter.id, float(message.payload)),)

    return Announcement((Device(name, Text(name), (meter,), (Route(f"garbler/state/{name}", decode),)),))
