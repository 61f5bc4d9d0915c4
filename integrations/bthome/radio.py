"""Listens with bleak and hands on what the known sensors say."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from bleak import BleakScanner
from bleak.args.bluez import BlueZDiscoveryFilters
from bleak.exc import BleakError

from hub.sdk import DecodeError, Unreachable, clean
from integrations.bthome.bluez import Adapter

if TYPE_CHECKING:
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData

    from hub.sdk import Tools
    from integrations.bthome.config import Config
    from integrations.bthome.listener import Listener

log = logging.getLogger(__name__)

UUID = "0000fcd2-0000-1000-8000-00805f9b34fb"
#: Advertisements of known sensors that wait while the hub writes; the next ones are lost, as on the air.
WAITING = 512
#: Seconds in which nothing at all was heard, from no device, after which scanning is begun anew: kernels lose it.
DEAF = 120.0


class Radio:
    """One adapter that scans, from ``open`` to ``close``."""

    def __init__(self, adapter: Adapter, listeners: dict[str, Listener], config: Config, tools: Tools) -> None:
        self._adapter = adapter
        self._listeners = listeners
        self._config = config
        self._report = tools.report
        self._waiting: asyncio.Queue[tuple[str, bytes, int]] = asyncio.Queue(WAITING)
        self._clock = asyncio.get_running_loop().time
        self._heard_at = self._clock()
        self._told: set[tuple[str, str]] = set()
        # Without DuplicateData a sensor that repeats an unchanged state would look silent.
        filters: BlueZDiscoveryFilters = {"DuplicateData": True}
        self._scanner = BleakScanner(self._detected, bluez={"adapter": adapter.name, "filters": filters})

    @classmethod
    async def open(cls, listeners: dict[str, Listener], config: Config, tools: Tools) -> Radio:
        """Find the adapter and begin to scan. ``listeners`` by address in capitals. Raises Unreachable."""
        adapter = await Adapter.find(config.adapter, config.timeout_s)
        radio = cls(adapter, listeners, config, tools)
        try:
            await radio._start()
        except BaseException:  # cancelled, too: no scan goes on that nobody hears
            await adapter.close()
            raise
        return radio

    async def run(self) -> None:
        """Report what is heard until the adapter is lost. Raises Unreachable."""
        look_at = self._clock() + self._config.watch_s
        while True:
            if (now := self._clock()) >= look_at:
                await self._look(now)
                look_at = self._clock() + self._config.watch_s
            try:
                async with asyncio.timeout(max(0.0, look_at - now)):
                    address, data, signal = await self._waiting.get()
            except TimeoutError:
                continue
            try:
                said = self._listeners[address].hear(data, signal, self._clock())
            except DecodeError as error:
                self._tell(address, error.reason)
                continue
            if said:
                await self._report(*said)

    async def close(self) -> None:
        """Stop scanning and let go of the bus."""
        await self._stop()
        await self._adapter.close()

    def _detected(self, device: BLEDevice, said: AdvertisementData) -> None:
        self._heard_at = self._clock()
        address, data = device.address.upper(), said.service_data.get(UUID)
        if data is None or address not in self._listeners:
            return
        try:
            self._waiting.put_nowait((address, data, said.rssi))
        except asyncio.QueueFull:
            self._tell(address, "it was not read: the hub is slower than what is sent")

    def _tell(self, address: str, reason: str) -> None:
        """Log each reason once for each sensor: what a radio nearby sends must not fill a disk."""
        kind = (address, reason.translate(_NO_DIGITS))
        if kind not in self._told and len(self._told) < WAITING:
            self._told.add(kind)
            log.warning("sensor %s: %s", address, clean(reason, 160))

    async def _look(self, now: float) -> None:
        await self._adapter.check()
        if now - self._heard_at > DEAF:
            await self._stop()
            await self._start()

    async def _start(self) -> None:
        try:
            async with asyncio.timeout(self._config.timeout_s):
                await self._scanner.start()
        except TimeoutError:
            raise Unreachable(f"BlueZ did not begin to scan within {self._config.timeout_s:g} s") from None
        except (BleakError, OSError, EOFError) as error:
            raise Unreachable(f"BlueZ does not scan: {clean(str(error), 120)}") from None
        self._heard_at = self._clock()

    async def _stop(self) -> None:
        """Stop scanning; what is gone need not be stopped."""
        with contextlib.suppress(BleakError, OSError, EOFError, TimeoutError):
            async with asyncio.timeout(self._config.timeout_s):
                await self._scanner.stop()


_NO_DIGITS = str.maketrans("", "", "0123456789")
