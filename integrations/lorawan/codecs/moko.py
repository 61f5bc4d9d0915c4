"""MOKO LW009-SM parking sensor (magnetometer and radar); its firmware calls itself TBS-223.

Source: MOKO's published uplink decoder for the LW009-SM, with its test message. Port 1: a byte 7E, the protocol
version, time (4 bytes), frame counter (2), length of the items (2), command, encryption (0 for none), the items, and a
trailer. An item is a tag, a length and that many bytes, most significant first.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub.sdk import DecodeError, Value
from integrations.lorawan.codec import HUMIDITY, PARKING, TEMPERATURE, VOLTAGE, Codec, Said, presence, unexpected

MODEL = "MOKO LW009-SM"
_PORT, _MARK, _HEADER = 1, 0x7E, 12
_REASON, _BATTERY, _VOLTAGE, _PARKING, _TEMPERATURE, _HUMIDITY = 0x02, 0x24, 0x29, 0x32, 0x0B, 0x35
#: Bytes of the items that are read.
_SIZES = {_REASON: 1, _BATTERY: 1, _VOLTAGE: 2, _PARKING: 1, _TEMPERATURE: 1, _HUMIDITY: 1}
#: Reasons of a message with which the sensor says that the magnetometer or the radar has failed.
_BLIND = frozenset({0x10, 0x12})
_FULL = 100
#: The published decoder does not say how frost is written, so a temperature is read only below this (°C).
_SIGN = 128


def read(port: int, data: bytes) -> Said:
    """Read the state, temperature (°C), humidity (%), battery (% or V). A sensor that says it is blind is unknown."""
    if port != _PORT or len(data) < _HEADER or data[0] != _MARK:
        raise unexpected(MODEL, port, data)
    if data[11]:
        raise DecodeError(f"{MODEL}: the payload is encrypted; switch that off in the sensor")
    items = dict(_items(data[_HEADER:], int.from_bytes(data[8:10], "big")))
    values: dict[str, Value | None] = {}
    if (parking := items.get(_PARKING)) is not None:
        if parking > 1:
            raise DecodeError(f"{MODEL}: a parking status of {parking}, which is not documented")
        values[PARKING.key] = None if items.get(_REASON) in _BLIND else presence(parking)
    if (temperature := items.get(_TEMPERATURE, _SIGN)) < _SIGN:
        values[TEMPERATURE.key] = float(temperature)
    if (humidity := items.get(_HUMIDITY, _FULL + 1)) <= _FULL:
        values[HUMIDITY.key] = float(humidity)
    if _VOLTAGE in items:
        values[VOLTAGE.key] = items[_VOLTAGE] / 1000
    battery = items.get(_BATTERY)
    return Said(values, None if battery is None or battery > _FULL else float(battery))


def _items(data: bytes, size: int) -> Iterator[tuple[int, int]]:
    """Yield tag and number of the known items, none of which reaches beyond the length that the header names."""
    if size > len(data):
        raise DecodeError(f"{MODEL}: the message is cut off")
    place = 0
    while place < size:
        if place + 1 >= size or (end := place + 2 + data[place + 1]) > size:
            raise DecodeError(f"{MODEL}: an item reaches beyond the message")
        tag, raw = data[place], data[place + 2 : end]
        if tag in _SIZES:
            if len(raw) != _SIZES[tag]:
                raise DecodeError(f"{MODEL}: item {tag:#04x} has {len(raw)} bytes")
            yield tag, int.from_bytes(raw, "big")
        place = end


LW009_SM = Codec(MODEL, (PARKING, TEMPERATURE, HUMIDITY, VOLTAGE), read)
