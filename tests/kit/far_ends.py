"""The far ends of all integrations, which can be cut off at once and started again on the same ports.

``python -m tests.kit.far_ends SITE`` takes a JSON object: ports by domain; ``hub`` is the page of the hub that is
pushed to, ``broker`` where messages go, ``bus`` the address of the D-Bus on which Bluetooth is played, ``folder`` where
serial lines appear. Lines on its standard input plug all in (``in``; it says a line when each of them is ready, or ends
naming the one that is not) and out (``out``, as ``kill -9`` does). Simulated devices are processes of their own, forked
from this one after its imports, which take longest; robots, gateways and most cameras share one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, TextIO

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from integrations.axis_speaker.tests.far_end import Axis
from integrations.sim import bacnet_lift, camera, gate, lift, magnetometer, nodes, smoke_board, speaker, zigbee_door
from integrations.sim import dahua_camera as dahua
from integrations.sim import hikvision_camera as hikvision
from integrations.sim.bluez import Bluez
from integrations.sim.dingtalk_robot import Platform as DingTalk
from integrations.sim.event_stream import EventStream
from integrations.sim.feishu_robot import Platform as Feishu
from integrations.sim.mail_server import MailServer
from integrations.sim.onenet_platform import Platform as OneNet
from integrations.sim.onenet_platform import Push
from integrations.sim.onvif_camera import FakeCamera
from integrations.sim.process import Life, run
from integrations.sim.sms_platform import Sms
from integrations.sim.wecom_robot import Platform as WeCom

#: Seconds between two heartbeats.
BEAT = 0.3
TOKEN = "parking-token"
SENSOR = "A4:C1:38:00:00:01"


async def _advertise(bus: str) -> None:
    """Play a Bluetooth adapter that hears one door contact, which counts its messages."""
    bluez = await Bluez.start(bus)
    number = 0
    while True:
        number = (number + 1) % 256
        await bluez.advertise(SENSOR, b"\x40\x00" + bytes([number]) + b"\x11\x00")
        await asyncio.sleep(BEAT)


async def _push(hub: str) -> None:
    async with aiohttp.ClientSession() as http:
        await Push(OneNet(http, URL(f"{hub}hooks/onenet/unplugged"), TOKEN)).keep(BEAT)


def _simulated(site: dict[str, Any]) -> list[tuple[Callable[[], int], tuple[str, ...]]]:
    """Return each simulated device with its arguments."""
    mqtt = ("--mqtt", site["broker"], "--heartbeat", "1")
    page, folder = site["hub"].removeprefix("http://").strip("/"), site["folder"]
    at = {name: f"127.0.0.1:{port}" for name, port in site.items()}
    by_hub = ("--hub", at["nodes"], "--data", f"{folder}/nodes")
    return [
        (camera.main, ("--http", at["generic_camera"], "--auth", "none")),
        (speaker.main, ("--http", at["http_speaker"], "--data", f"{folder}/speaker")),
        (lift.main, ("--modbus", at["modbus"])),
        (smoke_board.main, ("--link", f"{folder}/board")),
        (magnetometer.main, mqtt),
        (zigbee_door.main, mqtt),
        (gate.main, (*mqtt, "--hub", page, "--link", f"{folder}/reader")),
        (bacnet_lift.main, ("--bacnet", at["bacnet"])),
        (nodes.main, (*by_hub, "--link", f"{folder}/node")),
    ]


def _fork(main: Callable[[], int]) -> tuple[int, TextIO]:
    """Run ``main`` in a process of its own; return its id, and where it says that it is ready."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        sys.stdout = open(writing, "w")  # noqa: SIM115, PTH123 - for its whole life
        os._exit(main())
    os.close(writing)
    return pid, open(reading)  # noqa: PTH123


def _called(main: Callable[[], int], arguments: tuple[str, ...], parent: int) -> int:
    sys.argv = ["far_end", *arguments, "--parent", str(parent)]
    return main()


def _plug_in(site: dict[str, Any]) -> list[int]:
    """Start all far ends and wait until each is ready; return their process ids."""
    parent = os.getpid()
    others = argparse.Namespace(site=site, parent=parent)
    mains = {main.__module__: partial(_called, main, arguments, parent) for main, arguments in _simulated(site)}
    started = {name: _fork(main) for name, main in {**mains, "others": partial(run, "others", live, others)}.items()}
    for name, (_, said) in started.items():
        with said:
            if not said.readline():
                raise SystemExit(f"{name} did not start")
    return [pid for pid, _ in started.values()]


async def live(arguments: argparse.Namespace, life: Life) -> None:
    """Serve until cancelled."""
    ports = arguments.site
    wecom = web.Application()
    wecom.add_routes(WeCom().routes())
    apps = {"dingtalk": DingTalk().app(), "feishu": Feishu().app(), "sms_gateway": Sms().app(), "wecom": wecom}
    async with AsyncExitStack() as stack:
        for name, app in apps.items():
            await stack.enter_async_context(TestServer(app, host="127.0.0.1", port=ports[name]))
        await stack.enter_async_context(Axis().listen(ports["axis_speaker"]))
        of_dahua = dahua.Camera(stream=EventStream(dahua.HEARTBEAT, BEAT).write)
        await stack.enter_async_context(of_dahua.on_loopback(ports["dahua"]))
        of_hikvision = hikvision.Camera(stream=EventStream(hikvision.HEARTBEAT, BEAT).write)
        await stack.enter_async_context(of_hikvision.on_loopback(port=ports["hikvision"]))
        await stack.enter_async_context(FakeCamera().serve(ports["onvif"]))
        await stack.enter_async_context(MailServer().serve(ports["email"]))
        async with asyncio.TaskGroup() as group:
            group.create_task(_advertise(ports["bus"]))
            group.create_task(_push(ports["hub"]))
            life.ready()


def main() -> None:
    """Obey until the standard input ends."""
    pids: list[int] = []
    for line in _orders():
        if line == "in":
            pids = _plug_in(json.loads(sys.argv[1]))
            sys.stdout.write("in\n")
            sys.stdout.flush()
        else:
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            pids = []


def _orders() -> Iterator[str]:
    while line := sys.stdin.readline():
        yield line.strip()
    yield "out"


if __name__ == "__main__":
    main()
