"""The Bluetooth adapter as BlueZ shows it on D-Bus: which one to listen with, and whether it is still there.

bleak does not tell a scanner that its adapter was unplugged or that bluetoothd was started anew; both end the scan in
silence. Interfaces: org.bluez.Adapter(5), and org.freedesktop.DBus.ObjectManager and .Properties of the D-Bus
specification.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.errors import DBusFastError

from hub.sdk import Unreachable, clean

BLUEZ = "org.bluez"
ADAPTER = "org.bluez.Adapter1"
_NO_BUS = "no D-Bus system bus: start dbus; in a container, give it the folder /run/dbus of the host"
_HINTS = {
    "org.freedesktop.DBus.Error.ServiceUnknown": "BlueZ does not run: install bluez, then `systemctl start bluetooth`",
    "org.freedesktop.DBus.Error.NameHasNoOwner": "BlueZ does not run: install bluez, then `systemctl start bluetooth`",
    "org.freedesktop.DBus.Error.AccessDenied": "this user may not use BlueZ: add it to the group `bluetooth`",
    "org.freedesktop.DBus.Error.UnknownObject": "the Bluetooth adapter is gone: plug it in again",
    "org.freedesktop.DBus.Error.UnknownMethod": "the Bluetooth adapter is gone: plug it in again",
}


class Adapter:
    """One adapter, over a connection of its own. All methods raise Unreachable with what a technician should do."""

    def __init__(self, bus: MessageBus, timeout: float) -> None:
        self._bus = bus
        self._timeout = timeout
        self._owner: str | None = None
        self.name = ""
        """As BlueZ calls it, for example ``hci0``."""

    @classmethod
    async def find(cls, wanted: str, timeout: float) -> Adapter:
        """Take the adapter called ``wanted``, or the first that is on. ``timeout`` in seconds is for each wait."""
        adapter = cls(await _system_bus(timeout), timeout)
        try:
            adapter.name = _choose(await adapter._adapters(), wanted)
            await adapter.check()
        except BaseException:  # cancelled, too: no bus is left of an adapter that nobody has
            await adapter.close()
            raise
        return adapter

    async def check(self) -> None:
        """Look whether the adapter is there and on, under the bluetoothd that was asked to listen."""
        path = f"/org/bluez/{self.name}"
        reply = await self._call(path, "org.freedesktop.DBus.Properties", "Get", "ss", [ADAPTER, "Powered"])
        value = reply.body[0] if reply.signature == "v" else None
        if not isinstance(value, Variant) or value.value is not True:
            raise Unreachable(f"{self.name} is off: `rfkill unblock bluetooth`, then `bluetoothctl power on`")
        if self._owner not in {None, reply.sender}:
            raise Unreachable("BlueZ was started anew")
        self._owner = reply.sender

    async def close(self) -> None:
        """Let go of the bus, and return when its socket is closed."""
        self._bus.disconnect()
        with contextlib.suppress(OSError, EOFError, DBusFastError):  # TimeoutError is an OSError
            async with asyncio.timeout(self._timeout):
                await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]

    async def _adapters(self) -> dict[str, dict[str, Any]]:
        """Return the properties of each adapter by its name."""
        reply = await self._call("/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        if reply.signature != "a{oa{sa{sv}}}":
            raise Unreachable("BlueZ answered something else than its objects")
        found = {path.rpartition("/")[2]: shown[ADAPTER] for path, shown in reply.body[0].items() if ADAPTER in shown}
        return {name: {key: item.value for key, item in found[name].items()} for name in sorted(found)}

    async def _call(
        self, path: str, interface: str, member: str, signature: str = "", body: list[Any] | None = None
    ) -> Message:
        question = Message(
            destination=BLUEZ, path=path, interface=interface, member=member, signature=signature, body=body or []
        )
        try:
            async with asyncio.timeout(self._timeout):
                reply = await self._bus.call(question)
        except TimeoutError:
            raise Unreachable(f"BlueZ did not answer within {self._timeout:g} s") from None
        except (OSError, EOFError, DBusFastError) as error:
            raise Unreachable(f"the D-Bus system bus is gone ({type(error).__name__})") from None
        if reply.message_type is MessageType.ERROR:
            name = reply.error_name or "no reason"
            raise Unreachable(_HINTS.get(name, f"BlueZ refused: {clean(name, 80)}"))
        return reply


async def _system_bus(timeout: float) -> MessageBus:
    """Connect to the bus of DBUS_SYSTEM_BUS_ADDRESS or the usual one. Raises Unreachable."""
    try:
        bus = MessageBus(bus_type=BusType.SYSTEM)
    except (OSError, DBusFastError) as error:
        raise Unreachable(f"{_NO_BUS} ({type(error).__name__})") from None
    try:
        async with asyncio.timeout(timeout):
            return await bus.connect()
    except (OSError, EOFError, DBusFastError) as error:  # TimeoutError is an OSError
        bus.disconnect()
        raise Unreachable(f"{_NO_BUS} ({type(error).__name__})") from None
    except BaseException:  # cancelled, too: the library leaves its socket open
        bus.disconnect()
        raise


def _choose(adapters: dict[str, dict[str, Any]], wanted: str) -> str:
    """Return the name of the adapter to use. Raises Unreachable."""
    offered = [name for name in adapters if wanted in {"", name}]
    if not offered:
        there = ", ".join(clean(name, 20) for name in adapters) or "none"
        raise Unreachable(
            f"no Bluetooth adapter {wanted or 'to listen with'} (there: {there}): plug one in, see `bluetoothctl list`"
        )
    able = [name for name in offered if "central" in adapters[name].get("Roles", ())]
    if not able:
        raise Unreachable("the Bluetooth adapter knows no Low Energy (no role `central`): use another one")
    return next((name for name in able if adapters[name].get("Powered") is True), able[0])
