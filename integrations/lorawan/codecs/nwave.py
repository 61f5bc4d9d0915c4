"""Nwave parking sensors NPS310SM, NPS405SM and NPS405FM.

Source: Nwave, "LoRaWAN Parking Sensor - Getting Started" (application protocol), and TheThingsNetwork/lorawan-devices,
vendor/nwave. The state is bit 0 of the first byte; the bits above it are the duration of the state before (port 1) or
the health of the hardware (port 2). Earlier copies of the vendor's script read bit 7; the vendor's document says bit 0.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hub.sdk import Presence, Value
from integrations.lorawan.codec import PARKING, TEMPERATURE, VOLTAGE, Channel, Codec, Said, presence, signed, unexpected

Values = dict[str, Value]

_STATUS, _HEARTBEAT, _STARTUP, _DEBUG, _TAG = 1, 2, 3, 6, 10
_STARTUP_LENGTH, _TAG_LENGTH = 5, 5


def read(model: str, heartbeat: Callable[[bytes], Values], port: int, data: bytes) -> Said:
    """Read the state of a ``model``, and what else its ``heartbeat`` says; empty for one that it does not send."""
    if port == _DEBUG:
        return Said()
    if port == _STATUS and len(data) == 1:
        return Said({PARKING.key: presence(data[0] & 1)})
    if port == _HEARTBEAT and (values := heartbeat(data)):
        return Said(values)
    if port == _STARTUP and len(data) == _STARTUP_LENGTH:
        return Said({PARKING.key: presence(data[4] & 1)})
    if port == _TAG and len(data) >= _TAG_LENGTH:
        # a driver's tag was seen; without bit 0 the message says nothing of the space
        return Said({PARKING.key: Presence.PRESENT} if data[0] & 1 else {})
    raise unexpected(model, port, data)


def _heartbeat_310(data: bytes) -> Values:
    return {PARKING.key: presence(data[0] & 1)} if len(data) == 1 else {}


def _heartbeat_405(data: bytes) -> Values:
    """Battery voltage in V, temperature in °C; what follows the third byte is not documented."""
    if len(data) < 3:
        return {}
    return {
        PARKING.key: presence(data[0] & 1),
        VOLTAGE.key: (2500 + 4 * data[1]) / 1000,
        TEMPERATURE.key: signed(data[2]) / 2 + 10,
    }


def _codec(model: str, channels: tuple[Channel, ...], heartbeat: Callable[[bytes], Values]) -> Codec:
    return Codec(model, channels, partial(read, model, heartbeat))


NPS310 = _codec("Nwave NPS310", (PARKING,), _heartbeat_310)
NPS405 = _codec("Nwave NPS405", (PARKING, TEMPERATURE, VOLTAGE), _heartbeat_405)
