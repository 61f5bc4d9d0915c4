"""Nodes that push the raw field of a three-axis magnetometer; whether a vehicle stands there is decided here.

The nodes stay simple: no thresholds and no calibration in them, so that a better detector reaches all of them at once.
Push format: ``wire.py``. The detector needs numpy, the extra ``field``.
"""

from __future__ import annotations

from hub.sdk import BadCredentials, Connection, Plugin, Tools, Unsupported, slug
from integrations.field_magnetometer.config import DOMAIN, Config

plugin = Plugin(DOMAIN)

#: Shortest key, in characters.
SHORTEST_KEY = 16


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> Connection:
    """Take the pushes of ``name`` from now on.

    Raises BadCredentials for a key that can be guessed, Unsupported for thresholds in the wrong order or without numpy.
    """
    if len(config.key) < SHORTEST_KEY:
        raise BadCredentials(f"enter the node's key, at least {SHORTEST_KEY} characters")
    if config.free_ut >= config.occupied_ut or config.occupied_ut >= config.range_ut:
        raise Unsupported("free_ut must be below occupied_ut, and that below range_ut")
    try:
        import numpy  # noqa: F401 - slow to import, and an extra
    except ImportError:
        raise Unsupported("install Menshen with the extra menshen[field]") from None
    from integrations.field_magnetometer import store
    from integrations.field_magnetometer.detector import Detector, Limits
    from integrations.field_magnetometer.node import Node

    file = tools.data / f"{slug(name)}.json"
    limits = Limits(config.occupied_ut, config.free_ut, config.hold_s, config.range_ut)
    node = Node(name, config, Detector(limits, await store.load(file)), file, tools)
    tools.receive(node.take)
    return Connection(node.equipment, close=node.close)
