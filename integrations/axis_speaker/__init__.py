"""Network loudspeakers, intercoms and cameras of Axis that take sound by VAPIX.

Wire format (developer.axis.com, VAPIX, Audio systems, Audio API, "Transmit audio")::

    POST /axis-cgi/audio/transmit.cgi
    Content-Type: audio/basic        G.711 µ-law, 8 kHz, mono, sent in the time it takes to hear it
    Content-Length: <samples>
    Authorization: Digest …          or Basic, as the device asks

The device answers when it has played all. It has no parameter for the volume: the samples are scaled.
"""

from __future__ import annotations

import asyncio

from hub.sdk import Capability, Entity, Equipment, Plugin, Tools, Unsupported, check_address, clean, entity_id, g711
from integrations.axis_speaker.config import DOMAIN, Config
from integrations.axis_speaker.speaker import AxisSpeaker

plugin = Plugin(DOMAIN)


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> tuple[Equipment, ...]:
    """Check the configuration; the network is asked only to play. Raises Unsupported."""
    check_address(config.url, "http", "https")
    if ":" in config.user:
        raise Unsupported("a user's name cannot have a colon (RFC 7617)")
    await asyncio.to_thread(g711.table, "pcmu")  # 50 ms once, not on the loop in mid-speech
    entity = Entity(
        id=entity_id(DOMAIN, name), capability=Capability.SPEAKER, name=config.name, device=clean(config.name.zh)
    )
    return (Equipment(entity, AxisSpeaker(tools.http, config)),)
