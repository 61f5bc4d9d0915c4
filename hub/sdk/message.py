"""What decoders read and give back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from hub.model.errors import DecodeError
from hub.model.ids import EntityId
from hub.model.reading import Entity, Quality, Value
from hub.model.text import Text
from hub.model.time import Instant

#: A message larger than this is refused before it is parsed (RELIABILITY.md S2).
MAX_PAYLOAD = 64 * 1024
#: Longest topic a device may name, in bytes.
MAX_TOPIC = 512
#: A leading ``$``, a wildcard, a control character.
_BARRED = re.compile(r"\A\$|[+#\x00-\x1f\x7f-\x9f]")


class Message(msgspec.Struct, frozen=True):
    """One message from a transport."""

    topic: str
    payload: bytes
    retained: bool = False
    """The broker had it in store: it says what was, not that something happens now."""


class Sample(msgspec.Struct, frozen=True):
    """One decoded value; the hub adds its own time. ``value`` None keeps the value and changes its quality only."""

    entity: EntityId
    value: Value | None
    quality: Quality = Quality.GOOD
    device_at: Instant | None = None


class Vitals(msgspec.Struct, frozen=True):
    """How a physical unit is; None leaves what was known."""

    device: str
    """As in the ``device`` of its entities."""
    battery: float | None = None
    """Percent."""
    signal: float | None = None
    """Received strength in dBm."""


class Route(msgspec.Struct, frozen=True):
    """From now on, messages on ``topic`` (no wildcards) are decoded by ``decode``, a pure function.

    Raises DecodeError for a topic that no device may name: a wildcard or ``$share/…`` would widen our subscription, a
    control character makes brokers drop the connection (MQTT 3.1.1, 4.7 and 1.5.3).
    """

    topic: str
    decode: Callable[[Message], tuple[Sample, ...]]

    def __post_init__(self) -> None:
        if not valid_topic(self.topic):
            raise DecodeError("a topic that cannot be subscribed to")


def valid_topic(topic: str) -> bool:
    """Tell whether ``topic`` is one plain topic name of at most 512 bytes."""
    return 0 < len(topic.encode("utf-8", "replace")) <= MAX_TOPIC and _BARRED.search(topic) is None


class Device(msgspec.Struct, frozen=True):
    """A physical unit that was announced, with its entities and the topics on which it speaks."""

    id: str
    name: Text
    entities: tuple[Entity, ...]
    routes: tuple[Route, ...]


class Announcement(msgspec.Struct, frozen=True):
    """All devices that one discovery topic announces now; those it announced before and not now are withdrawn."""

    devices: tuple[Device, ...] = ()
    refused: tuple[str, ...] = ()
    """Clean sentences on parts of the message that could not be used, for the log and the page."""


class Uplink(msgspec.Struct, frozen=True):
    """A message that says itself which device it is from: what the device is, and what it said."""

    device: Device
    """Without routes."""
    said: tuple[Sample | Vitals, ...] = ()


def json_object(payload: bytes) -> dict[str, Any]:
    """Read a JSON object. Raises DecodeError for anything else, NaN and infinite numbers among it."""
    value = json_value(payload)
    if not isinstance(value, dict):
        raise DecodeError(f"expected a JSON object, got {type(value).__name__}")
    return value


def json_value(payload: bytes, limit: int = MAX_PAYLOAD) -> Any:
    """Read any JSON value of at most ``limit`` bytes. Raises DecodeError."""
    if len(payload) > limit:
        raise DecodeError(f"{len(payload)} bytes are more than the {limit} allowed")
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"not JSON: {type(error).__name__}") from None
