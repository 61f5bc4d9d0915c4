"""Hikvision cameras and recorders by ISAPI: events as they happen, still pictures, and speech where one has a speaker.

One device is one channel: a camera, or one input of a recorder.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from hub.sdk import (
    Capability,
    Connection,
    Entity,
    Equipment,
    Plugin,
    Text,
    Tools,
    Unsupported,
    check_address,
    clean,
    multipart,
)
from hub.sdk import entity_id as new_id
from integrations.hikvision.camera import HikvisionCamera
from integrations.hikvision.config import DOMAIN, Config
from integrations.hikvision.kinds import KINDS
from integrations.hikvision.session import Listener
from integrations.hikvision.speaker import HikvisionSpeaker
from integrations.hikvision.stream import asked

plugin = Plugin(DOMAIN)


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> Connection | tuple[Equipment, ...]:
    """Open the event stream of one camera; without events, only check the configuration. Raises DeviceError."""
    base = _base(config.address)
    device = clean(config.name.zh)
    camera = Entity(new_id(DOMAIN, name), Capability.CAMERA, config.name, device)
    equipment = [Equipment(camera, HikvisionCamera(tools.http, base, config))]
    if config.speaker == "builtin":
        entity = Entity(
            new_id(DOMAIN, f"{name}_speaker"), Capability.SPEAKER, _named(config, Text("喇叭", "speaker")), device
        )
        equipment.append(Equipment(entity, HikvisionSpeaker(tools.http, base, config)))
    events = {
        event: Entity(new_id(DOMAIN, f"{name}_{event}"), kind.capability, _named(config, kind.name), device)
        for event, kind in KINDS.items()
        if event in config.events
    }
    if not events:
        return tuple(equipment)
    equipment += [Equipment(entity) for entity in events.values()]
    stream = await multipart.open_stream(tools.http, asked(base, config))
    listener = Listener(stream, tools, config, {event: entity.id for event, entity in events.items()})
    return Connection(tuple(equipment), listener.run, listener.close)


def _base(address: str) -> str:
    """Return scheme, host and port. Raises Unsupported."""
    check_address(address, "http", "https")
    parts = urlsplit(address)
    if parts.path not in {"", "/"} or parts.query or parts.fragment or not parts.netloc.isascii():
        raise Unsupported("enter the address without anything behind host and port")
    return f"{parts.scheme}://{parts.netloc}"


def _named(config: Config, what: Text) -> Text:
    return Text(f"{config.name.zh} {what.zh}", f"{config.name.en or config.name.zh} {what.en}")
