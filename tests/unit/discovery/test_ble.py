"""Bluetooth devices are found through the real bleak, against a BlueZ of our own on a private D-Bus."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from typing import Any

import pytest

from integrations.sim.bluez import Bluez, private_bus

pytestmark = pytest.mark.skipif(
    shutil.which("dbus-daemon") is None, reason="the program dbus-daemon is missing (Debian: apt install dbus)"
)
#: bleak keeps its bus for the life of a loop, so what listens is a process of its own.
CHILD = """
import asyncio, sys
import msgspec
from hub.discovery.ble import listen
from hub.discovery.matchers import matchers

async def see(found):
    print(msgspec.json.encode(found).decode(), flush=True)

known = matchers("bthome", [{"ble": "fcd2", "fill": {"address": "address"}}])
try:
    asyncio.run(listen(known, see))
except OSError as error:
    print('"' + str(error).replace('"', "'") + '"', flush=True)
"""


async def line(child: asyncio.subprocess.Process) -> Any:
    assert child.stdout is not None
    async with asyncio.timeout(20):
        return json.loads(await child.stdout.readline())


async def start(bus: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": bus},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


async def test_only_what_an_integration_knows_is_found() -> None:
    async with private_bus() as (bus, _):
        bluez = await Bluez.start(bus)
        child = await start(bus)
        async with asyncio.timeout(20):
            while ("/org/bluez/hci0", "StartDiscovery") not in bluez.calls:  # noqa: ASYNC110 - a fake tells nobody
                await asyncio.sleep(0.05)
        await bluez.advertise("A4:C1:38:00:00:09", b"\x01", uuid="0000180f-0000-1000-8000-00805f9b34fb")
        await bluez.advertise("a4:c1:38:00:00:01", b"\x40\x1a\x01")
        found = await line(child)
        assert (found["source"], found["identity"], found["integration"]) == ("ble", "A4:C1:38:00:00:01", "bthome")
        assert found["values"] == {"address": "A4:C1:38:00:00:01"}
        assert found["facts"]["services"] == "fcd2"
        child.terminate()
        await child.communicate()
        bluez.stop()


async def test_no_adapter_is_said() -> None:
    async with private_bus() as (bus, _):
        child = await start(bus)
        assert "Bluetooth" in await line(child)
        await child.communicate()
