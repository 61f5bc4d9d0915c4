"""A far end in another process, and a session that is open to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

import integrations.modbus as integration
from hub.sdk import Connection, EntityId, Relay, Sample, Tools, Unreachable, Value, Vitals
from integrations.modbus.config import Config
from tests.kit.patience import until

#: Seconds for whatever a test waits for.
PATIENCE = 10.0


class FarEnd:
    """Orders a far end about."""

    def __init__(self, mode: str) -> None:
        command = [sys.executable, "-m", "integrations.modbus.tests.far_end", mode]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        self.url = str(self._read())

    def order(self, do: str, **fields: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **fields}).encode() + b"\n")
        self._process.stdin.flush()
        return self._read()

    def coil(self, unit: int, coil: int) -> bool:
        return bool(self.order("get", unit=unit, function=1, address=coil)[0])

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@contextlib.contextmanager
def far_end(mode: str) -> Iterator[FarEnd]:
    end = FarEnd(mode)
    try:
        yield end
    finally:
        end.stop()


class Hub:
    """What a hub does with a session: opens it, runs it, keeps what it said."""

    def __init__(self, connection: Connection, said: list[Sample]) -> None:
        self.connection = connection
        self.said = said
        self.running: asyncio.Task[None] | None = None

    def run(self) -> asyncio.Task[None]:
        assert self.connection.run is not None
        self.running = asyncio.ensure_future(self.connection.run())
        return self.running

    def last(self, entity: str) -> tuple[Value | None, str] | None:
        found = [sample for sample in self.said if sample.entity == f"modbus.b_{entity}"]
        return (found[-1].value, str(found[-1].quality)) if found else None

    async def until(self, entity: str, value: Value | None, quality: str = "good") -> None:
        await until(lambda: self.last(entity) == (value, quality), told=lambda: f"{entity}: {self.last(entity)}")

    async def lost(self) -> str:
        """Wait until the session has lost its device, and return why."""
        assert self.running is not None
        async with asyncio.timeout(PATIENCE):
            try:
                await self.running
            except Unreachable as error:
                return error.reason
        raise AssertionError("the session ended without a word")

    def relay(self, key: str) -> Relay:
        (driver,) = (item.driver for item in self.connection.equipment if item.entity.id == f"modbus.b_{key}")
        assert isinstance(driver, Relay)
        return driver


@contextlib.asynccontextmanager
async def opened(folder: Path, **fields: Any) -> AsyncIterator[Hub]:
    """Open the device ``b`` and close it in the end, as the hub does."""
    said: list[Sample] = []
    mine: set[EntityId] = set()

    async def report(*parts: Sample | Vitals) -> None:
        for part in parts:
            assert isinstance(part, Sample)
            assert part.entity in mine, "only a known entity may speak"
            said.append(part)

    config = msgspec.convert({"name": {"zh": "总线"}, "timeout_ms": 200, "poll_ms": 50} | fields, Config)
    async with aiohttp.ClientSession() as http:
        connection = await integration.connect("b", config, Tools(http, folder, folder, report))
        mine.update(item.entity.id for item in connection.equipment)
        hub = Hub(connection, said)
        try:
            yield hub
        finally:
            if hub.running is not None:
                hub.running.cancel()
                await asyncio.gather(hub.running, return_exceptions=True)
            assert connection.close is not None
            await connection.close()
