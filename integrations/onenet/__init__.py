"""Parking sensors on NB-IoT, pushed by the operator's platform: China Mobile OneNET, HTTP push in the plain mode.

The platform asks once whether the address is ours (GET), then posts what the sensors said, signed with a token. It
sends again what was not answered with 200. Wire format: ``wire.py``.
"""

from __future__ import annotations

from hub.sdk import BadCredentials, Connection, Equipment, Plugin, Tools, slug
from integrations.onenet.bays import places
from integrations.onenet.config import DOMAIN, Config
from integrations.onenet.memory import Memory
from integrations.onenet.receiver import Receiver

plugin = Plugin(DOMAIN)


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> Connection:
    """Take the pushes for ``name`` from now on. Raises BadCredentials without a token, Unsupported for wrong bays."""
    if not config.token:
        raise BadCredentials("enter the token of the push; without it anyone could report for the sensors")
    bays = places(name, config)
    memory = await Memory.load(tools.data / f"{slug(name)}.json")
    receiver = Receiver(config.token, bays, memory, tools)
    tools.receive(receiver.take)
    return Connection(tuple(Equipment(place.entity) for place in bays), receiver.run)
