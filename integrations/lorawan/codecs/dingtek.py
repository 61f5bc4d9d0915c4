"""Dingtek (CNDingtek) DO200, DO201 and DO202 parking sensors (magnetometer with ultrasound or radar).

Source: TheThingsNetwork/lorawan-devices, vendor/dingtek, and the vendor's NB-IoT_Gateway, which reads the same bytes
and calls the upper half of byte 7 the parking status. Port 3: 80 00, type of device, type of message (1 alarm,
2 heartbeat, 3 parameters), length of the whole; then level (2 bytes), parking and level status (half a byte each),
magnet and battery status, voltage (1/100 V), field X Y Z; DO201 and DO202 add temperature and humidity; at the end a
frame counter and 00 81.
"""

from __future__ import annotations

from functools import partial

from hub.sdk import DecodeError, Value
from integrations.lorawan.codec import (
    BATTERY_LOW,
    PARKING,
    TEMPERATURE,
    VOLTAGE,
    Codec,
    Said,
    alarm,
    presence,
    signed,
    unexpected,
)

_PORT, _END = 3, 0x81
_ALARM, _HEARTBEAT, _PARAMETERS = 1, 2, 3
_SHORTEST = 6
_OF_DO200, _OF_DO201 = 21, 23


def read(model: str, kind: int, size: int, port: int, data: bytes) -> Said:
    """Read a message of the ``model`` of type ``kind``, whose measurements have ``size`` bytes."""
    framed = len(data) >= _SHORTEST and data[:3] == bytes((0x80, 0, kind)) and data[-1] == _END
    if port != _PORT or not framed or data[4] != len(data):
        raise unexpected(model, port, data)
    if data[3] == _PARAMETERS:
        return Said()
    if data[3] not in {_ALARM, _HEARTBEAT} or len(data) != size:
        raise unexpected(model, port, data)
    parked = data[7] >> 4
    if parked > 1:
        raise DecodeError(f"{model}: a parking status of {parked}, which is not documented")
    values: dict[str, Value | None] = {
        PARKING.key: presence(parked),
        BATTERY_LOW.key: alarm(data[8] & 0x0F),
        VOLTAGE.key: int.from_bytes(data[9:11], "big") / 100,
    }
    if size == _OF_DO201:
        values[TEMPERATURE.key] = signed(data[17])
    return Said(values)


def _codec(model: str, kind: int, size: int) -> Codec:
    warmth = (TEMPERATURE,) if size == _OF_DO201 else ()
    return Codec(model, (PARKING, BATTERY_LOW, VOLTAGE, *warmth), partial(read, model, kind, size), interval=24)


DO200 = _codec("Dingtek DO200", 0x02, _OF_DO200)
DO201 = _codec("Dingtek DO201", 0x31, _OF_DO201)
DO202 = _codec("Dingtek DO202", 0x32, _OF_DO201)
