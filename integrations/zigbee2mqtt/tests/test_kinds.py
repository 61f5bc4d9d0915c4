"""The table of payload kinds in docs/integrations/mqtt.md: each row is decoded, and becomes what the row says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from integrations.zigbee2mqtt import plugin
from integrations.zigbee2mqtt.config import Config
from tests.kit.kinds import Scene, Step, check, js, played, rows

DOC = Path(__file__).parents[3] / "docs" / "integrations" / "mqtt.md"
ROWS = rows(DOC, "Zigbee2MQTT")
GOOD, STALE, UNKNOWN = "good", "stale", "unknown"


def binary(name: str, on: Any = True, off: Any = False, **more: Any) -> dict[str, Any]:
    """An expose of two values."""
    return {"type": "binary", "name": name, "property": name, "access": 1, "value_on": on, "value_off": off, **more}


def numeric(name: str, prop: str = "", **more: Any) -> dict[str, Any]:
    """An expose of a number."""
    return {"type": "numeric", "name": name, "property": prop or name, "access": 1, **more}


def unit(number: int, *exposes: Any, **more: Any) -> dict[str, Any]:
    """A device of the list; it is called ``d<number>``."""
    definition = {"exposes": list(exposes), "model": "m", "vendor": "v"}
    entry = {"ieee_address": f"0x{number:x}", "friendly_name": f"d{number}", "type": "EndDevice", "supported": True}
    return {**entry, "definition": definition, **more}


def listed(*units: Any, refused: str = "", before: bool = False, same: bool = False, known: str = "") -> Step:
    """Publish the list; ``known`` are the entities, the only expose of each device by itself."""
    names = known.split() if known or refused else [
        f"{one['ieee_address']}_{expose['property']}" for one in units for expose in one["definition"]["exposes"]
    ]  # fmt: skip
    return Step("zigbee2mqtt/bridge/devices", json.dumps(units), (), tuple(names), refused, before=before, same=same)


def says(entity: str, value: Any, quality: str = GOOD, device: str = "d1", **said: Any) -> Step:
    """Have a device publish its state."""
    return Step(f"zigbee2mqtt/{device}", js(**said), ((entity, value, quality),))


def binaries(active: str, calm: str, *names: str) -> Scene:
    """One device with one expose for each name; each is told in words of its own."""
    units = [unit(number, binary(name, "yes", "no")) for number, name in enumerate(names, 1)]
    said = [
        says(f"0x{number:x}_{name}", value, device=f"d{number}", **{name: word})
        for number, name in enumerate(names, 1)
        for word, value in (("yes", active), ("no", calm))
    ]
    return (listed(*units), *said)


def beside(*exposes: dict[str, Any]) -> Scene:
    """A door contact, and the same with more exposes, which change nothing."""
    return (
        listed(unit(1, binary("contact")), before=True),
        listed(unit(1, binary("contact"), *exposes), known="0x1_contact", same=True),
    )


DOOR = unit(1, binary("contact"))
NUMBERS = ("battery", "linkquality", "temperature", "humidity", "illuminance", "voltage")
KINDS: dict[str, Scene] = {
    "`<base>/bridge/devices`": (
        listed(DOOR),
        Step("zigbee2mqtt/bridge/devices", json.dumps([{"bad": 1}, DOOR]), (), ("0x1_contact",), "not a device",
             before=True),
        listed(*(unit(number, binary("contact"), junk="x" * 3_000) for number in range(1, 1_001))),
    ),
    "`<base>/<friendly name>`, JSON, names with `/` too": (
        listed(unit(1, binary("contact"), friendly_name="3号楼/1单元")),
        says("0x1_contact", "closed", device="3号楼/1单元", contact=True),
        says("0x1_contact", None, UNKNOWN, device="3号楼/1单元", contact=None),
        Step("zigbee2mqtt/3号楼/1单元", js(battery=3), before=True),
    ),
    "`contact`": (
        listed(unit(1, binary("contact", on=False, off=True)), unit(2, binary("contact"))),
        says("0x1_contact", "closed", contact=True),
        says("0x1_contact", "open", contact=False),
        says("0x2_contact", "closed", device="d2", contact=True),
    ),
    "`occupancy`, `presence`": binaries("present", "absent", "occupancy", "presence"),
    "`smoke`, `gas`, `carbon_monoxide`, `water_leak`, `tamper`, `vibration`, `sos`, `battery_low`": binaries(
        "active", "clear", "smoke", "gas", "carbon_monoxide", "water_leak", "tamper", "vibration", "sos", "battery_low"
    ),
    "`battery`, `linkquality`, `temperature`, `humidity`, `illuminance`, `voltage`": (
        listed(*(unit(number, numeric(name, unit="mV")) for number, name in enumerate(NUMBERS, 1))),
        *(says(f"0x{number:x}_{name}", 3.5, GOOD, f"d{number}", **{name: 3.5})
          for number, name in enumerate(NUMBERS, 1)),
    ),
    "the same under another property (`temperature_probe`, endpoints)": (
        listed(unit(1, numeric("temperature", "temperature_probe"), numeric("temperature", "temperature_l2"))),
        says("0x1_temperature_probe", 4.0, temperature_probe=4),
        says("0x1_temperature_l2", 5.0, temperature_l2=5),
    ),
    "`contact` with other words than true and false": (
        listed(unit(1, binary("contact", "open", "closed")), refused="open and closed cannot be told apart"),
    ),
    "properties inside a `composite` or `list`": beside(
        {"type": "composite", "name": "schedule", "property": "schedule", "access": 1,
         "features": [numeric("temperature")]},
        {"type": "list", "name": "days", "property": "days", "access": 1, "features": [binary("occupancy")]},
    ),
    "`action`, `state`, lights, locks, covers, climate": beside(
        {"type": "enum", "name": "action", "property": "action", "access": 1, "values": ["single"]},
        {"type": "switch", "features": [binary("state", "ON", "OFF")]},
        {"type": "light", "features": [binary("state", "ON", "OFF"), numeric("brightness")]},
        {"type": "lock", "features": [binary("state", "LOCK", "UNLOCK")]},
        {"type": "cover", "features": [numeric("position")]},
        {"type": "climate", "features": [numeric("local_temperature")]},
    ),
    "`<base>/<friendly name>/availability`, JSON or plain": (
        listed(DOOR, before=True),
        *(Step("zigbee2mqtt/d1/availability", payload, (("0x1_contact", None, quality),))
          for payload, quality in ((js(state="offline"), STALE), (js(state="online"), GOOD), ("offline", STALE),
                                   ("online", GOOD))),
    ),
    "`<base>/bridge/state`": (
        listed(DOOR, before=True),
        Step("zigbee2mqtt/bridge/state", js(state="offline"), (("0x1_contact", None, STALE),)),
        Step("zigbee2mqtt/bridge/state", js(state="online"), before=True),
        says("0x1_contact", "closed", contact=True),
    ),
    "coordinator, disabled devices": (
        listed(DOOR, before=True),
        listed(DOOR, unit(2, type="Coordinator"), unit(3, binary("contact"), disabled=True), known="0x1_contact",
               same=True),
    ),
    "unsupported devices, devices being interviewed": (
        listed(unit(1, binary("contact"), supported=False), refused="d1 is not supported"),
        listed(unit(1, definition=None), refused="d1 is not supported"),
        listed(unit(1, binary("contact"), interviewing=True), refused="d1 is still being interviewed"),
    ),
    "friendly names with `+`, `#` or control characters": tuple(
        listed(unit(1, binary("contact"), friendly_name=name), refused="cannot be part of a topic")
        for name in ("a+b", "#", "a\x07b")
    ),
    "`mqtt.output: attribute` (a topic for each property)": (
        listed(DOOR, before=True),
        Step("zigbee2mqtt/d1/contact", "true"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", KINDS, ids=lambda row: row[:40])
def test_a_row_says_what_the_code_does(row: str) -> None:
    check(ROWS[row], played(plugin, Config(), KINDS[row]))


def test_every_row_has_its_messages() -> None:
    assert list(KINDS) == list(ROWS)
