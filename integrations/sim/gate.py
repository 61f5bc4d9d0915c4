"""The north gate: one bay in the fire lane with two magnetometers, and a roof door with a card reader.

One magnetometer speaks by LoRaWAN through a network server, the other posts the raw field to the hub. The reader and
the contact of the door are on an OSDP line, where libosdp is installed. All in one process: the demo shall start fast.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from integrations.sim.control import scenes_routes
from integrations.sim.field_node import FieldNode
from integrations.sim.link import Link
from integrations.sim.lorawan_bay import LorawanBay
from integrations.sim.process import Life, add_address, add_login, parser, run
from integrations.sim.web import serving

if TYPE_CHECKING:
    from integrations.sim.card_reader import CardReader

#: Seconds after which the contact of the door is reported again.
REPEAT = 5.0
HOOK = "/hooks/field_magnetometer/gate_north"


class Gate:
    """Its devices."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._lorawan = LorawanBay(arguments.name)
        self._field = FieldNode(
            f"http://{arguments.hub.host}:{arguments.hub.port}{HOOK}",
            arguments.password,
            arguments.link.with_name("marked"),
        )
        self._reader = _reader(arguments.link)
        self._link = Link(
            broker=arguments.mqtt,
            identifier="sim-gate",
            online=self._lorawan.gateway("ONLINE"),
            offline=self._lorawan.gateway("OFFLINE"),
            greeting=lambda: [self._lorawan.uplink()],
            state=self._lorawan.uplink,
            heartbeat=arguments.heartbeat,
            user=arguments.user_mqtt,
            password=arguments.password_mqtt,
        )

    def park(self, vehicle: bool) -> None:
        """Let a car come or go; both magnetometers see it."""
        self._field.vehicle = vehicle
        if vehicle != self._lorawan.vehicle:
            self._lorawan.vehicle = vehicle
            self._link.changed()

    def open(self, opened: bool) -> None:
        """Open or close the roof door."""
        if self._reader is not None:
            self._reader.change(opened)

    def card(self, held: bool) -> None:
        """Hold a card to the reader."""
        if self._reader is not None and held:
            self._reader.hold_card()

    def show(self) -> dict[str, Any]:
        """Return what the devices see."""
        roof = self._reader is not None and self._reader.open
        return {"gate": self._lorawan.vehicle, "roof": roof, "card": False}

    async def live(self) -> None:
        """Speak until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._link.keep())
            group.create_task(self._field.keep())
            group.create_task(self._repeat())

    def close(self) -> None:
        """Pull the plug of the reader, whose thread would outlive the process's end."""
        if self._reader is not None:
            self._reader.close()

    async def _repeat(self) -> None:
        while self._reader is not None:
            self._reader.say()
            await asyncio.sleep(REPEAT)


def _reader(link: Path) -> CardReader | None:
    if importlib.util.find_spec("osdp") is None:
        return None
    from integrations.sim.card_reader import CardReader  # a library in C, and not there without the extra

    return CardReader(link)


async def live(arguments: argparse.Namespace, life: Life) -> None:
    """Run until cancelled."""
    gate = Gate(arguments)
    routes = scenes_routes({"gate": gate.park, "roof": gate.open, "card": gate.card}, gate.show)
    try:
        async with serving(routes, arguments.control) as port, asyncio.TaskGroup() as group:
            group.create_task(gate.live())
            life.ready(control=port)
    finally:
        gate.close()


def main() -> int:
    """Read the arguments and run."""
    options = parser("gate", __doc__)
    add_address(options, "--mqtt", "broker", "127.0.0.1:1883")
    add_address(options, "--control", "where PUT /scene is taken")
    add_address(options, "--hub", "page of the hub, where pushes are taken", "127.0.0.1:8420")
    options.add_argument("--link", type=Path, required=True, metavar="PATH", help="name of the OSDP line")
    options.add_argument("--name", default="北门车位", help="name of the bay in the network server (%(default)s)")
    options.add_argument("--heartbeat", type=float, default=10.0, metavar="S", help="default %(default)s")
    options.add_argument("--user-mqtt", help="user at the broker")
    options.add_argument("--password-mqtt", help="password at the broker")
    add_login(options, "the field node, which signs with the password")
    return run("gate", live, options.parse_args())


if __name__ == "__main__":
    sys.exit(main())
