"""A far end in another process, one that lies, and a session that is open to either."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

import integrations.bacnet as integration
from hub.sdk import Connection, EntityId, Sample, Tools, Unreachable, Value, Vitals
from integrations.bacnet.config import Config
from tests.kit.patience import until

#: Seconds for whatever a test waits for.
PATIENCE = 10.0
DEVICE = 4711
LIFT = {"instance": 3, "key": "a", "name": "1号梯"}


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class FarEnd:
    """Orders a far end about."""

    def __init__(self, kind: str) -> None:
        command = [sys.executable, "-m", "integrations.bacnet.tests.far_end", str(free_port()), kind]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        self.address = f"127.0.0.1:{self._read()}"

    def set(self, thing: str, prop: str, value: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"object": thing, "property": prop, "value": value}).encode() + b"\n")
        self._process.stdin.flush()
        self._read()

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@contextlib.contextmanager
def far_end(kind: str) -> Iterator[FarEnd]:
    end = FarEnd(kind)
    try:
        yield end
    finally:
        end.stop()


class Liar(asyncio.DatagramProtocol):
    """Answers each datagram with those that ``lie`` makes of it."""

    def __init__(self, lie: Callable[[bytes], list[bytes]]) -> None:
        self.lie = lie
        self.heard: list[bytes] = []
        self.address = ""

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport
        self.address = "{}:{}".format(*transport.get_extra_info("sockname"))

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.heard.append(data)
        for answer in self.lie(data):
            self._transport.sendto(answer, addr)


@contextlib.asynccontextmanager
async def liar(lie: Callable[[bytes], list[bytes]]) -> AsyncIterator[Liar]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(lambda: Liar(lie), local_addr=("127.0.0.1", 0))
    try:
        yield protocol
    finally:
        transport.close()


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
        found = [sample for sample in self.said if sample.entity == f"bacnet.d_{entity}"]
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


def site(**fields: Any) -> Config:
    defaults = {"name": {"zh": "电梯"}, "device_id": DEVICE, "local": "127.0.0.1:0", "lifts": [LIFT]}
    return msgspec.convert(defaults | {"timeout_s": 0.3, "poll_s": 0.05} | fields, Config)


@contextlib.asynccontextmanager
async def opened(folder: Path, **fields: Any) -> AsyncIterator[Hub]:
    """Open the device ``d`` and close it in the end, as the hub does."""
    said: list[Sample] = []
    mine: set[EntityId] = set()

    async def report(*parts: Sample | Vitals) -> None:
        for part in parts:
            assert isinstance(part, Sample)
            assert part.entity in mine, "only a known entity may speak"
            said.append(part)

    async with aiohttp.ClientSession() as http:
        connection = await integration.connect("d", site(**fields), Tools(http, folder, folder, report))
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


def sockets() -> frozenset[str]:
    """Return the open sockets of this process, each with a name that is used only once."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(str(link.readlink()))
    return frozenset(name for name in found if name.startswith("socket:"))
