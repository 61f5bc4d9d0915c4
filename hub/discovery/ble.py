"""Bluetooth devices that advertise a service some integration knows, heard through bleak. Nothing is connected to.

Only those are shown: in a street, every phone and pair of earphones advertises something.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hub.discovery.matchers import Matcher, match
from hub.model.found import Found, Source

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData

#: Advertisements that wait; more are lost, as on the air.
WAITING = 64
#: The Bluetooth base UUID, into which 16-bit UUIDs are set (Bluetooth Core Specification, volume 3, part B, 2.5.1).
_BASE = "-0000-1000-8000-00805f9b34fb"


async def listen(known: Iterable[Matcher], see: Callable[[Found], Awaitable[None]]) -> None:
    """Listen until cancelled. Raises OSError where there is no adapter, no BlueZ, or no bleak."""
    try:
        from bleak import BleakScanner
        from bleak.exc import BleakError
    except ImportError:
        raise OSError("bleak is missing: install Menshen with the extra menshen[ble]") from None
    known = tuple(known)
    wanted = {one.pattern for one in known if one.source is Source.BLE}
    heard: asyncio.Queue[tuple[BLEDevice, AdvertisementData]] = asyncio.Queue(WAITING)

    def detected(device: BLEDevice, said: AdvertisementData) -> None:
        if wanted & set(services(said)) and not heard.full():
            heard.put_nowait((device, said))

    try:
        async with BleakScanner(detected):
            while True:
                await see(found(known, *await heard.get()))
    except (BleakError, EOFError) as error:
        raise OSError(f"Bluetooth does not scan: {error}") from None


def services(said: AdvertisementData) -> tuple[str, ...]:
    """Return the services that an advertisement names, those of 16 bits as four digits."""
    names = (*said.service_data, *said.service_uuids)
    return tuple(name[4:8] if name.endswith(_BASE) and name.startswith("0000") else name for name in names)


def found(known: Iterable[Matcher], device: BLEDevice, said: AdvertisementData) -> Found:
    """Make what was found of an advertisement; its identity is the address."""
    address = device.address.upper()
    return match(
        known,
        Source.BLE,
        services(said),
        identity=address,
        name=said.local_name or device.name or address,
        facts={"address": address, "services": ", ".join(services(said))},
        properties={"address": address},
    )
