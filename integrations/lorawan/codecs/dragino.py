"""Dragino LDS02 door sensor.

Source: Dragino, "LDS02 - LoRaWAN Door Sensor User Manual" 1.3, and TheThingsNetwork/lorawan-devices, vendor/dragino.
Port 10: bit 7 of the first byte is set while the door is open, the lower 14 bits of the first two bytes are the battery
in mV, the third byte is the mode (1 for a door), then counters. The manual has 10 bytes, the published vector 7.
"""

from __future__ import annotations

from hub.sdk import Contact
from integrations.lorawan.codec import DOOR, VOLTAGE, Codec, Said, unexpected

MODEL = "Dragino LDS02"
_PORT, _SHORTEST, _DOOR_MODE = 10, 7, 1
_OPEN, _MILLIVOLTS = 0x80, 0x3FFF


def read(port: int, data: bytes) -> Said:
    """Read the door and the battery voltage (V)."""
    if port != _PORT or len(data) < _SHORTEST or data[2] != _DOOR_MODE:
        raise unexpected(MODEL, port, data)
    millivolts = int.from_bytes(data[:2], "big") & _MILLIVOLTS
    return Said({DOOR.key: Contact.OPEN if data[0] & _OPEN else Contact.CLOSED, VOLTAGE.key: millivolts / 1000})


LDS02 = Codec(MODEL, (DOOR, VOLTAGE), read, interval=24)
