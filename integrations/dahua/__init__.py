"""Dahua cameras and recorders (and those of its other brands) by their CGI: events as they happen, still pictures.

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
from integrations.dahua.camera import DahuaCamera
from integrations.dahua.config import DOMAIN, Config
from integrations.dahua.kinds import KINDS
from integrations.dahua.session import Listener
from integrations.dahua.stream import asked

plugin = Plugin(DOMAIN)


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> Connection | tuple[Equipment, ...]:
    """Open the event stream of one camera; without events, only check the configuration. Raises DeviceError."""
    base = _base(config.address)
    device = clean(config.name.zh)
    camera = Entity(new_id(DOMAIN, name), Capability.CAMERA, config.name, device)
    equipment = (Equipment(camera, DahuaCamera(tools.http, base, config)),)
    events = {
        event: Entity(new_id(DOMAIN, f"{name}_{event}"), kind.capability, _named(config, kind.name), device)
        for event, kind in KINDS.items()
        if event in config.events
    }
    if not events:
        return equipment
    stream = await multipart.open_stream(tools.http, asked(base, config))
    listener = Listener(stream, tools, base, config, {event: entity.id for event, entity in events.items()})
    sensed = tuple(Equipment(entity) for entity in events.values())
    return Connection((*equipment, *sensed), listener.run, listener.close)


def _base(address: str) -> str:
    """Return scheme, host and port. Raises Unsupported."""
    check_address(address, "http", "https")
    parts = urlsplit(address)
    if parts.path not in {"", "/"} or parts.query or parts.fragment or not parts.netloc.isascii():
        raise Unsupported("enter the address without anything behind host and port")
    return f"{parts.scheme}://{parts.netloc}"


def _named(config: Config, what: Text) -> Text:
    return Text(f"{config.name.zh} {what.zh}", f"{config.name.en or config.name.zh} {what.en}")
