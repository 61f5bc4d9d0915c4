"""A node over Bluetooth through the real bleak, against a BlueZ of our own on a private D-Bus."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from integrations.firmware_node.tests.far_radio import ADDRESS, MTU, BleNode, Radio
from integrations.sim.bluez import private_bus

pytestmark = pytest.mark.skipif(
    shutil.which("dbus-daemon") is None, reason="the program dbus-daemon is missing (Debian: apt install dbus)"
)


async def told(child: asyncio.subprocess.Process, entity: str) -> Any:
    """Return the next thing that was said of an entity."""
    assert child.stdout is not None
    async with asyncio.timeout(25):
        while line := await child.stdout.readline():
            what, value = json.loads(line)
            if what.endswith(entity):
                return value
    pytest.fail("the child ended")


async def test_a_node_is_claimed_and_heard_by_radio_and_its_loss_is_noticed(tmp_path: Path) -> None:
    async with private_bus() as (bus, _):
        radio = await Radio.start(bus)
        assert isinstance(radio, Radio)
        node = BleNode()
        radio.be(node)
        with (tmp_path / "log").open("wb") as log:
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "integrations.firmware_node.tests.child"),
                *(str(tmp_path), node.id.hex(), ADDRESS),
                env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": bus},
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        greeting = asyncio.ensure_future(greet(node))
        try:
            assert await told(child, "fault") == "clear", (tmp_path / "log").read_text()
            node.happen(0, True)
            assert await told(child, "0_door") == "open"
            assert max(map(len, radio.written)) <= MTU - 3
            radio.drop()
            assert "Bluetooth" in await told(child, "unreachable")
        except BaseException:
            sys.stderr.write((tmp_path / "log").read_text()[-3000:] + str(radio.calls[-20:]))
            raise
        finally:
            greeting.cancel()
            if child.returncode is None:
                child.kill()
            await child.communicate()
            radio.stop()


async def greet(node: BleNode) -> None:
    """Say hello until somebody claims the node."""
    while not node.key:
        if "StartNotify" in {member for _, member in node.bluez.calls} or node.bluez.written:
            node.hello()
        await asyncio.sleep(0.2)
