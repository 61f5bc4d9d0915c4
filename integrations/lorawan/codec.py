"""What a codec is: the entities of one model, and a pure function that reads its payload."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hub.sdk import Alarm, Capability, DecodeError, Presence, Text, Value

#: Hours between two signs of life of a model whose vendor publishes no interval: the longest that one publishes.
DAY = 24.0


@dataclass(frozen=True, slots=True)
class Channel:
    """One entity of a model."""

    key: str
    capability: Capability
    name: Text
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What one payload says, by channel; a channel that is absent keeps its value."""

    values: Mapping[str, Value | None] = field(default_factory=dict)
    """None: the device says itself that it does not know."""
    battery: float | None = None
    """Percent, where the model sends percent."""


@dataclass(frozen=True, slots=True)
class Codec:
    """One model."""

    model: str
    """Vendor and model, for sentences."""
    channels: tuple[Channel, ...]
    read: Callable[[int, bytes], Said]
    """From port (1 to 255) and payload (not empty). Raises DecodeError for what the model does not send."""
    interval: float = DAY
    """Hours between two signs of life when nothing changes, as delivered."""


PARKING = Channel("parking", Capability.PRESENCE, Text("车位", "Parking space"))
DOOR = Channel("contact", Capability.CONTACT, Text("门磁", "Contact"))
TEMPERATURE = Channel("temperature", Capability.MEASURE, Text("温度", "Temperature"), "°C")
HUMIDITY = Channel("humidity", Capability.MEASURE, Text("湿度", "Humidity"), "%")
VOLTAGE = Channel("voltage", Capability.MEASURE, Text("电池电压", "Battery voltage"), "V")
BATTERY_LOW = Channel("battery_low", Capability.ALARM, Text("电量低", "Battery low"))
TAMPER = Channel("tamper", Capability.ALARM, Text("防拆", "Tamper"))


def presence(taken: int) -> Presence:
    """Return whether a vehicle stands there; any bit set is yes."""
    return Presence.PRESENT if taken else Presence.ABSENT


def alarm(active: int) -> Alarm:
    """Return whether a detector is active; any bit set is yes."""
    return Alarm.ACTIVE if active else Alarm.CLEAR


def signed(byte: int) -> float:
    """Read a byte (0 to 255) as two's complement (-128 to 127)."""
    return float(byte - 256 if byte > 127 else byte)


def unexpected(model: str, port: int, data: bytes) -> DecodeError:
    """Return the sentence for a payload that the model does not send: often the codec was chosen wrongly."""
    return DecodeError(f"{model} sends no such {len(data)} bytes on port {port}; is it another model?")
