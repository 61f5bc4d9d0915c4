"""Tekzitel TekziPark parking sensor (magnetometer and radar).

Source: TheThingsNetwork/lorawan-devices, vendor/tekzitel/tekzipark.js; no vectors are published. First byte: bit 7
occupied, bit 5 battery good, the others say how it was measured. Second byte: temperature. Port 1 is the status, with
beacons (a signal byte and two bytes each) where a driver has one; port 2 adds the raw magnetic field.
"""

from __future__ import annotations

from integrations.lorawan.codec import (
    BATTERY_LOW,
    PARKING,
    TEMPERATURE,
    Codec,
    Said,
    alarm,
    presence,
    signed,
    unexpected,
)

MODEL = "Tekzitel TekziPark"
_STATUS, _FIELD = 1, 2
_SHORT, _FIELD_LENGTH = 3, 12
_OCCUPIED, _BATTERY_GOOD = 0x80, 0x20


def read(port: int, data: bytes) -> Said:
    """Read the state, the temperature (°C) and the battery flag."""
    beacons = len(data) - _SHORT - 1
    status = port == _STATUS and (len(data) == _SHORT or (beacons >= 0 and beacons % 2 == 0))
    if not status and not (port == _FIELD and len(data) == _FIELD_LENGTH):
        raise unexpected(MODEL, port, data)
    return Said(
        {
            PARKING.key: presence(data[0] & _OCCUPIED),
            TEMPERATURE.key: signed(data[1]),
            BATTERY_LOW.key: alarm(~data[0] & _BATTERY_GOOD),
        }
    )


TEKZIPARK = Codec(MODEL, (PARKING, TEMPERATURE, BATTERY_LOW), read)
