"""Devices that were found but not configured: what is known of each, and what a person decided."""

from __future__ import annotations

import hashlib
from enum import StrEnum

import msgspec

from hub.model.time import Instant


class Source(StrEnum):
    """How a device was found."""

    MDNS = "mdns"
    ONVIF = "onvif"
    USB = "usb"
    BLE = "ble"
    SESSION = "session"
    """Reported by an integration that is connected to something in front of it: a line, a gateway."""
    MQTT = "mqtt"
    """Announced by its own messages: it is known already and only needs a zone."""


class Found(msgspec.Struct, frozen=True):
    """One device as it shows itself now. All text is cleaned."""

    source: Source
    identity: str
    """What stays when the address changes: a serial number, a UUID, a MAC address, a service name."""
    name: str
    integration: str = ""
    """The integration that can adopt it; empty when none is known."""
    facts: dict[str, str] = {}
    """What else it says: model, address, location."""
    values: dict[str, str | int] = {}
    """The part of its configuration that follows from what was found."""

    @property
    def key(self) -> str:
        """Return a short name that is safe in paths, the same for the same device."""
        return found_key(self.source, self.identity)


class Inboxed(msgspec.Struct, frozen=True):
    """A found device in the inbox."""

    found: Found
    first_seen: Instant
    last_seen: Instant
    ignored: bool = False
    adopted: str = ""
    """``domain.name`` of the configured device that it became."""


def found_key(source: Source, identity: str) -> str:
    """Return 16 hexadecimal digits for a device."""
    return hashlib.blake2b(f"{source}\0{identity}".encode(), digest_size=8).hexdigest()
