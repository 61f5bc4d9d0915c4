"""Bosch TPS110 (TPL110) parking lot sensor.

Source: Bosch, "Parking Lot Sensor, Communication Interface, Technical Description" (firmware 0.23.3 and 0.29.4), and
TheThingsNetwork/lorawan-devices, vendor/bosch. Port 1: bit 0 of one byte is the parking status. Port 2, once a day: the
same, and since 0.29 the temperature. Port 3, start-up: the status is bit 0 of the last of 17 bytes. Ports 4 to 6 carry
device information, usage and debug codes, which say nothing of the space.
"""

from __future__ import annotations

from integrations.lorawan.codec import PARKING, TEMPERATURE, Codec, Said, presence, signed, unexpected

MODEL = "Bosch TPS110"
_STATUS, _HEARTBEAT, _STARTUP = 1, 2, 3
_SERVICE = frozenset({4, 5, 6})
#: Byte of the status in each message, and the lengths that the message has.
_LAYOUT: dict[int, tuple[int, frozenset[int]]] = {
    _STATUS: (0, frozenset({1})),
    _HEARTBEAT: (0, frozenset({1, 2})),
    _STARTUP: (16, frozenset({17})),
}


def read(port: int, data: bytes) -> Said:
    """Read the status, and the temperature (°C) of a heartbeat."""
    if port in _SERVICE:
        return Said()
    place, lengths = _LAYOUT.get(port, (0, frozenset()))
    if len(data) not in lengths:
        raise unexpected(MODEL, port, data)
    values = {PARKING.key: presence(data[place] & 1)}
    if port == _HEARTBEAT and len(data) > 1:
        return Said({**values, TEMPERATURE.key: signed(data[1])})
    return Said(values)


TPS110 = Codec(MODEL, (PARKING, TEMPERATURE), read, interval=24)
