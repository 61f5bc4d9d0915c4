"""Component ``binary_sensor``: two payloads, whose meaning is the device class (HA documentation, "Binary sensor")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from hub.sdk import Alarm, Capability, Contact, DecodeError, Presence, Value, clean
from integrations.mqtt_discovery.options import seconds, text
from integrations.mqtt_discovery.template import UNKNOWN


@dataclass(frozen=True, slots=True)
class Kind:
    """What a component measures, and how its state is read: None for "does not know", DecodeError for nonsense."""

    capability: Capability
    read: Callable[[str], Value | None]
    unit: str = ""


_VALUES: dict[Capability, tuple[Value, Value]] = {
    Capability.PRESENCE: (Presence.PRESENT, Presence.ABSENT),
    Capability.CONTACT: (Contact.OPEN, Contact.CLOSED),
    Capability.ALARM: (Alarm.ACTIVE, Alarm.CLEAR),
}
_PRESENCE = frozenset({"motion", "moving", "occupancy", "presence"})
_CONTACT = frozenset({"door", "garage_door", "opening", "window"})
#: "On" is the side that somebody should look at. ``lock`` on means unlocked, ``battery`` on means low.
_ALARM = frozenset(
    {"", "None", "battery", "carbon_monoxide", "cold", "gas", "heat", "lock", "moisture", "problem", "safety", "smoke"}
    | {"sound", "tamper", "vibration"}
)
#: "On" is the normal side or neither is: as an alarm they would speak when all is well.
_STATES = frozenset({"battery_charging", "connectivity", "light", "plug", "power", "running", "update"})


def capability_of(device_class: str) -> Capability:
    """Return what a device class senses. Raises DecodeError for those that are no alarm."""
    if device_class in _PRESENCE:
        return Capability.PRESENCE
    if device_class in _CONTACT:
        return Capability.CONTACT
    if device_class in _ALARM:
        return Capability.ALARM
    if device_class in _STATES:
        raise DecodeError(f"device class '{device_class}' describes a state that is no alarm")
    raise DecodeError(f"device class '{clean(device_class, 40)}' is not known")


def binary_sensor(options: dict[str, Any]) -> Kind:
    """Read the options of a binary sensor."""
    capability = capability_of(text(options, "device_class"))
    if seconds(options, "off_delay") is not None:
        raise DecodeError("off_delay is not supported: the sensor must say itself when it is off")
    on = text(options, "payload_on", "ON").strip()
    off = text(options, "payload_off", "OFF").strip()
    if not on or not off or on == off:
        raise DecodeError("payload_on and payload_off must be two different texts")
    return Kind(capability, partial(_read, on, off, _VALUES[capability]))


def _read(on: str, off: str, values: tuple[Value, Value], state: str) -> Value | None:
    if state == on:
        return values[0]
    if state == off:
        return values[1]
    if state in UNKNOWN:
        return None
    raise DecodeError(f"'{clean(state, 40)}' is neither '{clean(on, 40)}' nor '{clean(off, 40)}'")
