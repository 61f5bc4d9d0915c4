"""Addresses of BACnet/IP devices, as people write them."""

from __future__ import annotations

import re

from hub.sdk import Unsupported

#: UDP port of BACnet/IP, X'BAC0' (ASHRAE 135, Annex J.1.2).
PORT = 0xBAC0
_FORM = re.compile(r"\A([A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?\Z")


def parse(text: str, lowest_port: int = 1) -> tuple[str, int]:
    """Return host and port of ``host`` or ``host:port``. Raises Unsupported."""
    found = _FORM.match(text)
    port = int(found[2] or PORT) if found else -1
    if found is None or not lowest_port <= port <= 0xFFFF:
        raise Unsupported("an address is an IPv4 address or a name, where needed with a port: 192.168.1.20:47808")
    return found[1], port
