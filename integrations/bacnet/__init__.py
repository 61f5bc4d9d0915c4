"""Lifts whose controllers speak BACnet/IP: one session is one device, with its Lift objects and binary inputs.

The hub only reads. It offers no objects of its own and answers no requests, so nobody can write to it by BACnet.
"""

from __future__ import annotations

import asyncio
from importlib import import_module

from hub.sdk import Connection, Equipment, Plugin, Tools, Unreachable, Unsupported
from integrations.bacnet.address import parse
from integrations.bacnet.config import DOMAIN, Config
from integrations.bacnet.items import items
from integrations.bacnet.poller import Poller

plugin = Plugin(DOMAIN)

#: Seconds for the first answers; the hub gives a session 30 to open.
_OPENING = 25.0


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> Connection:
    """Open the device. Raises Unsupported for what cannot work, Unreachable when it does not answer."""
    local, remote = parse(config.local, lowest_port=0), parse(config.address)
    found = items(name, config)
    try:
        await asyncio.to_thread(import_module, "integrations.bacnet.reader")  # bacpypes3: a second, not on the loop
        from integrations.bacnet.link import open_link
        from integrations.bacnet.reader import Reader
    except ImportError:
        raise Unsupported("BACnet needs bacpypes3: install Menshen with the extra menshen[bacnet]") from None
    link = await open_link(local, remote, config.timeout_s)
    reader = Reader(link)
    poller = Poller(reader, found, tools.report, config.poll_s, cov=config.cov)
    link.notice = poller.notice if config.cov else None
    try:
        async with asyncio.timeout(_OPENING):
            await reader.check(config.device_id)
            await poller.probe()
    except TimeoutError:
        await link.close()
        raise Unreachable(f"the device did not answer everything within {_OPENING:g} s") from None
    except BaseException:  # cancelled, too: no socket is left of a device that is not open
        await link.close()
        raise
    equipment = tuple(Equipment(sensed.entity) for item in found for sensed in item.sensed)
    return Connection(equipment, poller.run, link.close)
