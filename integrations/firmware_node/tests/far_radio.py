"""A node behind a BlueZ of our own on a private D-Bus: the SMP characteristic see org.bluez.GattCharacteristic(5)."""

from __future__ import annotations

import asyncio
from typing import Any

from dbus_fast import Message, Variant

from firmware_bridge.ble import CHARACTERISTIC, Joiner, cut
from firmware_bridge.tests.py_node import FarNode
from integrations.sim.bluez import Bluez

ADDRESS = "C0:FF:EE:00:00:01"
#: The service of SMP (PROTOCOL.md, section 1, BLE).
SERVICE = "8d53dc1d-1db7-4cd3-868b-8a527460aa84"
#: ATT's MTU of this radio, in bytes: no frame of a claim fits in it.
MTU = 50
_DEVICE = f"/org/bluez/hci0/dev_{ADDRESS.replace(':', '_')}"
_SERVICE, _VALUE = f"{_DEVICE}/service0001", f"{_DEVICE}/service0001/char0002"
_PROPERTIES = "org.freedesktop.DBus.Properties"


class BleNode(FarNode):
    """A node whose frames go out as notifications."""

    bluez: Radio

    def send(self, data: bytes) -> None:
        for part in cut(data, MTU):
            self.bluez.tell(_VALUE, "org.bluez.GattCharacteristic1", {"Value": Variant("ay", part)})


class Radio(Bluez):
    """BlueZ with one device that can be connected."""

    node: BleNode
    written: list[bytes]

    def be(self, node: BleNode) -> None:
        """Put the node behind the device."""
        self.node, node.bluez, self.written, self._joiner = node, self, [], Joiner()
        self.objects: dict[str, dict[str, dict[str, Variant]]] = {
            _DEVICE: {
                "org.bluez.Device1": {
                    "Address": Variant("s", ADDRESS),
                    "AddressType": Variant("s", "random"),
                    "Alias": Variant("s", "pole"),
                    "Name": Variant("s", "pole"),
                    "Adapter": Variant("o", "/org/bluez/hci0"),
                    "Connected": Variant("b", False),
                    "Paired": Variant("b", False),
                    "ServicesResolved": Variant("b", False),
                    "UUIDs": Variant("as", [SERVICE]),
                    "RSSI": Variant("n", -60),
                }
            },
            _SERVICE: {
                "org.bluez.GattService1": {
                    "UUID": Variant("s", SERVICE),
                    "Device": Variant("o", _DEVICE),
                    "Primary": Variant("b", True),
                }
            },
            _VALUE: {
                "org.bluez.GattCharacteristic1": {
                    "UUID": Variant("s", CHARACTERISTIC),
                    "Service": Variant("o", _SERVICE),
                    "Flags": Variant("as", ["write-without-response", "notify"]),
                    "Notifying": Variant("b", False),
                    "MTU": Variant("q", MTU),
                }
            },
        }

    def tell(self, path: str, interface: str, changed: dict[str, Variant]) -> None:
        """Signal that properties have changed."""
        body: list[Any] = [interface, changed, []]
        self.bus.send(Message.new_signal(path, _PROPERTIES, "PropertiesChanged", "sa{sv}as", body))

    def drop(self) -> None:
        """Let the radio lose the device."""
        self._device(Connected=Variant("b", False))

    def _device(self, **changed: Variant) -> None:
        self.objects[_DEVICE]["org.bluez.Device1"] |= changed
        self.tell(_DEVICE, "org.bluez.Device1", changed)

    def _answer(self, message: Message) -> Message | bool | None:
        path, member = message.path or "", message.member
        if member == "GetManagedObjects":
            shown = {f"/org/bluez/{key}": {"org.bluez.Adapter1": item} for key, item in self.adapters.items()}
            return Message.new_method_return(message, "a{oa{sa{sv}}}", [shown | self.objects])
        if member == "StartDiscovery":  # and it is heard soon after
            asyncio.get_running_loop().call_later(0.2, lambda: self._device(RSSI=Variant("n", -59)))
        if not path.startswith(_DEVICE):
            return super()._answer(message)
        self.calls.append((path, str(member)))
        if member == "Connect":
            self._device(Connected=Variant("b", True))
            self._device(ServicesResolved=Variant("b", True))
        elif member == "Disconnect":
            self.drop()
        elif member == "WriteValue":
            self.written.append(bytes(message.body[0]))
            for frame in self._joiner.feed(self.written[-1]):
                self.node.take(frame)
        return Message.new_method_return(message)
