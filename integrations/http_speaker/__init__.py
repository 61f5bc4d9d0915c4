"""Loudspeakers and gateways that take a clip by HTTP. The request is plain, for what an integrator can adapt:

::

    POST <url>?volume=<0 to 100>
    Content-Type: audio/wav                  mono, 16-bit PCM, 8 kHz
    Idempotency-Key: <32 hexadecimal digits> names the utterance; a repeat after a crash carries the same

Any 2xx means that the device took the clip and plays it.
"""

from __future__ import annotations

from hub.sdk import Capability, Entity, Equipment, Plugin, Tools, check_address, clean, entity_id
from integrations.http_speaker.config import DOMAIN, Config
from integrations.http_speaker.speaker import HttpSpeaker

plugin = Plugin(DOMAIN)


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> tuple[Equipment, ...]:
    """Check the configuration; the network is asked only to play. Raises Unsupported for a wrong address."""
    check_address(config.url, "http", "https")
    entity = Entity(
        id=entity_id(DOMAIN, name), capability=Capability.SPEAKER, name=config.name, device=clean(config.name.zh)
    )
    return (Equipment(entity, HttpSpeaker(tools.http, config)),)
