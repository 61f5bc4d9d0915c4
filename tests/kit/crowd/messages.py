"""What the devices that speak MQTT send: the bridge's list, discovery, and uplinks of ChirpStack."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence

from tests.kit.crowd.units import DISCOVERY, LORAWAN, ZIGBEE, Unit

_TEMPERATURE = {
    "type": "numeric", "name": "temperature", "property": "temperature", "label": "Temperature", "unit": "°C",
    "access": 1,
}  # fmt: skip


def announcements(units: Sequence[Unit], silence: int) -> Iterator[tuple[str, str]]:
    """Yield topics and payloads of the retained messages by which devices become known; LoRaWAN has none."""
    zigbee = [_listed(unit) for unit in units if unit.domain == ZIGBEE]
    yield "zigbee2mqtt/bridge/devices", json.dumps(zigbee)
    for unit in units:
        if unit.domain == DISCOVERY:
            yield f"homeassistant/sensor/unit_{unit.number}/config", json.dumps(_discovered(unit, silence))


def message(unit: Unit, value: float) -> tuple[str, str]:
    """Return topic and payload by which a device says ``value``."""
    if unit.domain == ZIGBEE:
        return f"zigbee2mqtt/unit_{unit.number}", json.dumps({"temperature": value, "linkquality": 120})
    if unit.domain == DISCOVERY:
        return f"crowd/{unit.number}", json.dumps({"temperature": value})
    assert unit.domain == LORAWAN
    data = b"\x03\x67" + round(value * 10).to_bytes(2, "little", signed=True)
    uplink = {
        "deviceInfo": {"devEui": unit.eui, "deviceName": f"unit {unit.number}", "deviceProfileName": "EM300-MCS"},
        "fPort": 85,
        "data": base64.b64encode(data).decode(),
        "rxInfo": [{"rssi": -97}],
    }
    return f"application/crowd/device/{unit.eui}/event/up", json.dumps(uplink)


def given_up(unit: Unit) -> tuple[str, str]:
    """Return topic and payload by which the Zigbee bridge says that a device has been silent for too long."""
    return f"zigbee2mqtt/unit_{unit.number}/availability", json.dumps({"state": "offline"})


def _listed(unit: Unit) -> dict[str, object]:
    return {
        "ieee_address": f"0x{unit.eui}",
        "friendly_name": f"unit_{unit.number}",
        "type": "EndDevice",
        "supported": True,
        "definition": {"model": "WSDCGQ11LM", "vendor": "Aqara", "exposes": [_TEMPERATURE]},
    }


def _discovered(unit: Unit, silence: int) -> dict[str, object]:
    name = f"unit_{unit.number}"
    return {
        "name": name,
        "unique_id": name,
        "state_topic": f"crowd/{unit.number}",
        "unit_of_measurement": "°C",
        "value_template": "{{ value_json.temperature }}",
        "expire_after": silence,
        "device": {"identifiers": [name], "name": name},
    }
