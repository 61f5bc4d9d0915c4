"""Card readers and door contacts on RS-485 by OSDP v2 (IEC 60839-11-5, SIA OSDP 2.2), with libosdp as the protocol.

Menshen listens only: it opens no door and knows no card. A card that is read is "active" for 2 seconds, whoever's.
"""

from __future__ import annotations

import importlib.util

from hub.sdk import Connection, Equipment, Plugin, Tools, Unsupported
from integrations.osdp.config import DOMAIN, Config

plugin = Plugin(DOMAIN)


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> Connection:
    """Open one line and wait for a reader. Raises Unreachable, BadCredentials for a wrong key, or Unsupported."""
    addresses = [reader.address for reader in config.readers.values()]
    if len(set(addresses)) < len(addresses):
        raise Unsupported("two readers have the same address")
    if importlib.util.find_spec("osdp") is None:
        raise Unsupported("libosdp is missing: install Menshen with the extra menshen[osdp]")
    from integrations.osdp.panel import Panel  # a library in C, and not there without the extra
    from integrations.osdp.reader import Reader

    readers = [Reader(name, key, reader) for key, reader in config.readers.items()]
    panel = await Panel.open(readers, config, tools)
    equipment = tuple(Equipment(entity) for reader in readers for entity in reader.entities)
    return Connection(equipment, panel.run, panel.close)
