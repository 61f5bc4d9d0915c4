"""Building 6 of the estate: what joins when the hub is up already, in one process.

A Dahua camera and the platform of an NB-IoT sensor see its two lanes, an ONVIF camera its gate, a Hikvision camera its
facade; dry contacts and a door-hold relay are behind a Modbus board. With ``--bus`` its cellar door has Bluetooth.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
from yarl import URL

from integrations.sim import dahua_camera, hikvision_camera, onvif_messages
from integrations.sim.control import scenes_routes
from integrations.sim.event_stream import EventStream
from integrations.sim.io_board import IoBoard
from integrations.sim.lettering import words
from integrations.sim.onenet_platform import Platform, Push
from integrations.sim.onvif_camera import FakeCamera
from integrations.sim.process import Life, add_address, add_login, parser, run
from integrations.sim.scene import Scene, lane
from integrations.sim.web import serving

#: Seconds between two heartbeats of the cameras, and of the parking sensor.
BEAT, PARKED = 4.0, 2.0
HOOK = "/hooks/onenet/bays"
#: Contacts at the inputs of the board.
EBIKE, PUMP = 0, 1
#: What is over as soon as it happens, and all that can be seen here, by the word of ``PUT /scene``.
MOMENTS = {"fall"}
SCENE = ("lane6", "bay7", "west", "fall", "ebike", "pump", "cellar")


class Quarter:
    """Its devices."""

    def __init__(self, arguments: argparse.Namespace, http: aiohttp.ClientSession, zone: ZoneInfo) -> None:
        login = {"user": arguments.user, "password": arguments.password}
        self.seen = dict.fromkeys(SCENE, False)
        self._lane = Scene(words("6号楼西侧消防通道", "Fire lane west of building 6"), zone)
        self._gate = Scene(words("小区西门", "West gate"), zone)
        yard = Scene(words("6号楼外立面", "Facade of building 6"), zone)
        self._dahua = EventStream(dahua_camera.HEARTBEAT, BEAT)
        self._hikvision = EventStream(hikvision_camera.HEARTBEAT, BEAT)
        self.dahua = dahua_camera.Camera(stream=self._dahua.write, shows=self._lane.jpeg, **login)
        self.hikvision = hikvision_camera.Camera(stream=self._hikvision.write, shows=yard.jpeg, **login)
        self.onvif = FakeCamera(shows=lambda _: self._gate.jpeg(), **login)
        self.board = IoBoard(arguments.modbus.host, arguments.modbus.port)
        hook = URL(f"http://{arguments.hub.host}:{arguments.hub.port}{HOOK}")
        self.push = Push(Platform(http, hook, arguments.password))
        self._tell_gate()

    def changes(self) -> dict[str, Callable[[bool], None]]:
        """Return what ``PUT /scene`` takes, but for the door by Bluetooth."""
        return {
            "lane6": self._park,
            "bay7": self._occupy,
            "west": self._stir,
            "fall": self._fall,
            "ebike": lambda there: self.board.put(EBIKE, there),
            "pump": lambda opened: self.board.put(PUMP, opened),
        }

    def show(self) -> dict[str, Any]:
        """Return what is seen here, and how often the relay was closed."""
        return {**self.seen, "held": self.board.held}

    def _park(self, vehicle: bool) -> None:
        """Dahua: an event that lasts, told when it begins and ends, and to who asks what lasts."""
        self._lane.put(vehicle=vehicle)
        self.dahua.lasts["ParkingDetection"] = (0,) if vehicle else ()
        self._dahua.tell(dahua_camera.event("ParkingDetection", "Start" if vehicle else "Stop"))

    def _occupy(self, vehicle: bool) -> None:
        """NB-IoT: one number of a data stream."""
        self.push.value = int(vehicle)
        self.push.changed.set()

    def _stir(self, motion: bool) -> None:
        """ONVIF: a property, which who subscribes later is told first."""
        self._gate.put(vehicle=motion)
        self.onvif.tell(self._tell_gate(motion))

    def _tell_gate(self, motion: bool = False) -> str:
        told = onvif_messages.notification(
            onvif_messages.MOTION, {"IsMotion": str(motion).lower()}, {"VideoSourceConfigurationToken": "vsc1"}
        )
        self.onvif.initial = [told]
        return told

    def _fall(self, falls: bool) -> None:
        """Hikvision: a pulse."""
        if falls:
            self._hikvision.tell(hikvision_camera.alert("objectsThrownDetection"))


async def live(arguments: argparse.Namespace, life: Life) -> None:
    """Run the quarter until cancelled."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        await asyncio.to_thread(lane)  # it is drawn once
        quarter = Quarter(arguments, http, ZoneInfo(arguments.zone))
        changes, work = quarter.changes(), [quarter.board.serve(), quarter.push.keep(PARKED)]
        if arguments.bus:
            from integrations.sim.bthome_door import BthomeDoor, bus_at  # a library of its own, and a daemon

            door = BthomeDoor()
            await stack.enter_async_context(bus_at(arguments.bus))
            changes["cellar"] = door.change
            work.append(door.advertise(arguments.bus))
        routes = scenes_routes({name: _kept(quarter, name, to) for name, to in changes.items()}, quarter.show)
        await stack.enter_async_context(quarter.dahua.on_loopback(arguments.dahua.port))
        await stack.enter_async_context(quarter.hikvision.on_loopback(port=arguments.hikvision.port))
        await stack.enter_async_context(quarter.onvif.serve(arguments.onvif.port))
        port = await stack.enter_async_context(serving(routes, arguments.control))
        group = await stack.enter_async_context(asyncio.TaskGroup())
        for one in work:
            group.create_task(one)
        life.ready(control=port)


def _kept(quarter: Quarter, name: str, change: Callable[[bool], None]) -> Callable[[bool], None]:
    """Return ``change``, which is also remembered and not made twice."""

    def kept(value: bool) -> None:
        if quarter.seen[name] != value:
            quarter.seen[name] = value and name not in MOMENTS
            change(value)

    return kept


def main() -> int:
    """Read the arguments and run."""
    options = parser("quarter", __doc__)
    add_address(options, "--control", "where PUT /scene is taken")
    add_address(options, "--hub", "page of the hub, where pushes are taken", "127.0.0.1:8420")
    for name in ("dahua", "hikvision", "onvif", "modbus"):
        add_address(options, f"--{name}", f"where {name} is spoken, on the loopback", "127.0.0.1:0")
    options.add_argument("--bus", default="", metavar="ADDRESS", help="D-Bus to start, for the door by Bluetooth")
    options.add_argument("--zone", default="Asia/Shanghai", help="time zone of the cameras' clocks (%(default)s)")
    add_login(options, "the cameras, and the token of the NB-IoT platform")
    return run("quarter", live, options.parse_args())


if __name__ == "__main__":
    sys.exit(main())
