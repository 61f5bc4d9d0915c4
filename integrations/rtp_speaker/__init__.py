"""IP loudspeakers and paging amplifiers that play an RTP stream of G.711, sent to one of them or to a multicast group.

Wire formats: RTP is RFC 3550, the payload types 0 (PCMU) and 8 (PCMA) are RFC 3551, the codecs ITU-T G.711.
"""

from __future__ import annotations

import asyncio
import ipaddress

from hub.sdk import Capability, Entity, Equipment, Plugin, Tools, Unsupported, clean, entity_id, g711
from integrations.rtp_speaker.config import DOMAIN, Config
from integrations.rtp_speaker.speaker import RtpSpeaker

plugin = Plugin(DOMAIN)


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> tuple[Equipment, ...]:
    """Check the configuration; nothing is sent before there is something to say. Raises Unsupported."""
    try:
        config.address.encode("idna")
    except UnicodeError:
        raise Unsupported("the address is neither an IPv4 address nor a host name") from None
    if config.interface:
        try:
            ipaddress.IPv4Address(config.interface)
        except ValueError:
            raise Unsupported("the interface is entered as the IPv4 address that this machine has on it") from None
    await asyncio.to_thread(g711.table, config.codec)  # 50 ms once, not on the loop in mid-speech
    entity = Entity(
        id=entity_id(DOMAIN, name), capability=Capability.SPEAKER, name=config.name, device=clean(config.name.zh)
    )
    return (Equipment(entity, RtpSpeaker(config)),)
