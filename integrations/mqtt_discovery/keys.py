"""Discovery payloads with their keys written out: abbreviations, the base topic ``~``, and bundles taken apart.

Source: HA documentation, "Discovery payload", "Supported abbreviations" and "Device discovery payload".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.sdk import DecodeError, clean
from integrations.mqtt_discovery.config import Place

#: Only keys that mean something here; all others are ignored, as the documentation asks.
ABBREVIATIONS = {
    "avty": "availability",
    "avty_mode": "availability_mode",
    "avty_t": "availability_topic",
    "avty_tpl": "availability_template",
    "cmps": "components",
    "dev": "device",
    "dev_cla": "device_class",
    "e": "encoding",
    "exp_aft": "expire_after",
    "off_dly": "off_delay",
    "p": "platform",
    "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "stat_cla": "state_class",
    "stat_t": "state_topic",
    "sug_dsp_prc": "suggested_display_precision",
    "t": "topic",
    "uniq_id": "unique_id",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}
DEVICE_ABBREVIATIONS = {"cns": "connections", "ids": "identifiers"}

#: Options of a bundle that hold for each component which does not set its own.
SHARED = frozenset(
    {
        "availability",
        "availability_mode",
        "availability_template",
        "availability_topic",
        "encoding",
        "payload_available",
        "payload_not_available",
        "state_topic",
        "~",
    }
)


@dataclass(frozen=True, slots=True)
class Part:
    """One announced component, keys written out."""

    platform: str
    object_id: str
    options: dict[str, Any]


def _rename(mapping: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in mapping.items()}


def expand(payload: dict[str, Any]) -> dict[str, Any]:
    """Write out the abbreviated keys of one component or bundle, those of its device and availability among them."""
    options = _rename(payload, ABBREVIATIONS)
    if isinstance(options.get("device"), dict):
        options["device"] = _rename(options["device"], DEVICE_ABBREVIATIONS)
    availability = options.get("availability")
    if isinstance(availability, dict):  # one source need not be in a list
        availability = [availability]
    if isinstance(availability, list):
        options["availability"] = [
            _rename(source, ABBREVIATIONS) if isinstance(source, dict) else source for source in availability
        ]
    return options


def apply_base(options: dict[str, Any]) -> dict[str, Any]:
    """Put the base topic ``~`` into the topics that begin or end with it."""
    base = options.get("~")
    if base is None:
        return options
    if not isinstance(base, str):
        raise DecodeError("the base topic '~' is not a text")

    def topics(mapping: dict[str, Any]) -> dict[str, Any]:
        return {key: _with_base(value, base) if key.endswith("topic") else value for key, value in mapping.items()}

    based = topics(options)
    if isinstance(based.get("availability"), list):
        based["availability"] = [
            topics(source) if isinstance(source, dict) else source for source in based["availability"]
        ]
    return based


def _with_base(value: Any, base: str) -> Any:
    if not isinstance(value, str):
        return value
    if value.startswith("~"):
        return base + value[1:]
    return value[:-1] + base if value.endswith("~") else value


def split(options: dict[str, Any], place: Place) -> tuple[Part, ...]:
    """Return the components of one discovery message: one, or those of a ``device`` bundle.

    In a bundle a component that has nothing but its platform is being removed, hence it is left out.
    """
    if place.platform != "device":
        return (Part(place.platform, place.object_id, apply_base(options)),)
    components = options.get("components")
    if not isinstance(components, dict):
        raise DecodeError("a device bundle needs 'components'")
    shared = {key: value for key, value in options.items() if key in SHARED}
    parts = []
    for key, value in components.items():
        own = expand(value) if isinstance(value, dict) else {}
        if own.keys() <= {"platform"} and own:
            continue
        platform = own.get("platform")
        parts.append(
            Part(
                platform=clean(platform, 40) if isinstance(platform, str) else "?",
                object_id=f"{place.object_id}_{clean(key, 64)}",
                options=apply_base({**shared, **own}),
            )
        )
    return tuple(parts)
