"""Cameras and recorders by ONVIF (Profiles S and T): pictures, events by PullPoint, and speech by the back channel.

Requests are SOAP 1.2 envelopes written by hand (``soap.py``) and sent with ``fetch``; the camera's clock is read first,
as the log-in carries a time. Addresses that the camera names are followed on its own host only (``address.py``).
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import AsyncExitStack
from functools import partial

from hub.sdk import (
    Capability,
    Connection,
    Entity,
    Equipment,
    Plugin,
    Text,
    Tools,
    Unsupported,
    clean,
    entity_id,
    slug,
)
from integrations.onvif import media
from integrations.onvif.board import Board, Channel
from integrations.onvif.camera import OnvifCamera
from integrations.onvif.client import Client, soap_session
from integrations.onvif.config import DOMAIN, Config
from integrations.onvif.events import PullPoint
from integrations.onvif.kinds import BY_ID, Kind
from integrations.onvif.ptz import TurningCamera
from integrations.onvif.talk import BackChannel
from integrations.onvif.watch import watch

plugin = Plugin(DOMAIN)


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> Connection:
    """Log in, find out what the camera offers, and subscribe. Raises DeviceError.

    A camera without events still gives pictures, one without pictures still gives events; Unsupported for neither, and
    where ``sources`` asks for events that the camera does not offer.
    """
    async with AsyncExitStack() as stack:
        client = Client(await stack.enter_async_context(soap_session(tools.http)), config)
        await client.read_clock()
        services = await media.services(client)
        profiles = await media.profiles(client, services)
        profile = media.choose(profiles, config.profile)
        kind = TurningCamera if media.PTZ in services else OnvifCamera
        camera = kind(tools.http, client, config, services, profile, await _stream(client, services, profile))
        speaker = _speaker(camera.stream, config)
        no_pictures = await _refusal(camera.address())
        point = PullPoint(client, services.get(media.EVENTS, ""))
        stack.push_async_callback(point.close)
        no_events = await _refusal(point.open()) if config.events else "switched off"
        if no_events and (config.sources or (no_pictures and speaker is None)):
            raise Unsupported("; ".join(filter(None, (no_pictures, f"no events: {no_events}"))))
        channels = () if no_events else _channels(name, config, await point.kinds())
        board = Board(channels, config.hold_s, media.others(profiles, profile))
        run = partial(watch, point, board, tools) if channels else None
        return Connection(_equipment(name, config, (camera, speaker), channels), run, stack.pop_all().aclose)


async def _refusal(attempt: Awaitable[object]) -> str:
    """Return why the camera does not offer something, or an empty text. Raises every other DeviceError."""
    try:
        await attempt
    except Unsupported as error:
        return error.reason
    return ""


async def _stream(client: Client, services: dict[str, str], profile: media.Profile) -> str:
    try:
        return await media.stream_address(client, services, profile)
    except Unsupported:
        return ""


def _channels(name: str, config: Config, kinds: tuple[Kind, ...]) -> tuple[Channel, ...]:
    """Return one entity for each kind by any source, and one for each source that the site names."""
    all_of_a_kind = [Channel(entity_id(DOMAIN, f"{name}_{kind.id}"), kind) for kind in kinds]
    wanted = [(BY_ID[kind], source) for kind, _, source in (each.partition(":") for each in config.sources)]
    ones = [Channel(entity_id(DOMAIN, f"{name}_{kind.id}_{slug(source)}"), kind, source) for kind, source in wanted]
    return tuple({channel.entity: channel for channel in [*all_of_a_kind, *ones]}.values())


def _speaker(stream: str, config: Config) -> BackChannel | None:
    """Return what speaks through the camera where the site wants it. Raises Unsupported for one without a stream."""
    if config.speaker == "none":
        return None
    if not stream:
        raise Unsupported("the camera names no stream, so it has no back channel for sound")
    return BackChannel(stream, config)


def _equipment(
    name: str, config: Config, drivers: tuple[OnvifCamera, BackChannel | None], channels: tuple[Channel, ...]
) -> tuple[Equipment, ...]:
    device = clean(config.name.zh)
    camera, speaker = drivers
    taking = [Equipment(Entity(entity_id(DOMAIN, name), Capability.CAMERA, config.name, device), camera)]
    if speaker is not None:
        title = Text(f"{config.name.zh} 喇叭", f"{config.name.en or config.name.zh}: loudspeaker")
        entity = Entity(entity_id(DOMAIN, f"{name}_speaker"), Capability.SPEAKER, title, device)
        taking.append(Equipment(entity, speaker))
    sensing = (
        Entity(channel.entity, channel.kind.capability, channel.title(config.name), device) for channel in channels
    )
    return (*taking, *(Equipment(entity) for entity in sensing))
