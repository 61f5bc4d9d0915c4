"""A door contact that advertises BTHome v2, heard by a Bluetooth adapter that only exists on a D-Bus of our own."""

from __future__ import annotations

import asyncio
import ctypes
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from integrations.sim.bluez import Bluez

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: Address on its label; seconds between two advertisements when nothing changes.
SENSOR, EVERY = "A4:C1:38:00:00:06", 2.0
#: prctl(2): the signal that a process gets when its parent has died.
_PR_SET_PDEATHSIG, _SIGTERM = 1, 15


class BthomeDoor:
    """``open`` is what its magnet says."""

    def __init__(self) -> None:
        self.open = False
        self._changed = asyncio.Event()

    def change(self, opened: bool) -> None:
        """Open or shut the door."""
        self.open = opened
        self._changed.set()

    async def advertise(self, bus: str) -> None:
        """Advertise on the bus at this address until cancelled."""
        bluez, number = await Bluez.start(bus), 0
        try:
            while True:
                number = (number + 1) % 256
                self._changed.clear()
                # device information, packet id, door: https://bthome.io/format
                await bluez.advertise(SENSOR, b"\x40\x00" + bytes([number]) + b"\x1a" + bytes([self.open]))
                try:
                    async with asyncio.timeout(EVERY):
                        await self._changed.wait()
                except TimeoutError:
                    continue
        finally:
            bluez.stop()


@asynccontextmanager
async def bus_at(address: str) -> AsyncIterator[None]:
    """Run a D-Bus daemon that listens at ``address`` and ends with this process, however that ends."""
    process = await asyncio.create_subprocess_exec(
        *("dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address", f"--address={address}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        preexec_fn=_end_with_parent,
    )
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        if not await process.stdout.readline():
            raise OSError("dbus-daemon did not start")
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGTERM)
