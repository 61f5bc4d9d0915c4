"""Component ``sensor`` where its state is a number (HA documentation, "MQTT sensor")."""

from __future__ import annotations

from typing import Any

from hub.sdk import Capability, DecodeError, Value, clean
from integrations.mqtt_discovery.binary_sensor import Kind
from integrations.mqtt_discovery.options import text
from integrations.mqtt_discovery.template import UNKNOWN, number

_NOT_NUMBERS = frozenset({"date", "enum", "timestamp"})
#: Any of these says that the state is a number (HA documentation, "Sensor": numeric sensors).
_NUMERIC = ("unit_of_measurement", "state_class", "device_class", "suggested_display_precision")


def sensor(options: dict[str, Any]) -> Kind:
    """Read the options of a sensor. Raises DecodeError for one whose state is a text or a time."""
    if text(options, "device_class") in _NOT_NUMBERS or options.get("options") is not None:
        raise DecodeError("its state is not a number")
    if all(options.get(key) is None for key in _NUMERIC):
        raise DecodeError("nothing says that its state is a number (no unit, state class or device class)")
    return Kind(Capability.MEASURE, _read, clean(text(options, "unit_of_measurement"), 16))


def _read(state: str) -> Value | None:
    return None if state in UNKNOWN else number(state)
