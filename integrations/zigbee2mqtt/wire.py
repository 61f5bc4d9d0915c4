"""The device list as it is on the wire (Zigbee2MQTT documentation, "zigbee2mqtt/bridge/devices")."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.sdk import DecodeError

#: Largest device list, in bytes. One entry is 2 to 20 kB with its options and endpoints, and a mesh holds about 200
#: devices; hence the 64 kB that bound a device's own message are too few here.
MAX_LIST = 4 * 1024 * 1024


class Definition(msgspec.Struct, frozen=True):
    """What Zigbee2MQTT knows of a model. ``exposes`` is read one by one: an odd one must not cost the others."""

    exposes: list[Any] = msgspec.field(default_factory=list)


class Entry(msgspec.Struct, frozen=True):
    """One device of the list; keys that are not used here are skipped."""

    ieee_address: str
    friendly_name: str
    type: str = ""
    disabled: bool = False
    supported: bool = True
    interviewing: bool = False
    definition: Definition | None = None

    @property
    def left_out(self) -> bool:
        """The bridge's own radio, and devices that a person has switched off there."""
        return self.disabled or self.type == "Coordinator"


class Feature(msgspec.Struct, frozen=True):
    """One expose (Zigbee2MQTT documentation, "Exposes")."""

    type: str
    name: str = ""
    property: str = ""
    access: int = 1
    value_on: str | int | float | bool | None = True
    value_off: str | int | float | bool | None = False
    unit: str | None = None
    features: list[Any] = msgspec.field(default_factory=list)


def read_entries(payload: bytes) -> list[msgspec.Raw]:
    """Split the list without reading its entries. Raises DecodeError."""
    if len(payload) > MAX_LIST:
        raise DecodeError(f"{len(payload)} bytes are more than the {MAX_LIST} allowed")
    try:
        return msgspec.json.decode(payload, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"not a JSON list: {type(error).__name__}") from None


def read_entry(raw: msgspec.Raw) -> Entry:
    """Read one device. Raises DecodeError."""
    try:
        return msgspec.json.decode(raw, type=Entry)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"not a device as documented: {type(error).__name__}") from None


def read_feature(item: object) -> Feature:
    """Read one expose. Raises DecodeError."""
    try:
        return msgspec.convert(item, Feature)
    except msgspec.ValidationError as error:
        raise DecodeError(f"an expose is not as documented: {type(error).__name__}") from None
