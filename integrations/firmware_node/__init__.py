"""Community nodes: microcontrollers that speak SMP by UDP, serial line or Bluetooth (firmware_bridge/PROTOCOL.md)."""

from __future__ import annotations

import importlib.util

from hub.sdk import Connection, Plugin, Tools, Unsupported
from integrations.firmware_node.config import DOMAIN, Config

plugin = Plugin(DOMAIN)


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> Connection:
    """Open one node, claiming it when its code is given. Raises Unreachable, BadCredentials or Unsupported."""
    if any(importlib.util.find_spec(library) is None for library in ("cbor2", "cryptography", "serialx")):
        raise Unsupported("libraries are missing: install Menshen with the extra menshen[nodes]")
    from integrations.firmware_node import fleet, links, session  # they need what was looked for above

    hall = await links.enter(config.place, tools)
    if not config.node:
        return Connection((), hall.link.broken, lambda: links.leave(hall, tools))
    opened: session.NodeSession | None = None

    async def close() -> None:
        if opened is not None:
            fleet.FLEET.closed(name, opened)
        hall.link.leave(bytes.fromhex(config.node))
        await links.leave(hall, tools)

    peer = hall.link.join(bytes.fromhex(config.node))
    try:
        await session.meet(config, hall, peer)
    except BaseException:  # cancelled, too: a node that was not met is taken off its link
        await close()
        raise
    opened = session.NodeSession(name, config, tools, hall, peer)
    fleet.FLEET.opened(name, opened)
    plugin.firmware = fleet.FLEET
    return Connection(opened.equipment, opened.run, close)
