"""A door contact behind Zigbee2MQTT: the bridge's side of MQTT, as Zigbee2MQTT 2.x publishes it.

Wire format: Zigbee2MQTT documentation, "MQTT topics and messages" (bridge/state, bridge/devices, availability) and the
page of the device MCCGQ11LM. ``contact: true`` means that the door is closed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import Any

from integrations.sim.control import scene_routes
from integrations.sim.link import Link, Publication
from integrations.sim.process import Life, add_address, parser, run
from integrations.sim.web import serving

#: Bits of ``access`` (Zigbee2MQTT "exposes"): 1 = published in the state; the device cannot be set or asked.
PUBLISHED = 1


class Door:
    """A coordinator and one Aqara contact that is paired with it."""

    def __init__(self, ieee: str, name: str, base: str) -> None:
        self.ieee, self.name, self.base = ieee, name, base
        self.open = False

    def devices(self) -> Publication:
        """Return the retained list of paired devices."""
        exposes = [
            _numeric("battery", "%", "Remaining battery in %", value_min=0, value_max=100, category="diagnostic"),
            {
                "access": PUBLISHED,
                "description": "Indicates if the contact is closed (= true) or open (= false)",
                "label": "Contact",
                "name": "contact",
                "property": "contact",
                "type": "binary",
                "value_off": True,
                "value_on": False,
            },
            _numeric("device_temperature", "°C", "Temperature of the device", category="diagnostic"),
            _numeric("voltage", "mV", "Voltage of the battery in millivolts", category="diagnostic"),
            _numeric("linkquality", "lqi", "Link quality (signal strength)", value_min=0, value_max=255),
        ]
        coordinator: dict[str, Any] = {
            "definition": None,
            "disabled": False,
            "endpoints": {"1": {"bindings": [], "clusters": {"input": [], "output": []}, "configured_reportings": []}},
            "friendly_name": "Coordinator",
            "ieee_address": "0x00124b0000000001",
            "interview_completed": True,
            "interviewing": False,
            "network_address": 0,
            "supported": True,
            "type": "Coordinator",
        }
        contact: dict[str, Any] = {
            "date_code": "20161128",
            "definition": {
                "description": "Door and window sensor",
                "exposes": exposes,
                "model": "MCCGQ11LM",
                "options": [],
                "supports_ota": False,
                "vendor": "Aqara",
            },
            "disabled": False,
            "endpoints": {
                "1": {
                    "bindings": [],
                    "clusters": {"input": ["genBasic", "genIdentify", "genOnOff"], "output": ["genBasic"]},
                    "configured_reportings": [],
                    "scenes": [],
                }
            },
            "friendly_name": self.name,
            "ieee_address": self.ieee,
            "interview_completed": True,
            "interviewing": False,
            "manufacturer": "LUMI",
            "model_id": "lumi.sensor_magnet.aq2",
            "network_address": 29_159,
            "power_source": "Battery",
            "software_build_id": "3000-0001",
            "supported": True,
            "type": "EndDevice",
        }
        return Publication(f"{self.base}/bridge/devices", json.dumps([coordinator, contact], ensure_ascii=False))

    def bridge(self, word: str) -> Publication:
        """Return the state of the bridge itself."""
        return Publication(f"{self.base}/bridge/state", json.dumps({"state": word}))

    def availability(self) -> Publication:
        """Return that the contact can be reached."""
        return Publication(f"{self.base}/{self.name}/availability", json.dumps({"state": "online"}))

    def state(self) -> Publication:
        """Return the contact's state; ``voltage`` in millivolts, ``linkquality`` from 0 to 255."""
        value = {
            "battery": 97,
            "contact": not self.open,
            "device_temperature": 21,
            "linkquality": 138,
            "power_outage_count": 3,
            "voltage": 2995,
        }
        return Publication(f"{self.base}/{self.name}", json.dumps(value))


def _numeric(name: str, unit: str, description: str, **more: Any) -> dict[str, Any]:
    """Return one entry of ``exposes``."""
    label = name.replace("_", " ").capitalize()
    return {
        "access": PUBLISHED,
        "description": description,
        "label": label,
        "name": name,
        "property": name,
        "type": "numeric",
        "unit": unit,
        **more,
    }


async def live(arguments: argparse.Namespace, life: Life) -> None:
    """Run the bridge and its door until cancelled."""
    door = Door(arguments.ieee, arguments.id, arguments.base)
    link = Link(
        broker=arguments.mqtt,
        identifier=f"sim-{door.base}-{door.ieee}",
        online=door.bridge("online"),
        offline=door.bridge("offline"),
        greeting=lambda: [door.devices(), door.availability(), door.state()],
        state=door.state,
        heartbeat=arguments.heartbeat,
        user=arguments.user,
        password=arguments.password,
    )

    def change(opened: bool) -> None:
        if opened != door.open:
            door.open = opened
            link.changed()

    routes = scene_routes("open", change, lambda: {"open": door.open, "connected": link.connected})
    async with serving(routes, arguments.control) as port, asyncio.TaskGroup() as group:
        group.create_task(link.keep())
        life.ready(control=port)


def main() -> int:
    """Read the arguments and run."""
    options = parser("zigbee_door", __doc__)
    add_address(options, "--mqtt", "broker", "127.0.0.1:1883")
    add_address(options, "--control", "where PUT /scene is taken")
    options.add_argument("--id", default="unit_5_1", help="friendly name (default %(default)s)")
    options.add_argument("--ieee", default="0x00158d0004866f11", help="IEEE address (default %(default)s)")
    options.add_argument("--base", default="zigbee2mqtt", help="base topic (default %(default)s)")
    options.add_argument("--heartbeat", type=float, default=30.0, metavar="S", help="default %(default)s")
    options.add_argument("--user", help="user at the broker")
    options.add_argument("--password", help="password at the broker")
    return run("zigbee_door", live, options.parse_args())


if __name__ == "__main__":
    sys.exit(main())
