"""The session through the real bleak, against a BlueZ of our own on a private D-Bus."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import integrations.bthome as integration
from hub.sdk import Tools, Unsupported
from integrations.bthome.config import Config, Sensor
from integrations.bthome.tests.far_end import child
from integrations.sim.bluez import Bluez, adapter, private_bus

pytestmark = pytest.mark.skipif(
    shutil.which("dbus-daemon") is None, reason="the program dbus-daemon is missing (Debian: apt install dbus)"
)

ADDRESS = "A4:C1:38:00:00:01"
DOOR = "bthome.a4c138000001_door"
CONFIG: dict[str, Any] = {
    "devices": {ADDRESS.lower(): {"name": "车库门", "sends": ["door", "tamper"]}},
    "timeout_s": 0.5,
    "watch_s": 0.1,
}


@pytest.fixture
async def bus() -> AsyncIterator[str]:
    async with private_bus() as (address, _):
        yield address


@pytest.fixture
async def bluez(bus: str) -> AsyncIterator[Bluez]:
    started = await Bluez.start(bus)
    yield started
    started.stop()


def sample(value: str, entity: str = DOOR) -> dict[str, Any]:
    return {"entity": entity, "value": value, "quality": "good", "device_at": None}


def vitals(battery: float | None = None, signal: float = -60.0) -> dict[str, Any]:
    return {"device": "车库门", "battery": battery, "signal": signal}


async def test_doors_are_heard_and_nothing_else(bus: str, bluez: Bluez) -> None:
    async with child(bus) as hub:
        await hub.say(CONFIG)
        assert await hub.answer() == {"open": [DOOR, "bthome.a4c138000001_tamper"]}
        assert ("/org/bluez/hci0", "StartDiscovery") in bluez.calls
        assert bluez.filters[-1]["DuplicateData"].value is True
        await bluez.advertise(ADDRESS, b"\x40\x00\x01\x01\x61\x1a\x01", rssi=-71)
        assert await hub.answer() == {"said": [sample("open"), vitals(97.0, -71.0)]}
        await bluez.advertise(ADDRESS, b"\x40\x00\x01\x01\x61\x1a\x01")  # the same packet id
        await bluez.advertise("A4:C1:38:00:00:02", b"\x40\x1a\x00")  # a neighbour's
        await bluez.advertise(ADDRESS, b"\x40\x1a\x00", uuid="0000181c-0000-1000-8000-00805f9b34fb")  # version 1
        for hostile in (b"", b"\x40\x1a", b"\x40\x1a\x07", b"\x20\x1a\x00", b"\x41" + bytes(20), b"\x40" + bytes(400)):
            await bluez.advertise(ADDRESS, hostile)
        await bluez.advertise(ADDRESS, b"\x40\x00\x02\x1a\x00\x2b\x01")
        tamper = sample("active", "bthome.a4c138000001_tamper")
        assert await hub.answer() == {"said": [sample("closed"), tamper, vitals()]}
        await hub.say(None)
        # bleak keeps its bus and a watcher of it for the loop; of ours nothing is left.
        assert await hub.answer() == {"closed": ["BlueZManager._monitor_bus_disconnect"], "sockets": 1}
    assert ("/org/bluez/hci0", "StopDiscovery") in bluez.calls
    assert hub.errors.count("sensor A4:C1:38:00:00:01") == 5  # one line for no bytes and for too many
    assert "Traceback" not in hub.errors


async def test_a_burst_is_bounded_and_does_not_hide_the_loss_of_the_adapter(bus: str, bluez: Bluez) -> None:
    async with child(bus) as hub:
        await hub.say(CONFIG)
        assert "open" in await hub.answer()
        for number in range(3_000):
            await bluez.advertise(ADDRESS, bytes([0x40, 0x00, number % 256, 0x1A, number % 2]))
            if number % 50 == 0:
                await bluez.settle()
        bluez.adapters.clear()
        while "said" in (answer := await hub.answer()):
            pass
        assert "closed" in answer
        assert (await hub.answer())["error"] == "Unreachable"
    assert hub.errors.count("the hub is slower") == 1


@pytest.mark.parametrize(
    ("lost", "reason"),
    [("unplugged", "gone"), ("off", "is off"), ("restarted", "started anew"), ("stopped", "does not run")],
)
async def test_a_lost_adapter_is_noticed_and_found_again(bus: str, bluez: Bluez, lost: str, reason: str) -> None:
    async with child(bus) as hub:
        await hub.say(CONFIG)
        assert "open" in await hub.answer()
        back: Bluez | None = None
        if lost == "unplugged":
            bluez.adapters.clear()
        elif lost == "off":
            bluez.adapters["hci0"] = adapter(powered=False)
        else:
            bluez.stop()
            back = await Bluez.start(bus) if lost == "restarted" else None
        assert "closed" in await hub.answer()
        error = await hub.answer()
        assert error["error"] == "Unreachable"
        assert reason in error["reason"]
        bluez.adapters["hci0"] = adapter()
        found = back or (await Bluez.start(bus) if lost == "stopped" else bluez)
        await hub.say(CONFIG)
        assert "open" in await hub.answer()
        if found is not bluez:
            found.stop()
    assert "Traceback" not in hub.errors


async def test_the_bus_dies() -> None:
    async with private_bus() as (address, daemon):
        bluez = await Bluez.start(address)
        async with child(address) as hub:
            await hub.say(CONFIG)
            assert "open" in await hub.answer()
            daemon.kill()
            assert "closed" in await hub.answer()
            error = await hub.answer()
            assert (error["error"], "bus" in error["reason"]) == ("Unreachable", True)
        bluez.stop()
    assert "Traceback" not in hub.errors


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("no adapter", "plug one in"),
        ("another adapter", "hci1 (there: hci0)"),
        ("off", "rfkill"),
        ("classic only", "Low Energy"),
        ("a refused scan", "does not scan"),
        ("a silent scan", "did not begin to scan"),
        ("a silent BlueZ", "did not answer within 0.5 s"),
        ("no rights", "group `bluetooth`"),
        ("no BlueZ", "systemctl start bluetooth"),
    ],
)
async def test_what_is_wrong_is_said_with_what_to_do(bus: str, bluez: Bluez, wrong: str, reason: str) -> None:
    config = CONFIG
    if wrong == "no adapter":
        bluez.adapters.clear()
    elif wrong == "another adapter":
        config = {**CONFIG, "adapter": "hci1"}
    elif wrong == "off":
        bluez.adapters["hci0"] = adapter(powered=False)
    elif wrong == "classic only":
        bluez.adapters["hci0"] = adapter(roles=("peripheral",))
    elif wrong == "a refused scan":
        bluez.refuses["StartDiscovery"] = "org.bluez.Error.NotReady"
    elif wrong == "a silent scan":
        bluez.silent.add("StartDiscovery")
    elif wrong == "a silent BlueZ":
        bluez.silent.add("GetManagedObjects")
    elif wrong == "no rights":
        bluez.refuses["GetManagedObjects"] = "org.freedesktop.DBus.Error.AccessDenied"
    else:
        await bluez.bus.release_name("org.bluez")
    async with child(bus) as hub:
        await hub.say(config)
        error = await hub.answer()
        assert error["error"] == "Unreachable"
        assert reason in error["reason"]
    assert "Traceback" not in hub.errors


@pytest.mark.parametrize("address", ["unix:path=/nowhere/bus", "nonsense", "tcp:host=127.0.0.1,port=1"])
async def test_no_bus(address: str) -> None:
    async with child(address) as hub:
        await hub.say(CONFIG)
        error = await hub.answer()
        assert (error["error"], "start dbus" in error["reason"]) == ("Unreachable", True)
    assert "Traceback" not in hub.errors


async def test_of_several_adapters_the_first_that_is_on(bus: str, bluez: Bluez) -> None:
    bluez.adapters = {"hci2": adapter(), "hci0": adapter(powered=False), "hci1": adapter(roles=())}
    async with child(bus) as hub:
        await hub.say(CONFIG)
        assert "open" in await hub.answer()
    assert ("/org/bluez/hci2", "StartDiscovery") in bluez.calls


async def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "bleak", None)
    config = Config({ADDRESS: Sensor("门", ("door",))})
    async with aiohttp.ClientSession() as http:
        with pytest.raises(Unsupported, match=r"menshen\[ble\]"):
            await integration.connect("radio", config, Tools(http, tmp_path, tmp_path))
