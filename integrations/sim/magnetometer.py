"""A parking magnetometer that announces itself by Home Assistant MQTT discovery.

Wire format: Home Assistant documentation, "MQTT Discovery" and "MQTT binary sensor": a retained configuration on
``homeassistant/binary_sensor/<node>/<object>/config``, JSON states, availability with a last will.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from integrations.sim.control import scene_routes
from integrations.sim.link import Link, Publication
from integrations.sim.process import Life, add_address, parser, run
from integrations.sim.web import serving


class Magnetometer:
    """One sensor in the road."""

    def __init__(self, node: str, name: str, prefix: str, heartbeat: float) -> None:
        self.node, self.name, self.prefix, self.heartbeat = node, name, prefix, heartbeat
        self.base = f"magnetometer/{node}"
        self.vehicle = False

    def configuration(self) -> Publication:
        """Return the discovery message."""
        config = {
            "name": "车辆",
            "unique_id": f"{self.node}_vehicle",
            "object_id": f"{self.node}_vehicle",
            "device_class": "occupancy",
            "state_topic": f"{self.base}/state",
            "value_template": "{{ value_json.occupancy }}",
            "payload_on": "ON",
            "payload_off": "OFF",
            "availability_topic": f"{self.base}/availability",
            "payload_available": "online",
            "payload_not_available": "offline",
            "expire_after": max(1, round(self.heartbeat * 3)),
            "qos": 1,
            "device": {
                "identifiers": [self.node],
                "name": self.name,
                "manufacturer": "Menshen",
                "model": "SIM-MAG-1",
                "sw_version": "1.0",
            },
        }
        topic = f"{self.prefix}/binary_sensor/{self.node}/vehicle/config"
        return Publication(topic, json.dumps(config, ensure_ascii=False))

    def state(self) -> Publication:
        """Return the present state; ``battery`` in percent, ``rssi`` in dBm."""
        value = {"occupancy": "ON" if self.vehicle else "OFF", "battery": 97, "rssi": -61}
        return Publication(f"{self.base}/state", json.dumps(value))

    def availability(self, word: str) -> Publication:
        """Return the availability message."""
        return Publication(f"{self.base}/availability", word)


async def live(arguments: argparse.Namespace, life: Life) -> None:
    """Run the sensor until cancelled."""
    sensor = Magnetometer(arguments.id, arguments.name or arguments.id, arguments.prefix, arguments.heartbeat)
    link = Link(
        broker=arguments.mqtt,
        identifier=f"sim-{sensor.node}",
        online=sensor.availability("online"),
        offline=sensor.availability("offline"),
        greeting=lambda: [sensor.configuration(), sensor.state()],
        state=sensor.state,
        heartbeat=sensor.heartbeat,
        user=arguments.user,
        password=arguments.password,
    )

    def change(vehicle: bool) -> None:
        if vehicle != sensor.vehicle:
            sensor.vehicle = vehicle
            link.changed()

    routes = scene_routes("vehicle", change, lambda: {"vehicle": sensor.vehicle, "connected": link.connected})
    async with serving(routes, arguments.control) as port, asyncio.TaskGroup() as group:
        group.create_task(link.keep())
        life.ready(control=port)


def main() -> int:
    """Read the arguments and run."""
    options = parser("magnetometer", __doc__)
    add_address(options, "--mqtt", "broker", "127.0.0.1:1883")
    add_address(options, "--control", "where PUT /scene is taken")
    options.add_argument("--id", default="lane_3", help="node id (default %(default)s)")
    options.add_argument("--name", help="name of the device (default: its id)")
    options.add_argument("--prefix", default="homeassistant", help="discovery prefix (default %(default)s)")
    options.add_argument("--heartbeat", type=float, default=10.0, metavar="S", help="default %(default)s")
    options.add_argument("--user", help="user at the broker")
    options.add_argument("--password", help="password at the broker")
    return run("magnetometer", live, options.parse_args())


if __name__ == "__main__":
    sys.exit(main())
