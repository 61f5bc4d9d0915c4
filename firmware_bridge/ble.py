"""Frames over Bluetooth LE: cut at the MTU, put together by the length in the header (PROTOCOL.md, section 1, BLE)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from firmware_bridge.errors import LinkLost
from firmware_bridge.frame import HEADER, MAX_FRAME
from hub.model.errors import Unsupported
from hub.model.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bleak import BleakClient
    from bleak.backends.characteristic import BleakGATTCharacteristic

    from firmware_bridge.link import Link
    from firmware_bridge.peer import Address

#: The characteristic of SMP (Zephyr, "SMP Transport", Bluetooth).
CHARACTERISTIC = "da2e7828-fbce-4e01-ae9e-261174997c48"
#: Frames that wait for the radio before more are dropped.
_WAITING = 16
#: Seconds to connect, for one write, and to disconnect.
_OPENING, _WRITING, _CLOSING = 20.0, 5.0, 3.0
#: Bytes of a write beside its value (ATT opcode and handle), and the least MTU there is.
_ATT, _LEAST_MTU = 3, 23


class Joiner:
    """Puts frames together. Holds at most one frame, whatever comes."""

    def __init__(self) -> None:
        self._held = bytearray()
        self.broken = 0
        """Times that a header named a length which no frame has: what was held is dropped."""

    def __len__(self) -> int:
        """Return how many bytes wait for the rest of their frame."""
        return len(self._held)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the frames that end in ``data``."""
        self._held += data[: 2 * MAX_FRAME]
        while len(self._held) >= HEADER.size:
            length = HEADER.size + int.from_bytes(self._held[2:4], "big")
            if length > MAX_FRAME:
                self._held.clear()
                self.broken += 1
            elif len(self._held) < length:
                return
            else:
                yield bytes(self._held[:length])
                del self._held[:length]


def cut(frame: bytes, mtu: int) -> Iterator[bytes]:
    """Yield the writes that carry ``frame`` at an MTU of the link."""
    size = max(mtu, _LEAST_MTU) - _ATT
    for at in range(0, len(frame), size):
        yield frame[at : at + size]


class BleCarrier:
    """A connected node."""

    def __init__(self, link: Link, address: str) -> None:
        self.home: Address | None = (address, 0)
        self._at: Address = (address, 0)
        self._link = link
        self._joiner = Joiner()
        self._unsent: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)
        self._client: BleakClient | None = None
        self._writer: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect. Raises LinkLost, or Unsupported where there is no Bluetooth."""
        try:
            from bleak import BleakClient
            from bleak.exc import BleakError
        except ImportError:
            raise Unsupported("bleak is missing: install Menshen with the extra menshen[ble]") from None
        client = BleakClient(self._at[0], disconnected_callback=lambda _: self._gone("disconnected"))
        try:
            async with asyncio.timeout(_OPENING):
                await client.connect()
                await client.start_notify(CHARACTERISTIC, self._notified)
        except (BleakError, OSError, TimeoutError) as error:
            with suppress(BleakError, OSError):
                await client.disconnect()
            reason = clean(str(error) or type(error).__name__, 100)
            raise LinkLost(f"the node {self._at[0]} is not reached by Bluetooth ({reason})") from None
        self._client = client
        self._writer = asyncio.create_task(self._write())

    def send(self, frame: bytes, to: Address) -> None:
        """Send one frame, or drop it when the radio is this far behind."""
        if self._unsent.full():
            self._link.counts["unsent"] += 1
        else:
            self._unsent.put_nowait(frame)

    async def close(self) -> None:
        """Disconnect."""
        from bleak.exc import BleakError

        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        if self._client is not None:
            with suppress(BleakError, OSError, TimeoutError):
                async with asyncio.timeout(_CLOSING):
                    await self._client.disconnect()

    async def _write(self) -> None:
        from bleak.exc import BleakError

        client = self._client
        while client is not None:
            frame = await self._unsent.get()
            try:
                async with asyncio.timeout(_WRITING):
                    for part in cut(frame, client.mtu_size):
                        await client.write_gatt_char(CHARACTERISTIC, part, response=False)
            except (BleakError, OSError, TimeoutError) as error:
                self._gone(clean(str(error) or type(error).__name__, 100))
                return

    def _notified(self, _: BleakGATTCharacteristic, data: bytearray) -> None:
        before = self._joiner.broken
        for frame in self._joiner.feed(bytes(data)):
            self._link.received(frame, self._at)
        self._link.counts["malformed"] += self._joiner.broken - before

    def _gone(self, reason: str) -> None:
        self._link.lost(f"the Bluetooth link to {self._at[0]} is gone: {reason}")


async def open_ble(link: Link, address: str) -> BleCarrier:
    """Connect to the node with this Bluetooth address. Raises LinkLost or Unsupported."""
    carrier = BleCarrier(link, address)
    await carrier.open()
    return carrier
