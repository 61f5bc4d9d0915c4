"""The far ends of all integrations, which can be cut off at once and started again on the same ports.

``python -m tests.kit.far_ends SITE`` takes a JSON object: ports by domain; ``hub`` is the page of the hub that is
pushed to, ``broker`` where messages go, ``bus`` the address of the D-Bus on which Bluetooth is played, ``folder`` where
serial lines appear. Simulated devices are processes of their own, forked from this one after its imports, which take
longest. The ready line names all process ids; the ends of the integrations' own tests run in this one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from integrations.axis_speaker.tests.far_end import Axis
from integrations.bacnet.tests import far_end as bacnet
from integrations.bthome.tests.far_end import Bluez
from integrations.dahua.tests import far_end as dahua
from integrations.dingtalk.tests.far_end import Platform as DingTalk
from integrations.email.tests.far_end import MailServer
from integrations.feishu.tests.far_end import Platform as Feishu
from integrations.hikvision.tests import far_end as hikvision
from integrations.onenet.tests.far_end import Push
from integrations.onenet.tests.platform import Platform as OneNet
from integrations.onvif.tests.far_end import FakeCamera
from integrations.sim import camera, gate, lift, magnetometer, nodes, smoke_board, speaker, zigbee_door
from integrations.sim.process import Life, parser, run
from integrations.sim.wecom_robot import Platform as WeCom
from integrations.sms_gateway.tests.far_end import Sms

#: Seconds between two heartbeats.
BEAT = 0.3
TOKEN = "parking-token"
SENSOR = "A4:C1:38:00:00:01"


def _beating(part: bytes) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """Return an event stream on which nothing happens."""

    async def stream(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(BEAT)

    return stream


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


def _simulated(site: dict[str, Any]) -> dict[str, tuple[Callable[[], int], tuple[str, ...]]]:
    """Return each simulated device with its arguments."""
    mqtt = ("--mqtt", site["broker"], "--heartbeat", "1")
    page, folder = site["hub"].removeprefix("http://").strip("/"), site["folder"]
    at = {name: f"127.0.0.1:{port}" for name, port in site.items()}
    by_hub = ("--hub", at["nodes"], "--data", f"{folder}/nodes")
    return {
        "camera": (camera.main, ("--http", at["generic_camera"], "--auth", "none")),
        "speaker": (speaker.main, ("--http", at["http_speaker"], "--data", f"{folder}/speaker")),
        "lift": (lift.main, ("--modbus", at["modbus"])),
        "smoke_board": (smoke_board.main, ("--link", f"{folder}/board")),
        "magnetometer": (magnetometer.main, mqtt),
        "zigbee_door": (zigbee_door.main, mqtt),
        "gate": (gate.main, (*mqtt, "--hub", page, "--link", f"{folder}/reader")),
        "nodes": (nodes.main, (*by_hub, "--link", f"{folder}/node")),
    }


def _fork(main: Callable[[], int], arguments: tuple[str, ...]) -> int:
    """Run a program in a process of its own; return its id."""
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - the ready line is ours
        sys.argv = ["far_end", *arguments, "--parent", str(parent)]
        os._exit(main())
    return pid


def _bacnet(port: int) -> int:
    """Run the lift controller, which ends with its standard input."""
    listening, _ = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(listening, 0)
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - the ready line is ours
        asyncio.run(bacnet.main(port, "all"))
        os._exit(0)
    return pid


async def live(arguments: argparse.Namespace, life: Life) -> None:
    """Serve until cancelled."""
    ports, pids = arguments.site, arguments.pids
    wecom = web.Application()
    wecom.add_routes(WeCom().routes())
    apps = {"dingtalk": DingTalk().app(), "feishu": Feishu().app(), "sms_gateway": Sms().app(), "wecom": wecom}
    async with AsyncExitStack() as stack:
        for name, app in apps.items():
            await stack.enter_async_context(TestServer(app, host="127.0.0.1", port=ports[name]))
        await stack.enter_async_context(Axis().listen(ports["axis_speaker"]))
        of_dahua = dahua.Camera(stream=_beating(dahua.HEARTBEAT))
        await stack.enter_async_context(of_dahua.on_loopback(ports["dahua"]))
        of_hikvision = hikvision.Camera(stream=_beating(hikvision.HEARTBEAT))
        await stack.enter_async_context(of_hikvision.on_loopback(port=ports["hikvision"]))
        await stack.enter_async_context(FakeCamera().serve(ports["onvif"]))
        await stack.enter_async_context(MailServer().serve(ports["email"]))
        async with asyncio.TaskGroup() as group:
            group.create_task(_advertise(ports["bus"]))
            group.create_task(_push(ports["hub"]))
            life.ready(**pids)


def main() -> int:
    """Run as a program."""
    options = parser("far_ends", __doc__)
    options.add_argument("site", type=json.loads)
    arguments = options.parse_args()
    arguments.pids = {name: _fork(*program) for name, program in _simulated(arguments.site).items()}
    arguments.pids |= {"bacnet": _bacnet(arguments.site["bacnet"]), "others": os.getpid()}
    return run("far_ends", live, arguments)


if __name__ == "__main__":
    sys.exit(main())
