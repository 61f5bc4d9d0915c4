"""A BlueZ of our own on a private D-Bus, as org.bluez.Adapter(5) and org.bluez.Device(5) describe it, and how it lies.

It refuses and keeps silent where it is told to. What speaks Bluetooth here finds it by ``DBUS_SYSTEM_BUS_ADDRESS``.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

#: Service data of BTHome (https://bthome.io/format, "Bluetooth SIG UUID").
UUID = "0000fcd2-0000-1000-8000-00805f9b34fb"
_MANAGER = "org.freedesktop.DBus.ObjectManager"
_PROPERTIES = "org.freedesktop.DBus.Properties"
#: Seconds that the daemon may take to say where it listens.
START = 15.0

Properties = dict[str, Variant]


def adapter(powered: bool = True, roles: tuple[str, ...] = ("central", "peripheral")) -> Properties:
    """Return what an adapter shows."""
    return {"Address": Variant("s", "00:11"), "Powered": Variant("b", powered), "Roles": Variant("as", list(roles))}


@dataclass
class Bluez:
    """What ``bluetoothd`` shows; ``refuses`` are members answered with an error, ``silent`` those with nothing."""

    bus: MessageBus
    adapters: dict[str, Properties] = field(default_factory=lambda: {"hci0": adapter()})
    devices: dict[str, Properties] = field(default_factory=dict)
    refuses: dict[str, str] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    calls: list[tuple[str, str]] = field(default_factory=list)
    filters: list[Properties] = field(default_factory=list)

    @classmethod
    async def start(cls, address: str) -> Bluez:
        """Take the name of BlueZ on the bus at ``address``."""
        bluez = cls(await MessageBus(bus_address=address).connect())
        bluez.bus.add_message_handler(bluez._answer)
        await bluez.bus.request_name("org.bluez")
        return bluez

    def _answer(self, message: Message) -> Message | bool | None:
        if message.message_type is not MessageType.METHOD_CALL or message.path is None:
            return None
        self.calls.append((message.path, str(message.member)))
        if message.member in self.silent:
            return True
        if message.member in self.refuses:
            return Message.new_error(message, self.refuses[message.member], "as the test wants")
        name = message.path.rpartition("/")[2]
        if message.member == "GetManagedObjects":
            shown = {f"/org/bluez/{key}": {"org.bluez.Adapter1": item} for key, item in self.adapters.items()}
            shown |= {path: {"org.bluez.Device1": item} for path, item in self.devices.items()}
            return Message.new_method_return(message, "a{oa{sa{sv}}}", [shown])
        if name not in self.adapters:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownObject", "no such object")
        if message.member == "Get":
            return Message.new_method_return(message, "v", [self.adapters[name][message.body[1]]])
        if message.member == "SetDiscoveryFilter":
            self.filters.append(message.body[0])
        return Message.new_method_return(message)

    async def advertise(self, address: str, data: bytes, uuid: str = UUID, rssi: int = -60) -> None:
        """Let all who scan hear one advertisement."""
        path = f"/org/bluez/hci0/dev_{address.replace(':', '_')}"
        said = {"ServiceData": Variant("a{sv}", {uuid: Variant("ay", data)}), "RSSI": Variant("n", rssi)}
        if path in self.devices:
            self.devices[path] |= said
            body: list[Any] = ["org.bluez.Device1", said, []]
            await self.bus.send(Message.new_signal(path, _PROPERTIES, "PropertiesChanged", "sa{sv}as", body))
            return
        who = {
            "Address": Variant("s", address),
            "Alias": Variant("s", "door"),
            "Adapter": Variant("o", "/org/bluez/hci0"),
        }
        self.devices[path] = who | said
        body = [path, {"org.bluez.Device1": self.devices[path]}]
        await self.bus.send(Message.new_signal("/", _MANAGER, "InterfacesAdded", "oa{sa{sv}}", body))

    async def settle(self) -> None:
        """Wait until the daemon has taken all: dbus_fast does not bear a full socket."""
        daemon = "org.freedesktop.DBus"
        await self.bus.call(Message(destination=daemon, path="/", interface=f"{daemon}.Peer", member="Ping"))

    def stop(self) -> None:
        """Leave the bus."""
        self.bus.disconnect()


@contextlib.asynccontextmanager
async def private_bus() -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """Run a D-Bus daemon of our own; yield its address and its process."""
    with tempfile.TemporaryDirectory(prefix="bus") as folder:  # a socket's path has at most 107 bytes
        process = await asyncio.create_subprocess_exec(
            *("dbus-daemon", "--session", "--nofork", "--print-address", f"--address=unix:dir={folder}"),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None  # noqa: S101 - asked for above
        try:
            async with asyncio.timeout(START):
                yield (await process.stdout.readline()).decode().strip(), process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.communicate()
