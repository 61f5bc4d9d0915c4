"""Milesight contacts: EM300-MCS and WS301 (Linovision IOT-S500DCS).

Source: Milesight-IoT/SensorDecoders, EM300-MCS and WS301, and the user guides. Port 85: items of a channel, a type and
the bytes of that type, least significant first. After joining the device says its versions, and it may send what it
stored before: neither says how the door is now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from hub.sdk import Contact, DecodeError, Value
from integrations.lorawan.codec import DOOR, HUMIDITY, TAMPER, TEMPERATURE, Channel, Codec, Said, alarm, unexpected

_PORT = 85
_BATTERY = (0x01, 0x75)
_FULL = 100
#: Channels of answers to commands and of joining: what follows such an item is not measured.
_SERVICE = frozenset({0xFE, 0xFF})
#: Length of what is passed over: stored measurements, and versions, serial number and class after joining.
_SKIPPED = {
    (0x20, 0xCE): 8,
    (0xFF, 0x0B): 1,
    (0xFF, 0x01): 1,
    (0xFF, 0x08): 6,
    (0xFF, 0x16): 8,
    (0xFF, 0x09): 2,
    (0xFF, 0x0A): 2,
    (0xFF, 0x0F): 1,
}


@dataclass(frozen=True, slots=True)
class _Item:
    channel: Channel
    size: int = 1


_EM300_MCS = {
    (0x03, 0x67): _Item(TEMPERATURE, 2),
    (0x04, 0x68): _Item(HUMIDITY),
    (0x06, 0x00): _Item(DOOR),
}
_WS301 = {(0x03, 0x00): _Item(DOOR), (0x04, 0x00): _Item(TAMPER)}


def read(model: str, table: Mapping[tuple[int, int], _Item], port: int, data: bytes) -> Said:
    """Read all items up to one that the ``model`` is not known for, whose length is therefore not known."""
    values: dict[str, Value | None] = {}
    battery: float | None = None
    place = 0
    while place < len(data) and port == _PORT:
        head = (data[place], data[place + 1] if place + 1 < len(data) else -1)
        item = table.get(head)
        size = item.size if item else 1 if head == _BATTERY else _SKIPPED.get(head)
        if size is None:
            break
        raw = data[place + 2 : place + 2 + size]
        if len(raw) < size:
            raise DecodeError(f"{model}: the message is cut off")
        if item:
            values[item.channel.key] = _value(model, item.channel, raw)
        elif head == _BATTERY and raw[0] <= _FULL:
            battery = float(raw[0])
        place += 2 + size
    if place == 0 and (port != _PORT or data[0] not in _SERVICE):
        raise unexpected(model, port, data)
    return Said(values, battery)


def _value(model: str, channel: Channel, raw: bytes) -> Value:
    if channel is TEMPERATURE:
        return int.from_bytes(raw, "little", signed=True) / 10
    if channel is HUMIDITY:
        return raw[0] / 2
    if raw[0] > 1:
        raise DecodeError(f"{model}: {channel.key} is {raw[0]}, which is not documented")
    if channel is DOOR:
        return Contact.OPEN if raw[0] else Contact.CLOSED
    return alarm(raw[0])


def _codec(model: str, table: Mapping[tuple[int, int], _Item], interval: float) -> Codec:
    channels = tuple(item.channel for item in table.values())
    return Codec(model, channels, partial(read, model, table), interval)


EM300_MCS = _codec("Milesight EM300-MCS", _EM300_MCS, 1 / 6)
WS301 = _codec("Milesight WS301", _WS301, 24)
