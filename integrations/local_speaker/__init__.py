"""The sound card of this machine, played through ``aplay`` (ALSA) or ``pw-play`` (PipeWire) as a child process."""

from __future__ import annotations

from hub.sdk import Capability, Entity, Equipment, Plugin, Tools, clean, entity_id
from integrations.local_speaker.config import DOMAIN, Config
from integrations.local_speaker.speaker import LocalSpeaker

plugin = Plugin(DOMAIN)


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> tuple[Equipment, ...]:
    """Find the program; it runs only while there is something to say. Raises Unsupported where it is missing."""
    driver = LocalSpeaker(config)
    entity = Entity(
        id=entity_id(DOMAIN, name), capability=Capability.SPEAKER, name=config.name, device=clean(config.name.zh)
    )
    return (Equipment(entity, driver),)
