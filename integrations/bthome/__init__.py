"""Sensors that advertise BTHome v2 over Bluetooth Low Energy: doors, windows, motion, smoke, water, tamper, measures.

The sensors need no pairing and are never spoken to. Wire format: https://bthome.io/format and /encryption.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys

from hub.sdk import Connection, Equipment, Plugin, Tools, Unsupported
from integrations.bthome.config import DOMAIN, Config
from integrations.bthome.listener import Listener

plugin = Plugin(DOMAIN)


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> Connection:
    """Begin to listen with one adapter. Raises Unsupported for a wrong entry, Unreachable without adapter or BlueZ."""
    listeners = _listeners(config)
    if sys.platform != "linux" or importlib.util.find_spec("bleak") is None:
        raise Unsupported("bleak is missing: install Menshen on Linux with the extra menshen[ble]")
    await asyncio.to_thread(importlib.import_module, "integrations.bthome.radio")  # bleak: 0.3 s, not on the loop
    from integrations.bthome.radio import Radio

    radio = await Radio.open(listeners, config, tools)
    equipment = tuple(Equipment(entity) for item in listeners.values() for entity in item.entities.values())
    return Connection(equipment, radio.run, radio.close)


def _listeners(config: Config) -> dict[str, Listener]:
    """Return the sensors by address in capitals. Raises Unsupported."""
    found: dict[str, Listener] = {}
    for address, sensor in config.devices.items():
        if address.upper() in found:
            raise Unsupported(f"{address} is entered twice")
        found[address.upper()] = Listener(address.upper(), sensor)
    names = [item.device for item in found.values()]
    if len(set(names)) < len(names):
        raise Unsupported("two sensors have the same name")
    return found
