"""What libosdp reports, without what must not be kept: card numbers and keys pressed end here.

The dictionaries are those of libosdp 3.2 (https://doc.osdp.dev, "Python", event dicts); replies are IEC 60839-11-5.
"""

from __future__ import annotations

from typing import Any

import msgspec
from osdp import Event, EventNotification, StatusReportType

from hub.sdk import DecodeError


class Card(msgspec.Struct, frozen=True):
    """A card was held to the reader. Which one is nobody's business here."""


class Online(msgspec.Struct, frozen=True):
    """The reader answers (with a key: over the secure channel), or does not any more."""

    now: bool


class Local(msgspec.Struct, frozen=True):
    """Reply LSTATR."""

    tamper: bool
    power_failed: bool


class Inputs(msgspec.Struct, frozen=True):
    """Reply ISTATR: True for each input that is active."""

    active: tuple[bool, ...]


class Answered(msgspec.Struct, frozen=True):
    """The oldest question was answered, or refused (NAK)."""

    good: bool


Said = Card | Online | Local | Inputs | Answered


def read(event: dict[str, Any]) -> Said | None:
    """Read one event; None for what is not used (keys pressed, vendors' replies). Raises DecodeError."""
    kind = event.get("event")
    if kind == Event.CardRead:
        return Card()
    if kind == Event.Status:
        return _status(event.get("type"), event.get("report"))
    if kind == Event.Notification:
        return _notification(event.get("type"), bool(event.get("arg0")), bool(event.get("arg1")))
    return None


def _status(kind: object, report: object) -> Said | None:
    if not isinstance(report, bytes):
        raise DecodeError("a status without its report")
    if kind == StatusReportType.Input:
        return Inputs(tuple(state != 0 for state in report))
    if kind != StatusReportType.Local:
        return None
    if len(report) != 2:
        raise DecodeError(f"a local status of {len(report)} bytes, it has 2")
    return Local(report[0] != 0, report[1] != 0)


def _notification(kind: object, first: bool, second: bool) -> Said | None:
    if kind == EventNotification.PeripheralDeviceStatus:
        return Online(first)
    return Answered(second) if kind == EventNotification.Command else None
