"""A loudspeaker that is a folder (or nothing at all): for trying rules out, for demonstrations and for tests."""

from __future__ import annotations

from hub.sdk import Capability, Entity, Equipment, Plugin, Tools, clean, entity_id
from integrations.file_speaker.config import DOMAIN, Config, folder
from integrations.file_speaker.speaker import FileSpeaker, NullSpeaker

plugin = Plugin(DOMAIN)


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> tuple[Equipment, ...]:
    """Name the folder; the first utterance makes it. Raises Unsupported for a path out of the data folder."""
    driver = NullSpeaker() if config.sink == "null" else FileSpeaker(folder(tools.data, config.path), config.keep)
    entity = Entity(
        id=entity_id(DOMAIN, name), capability=Capability.SPEAKER, name=config.name, device=clean(config.name.zh)
    )
    return (Equipment(entity, driver),)
