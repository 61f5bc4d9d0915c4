"""Far ends of the integrations' own tests in one process, which can be cut off and started again on the same ports.

``python -m tests.kit.far_ends PORTS`` takes the ports by name as JSON; ``hub`` is the page of the hub that is pushed
to, ``bus`` the address of the D-Bus on which Bluetooth is played.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from integrations.axis_speaker.tests.far_end import Axis
from integrations.bthome.tests.far_end import Bluez
from integrations.dahua.tests import far_end as dahua
from integrations.dingtalk.tests.far_end import Platform as DingTalk
from integrations.email.tests.far_end import MailServer
from integrations.feishu.tests.far_end import Platform as Feishu
from integrations.hikvision.tests import far_end as hikvision
from integrations.onenet.tests.far_end import Push
from integrations.onenet.tests.platform import Platform as OneNet
from integrations.onvif.tests.far_end import FakeCamera
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


async def live(arguments: argparse.Namespace, life: Life) -> None:
    """Serve until cancelled."""
    ports: dict[str, Any] = json.loads(arguments.ports)
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
            life.ready()


def main() -> int:
    """Run as a program."""
    options = parser("far_ends", __doc__)
    options.add_argument("ports")
    return run("far_ends", live, options.parse_args())


if __name__ == "__main__":
    sys.exit(main())
