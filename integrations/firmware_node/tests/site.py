"""A hub's side for tests: tools that keep what is reported, and one opened node."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from firmware_bridge.tests.py_node import CODE, FarNode, UdpNode
from hub.sdk import Connection, Newcomer, Sample, Surroundings, Tools, Vitals
from integrations.firmware_node import connect
from integrations.firmware_node.config import Config


@dataclass
class Hub:
    """What was reported, by the end of the entity's name."""

    folder: Path
    http: aiohttp.ClientSession
    reports: list[tuple[Sample | Vitals, ...]] = field(default_factory=list)
    """Every call, in order."""
    samples: list[Sample] = field(default_factory=list)
    vitals: list[Vitals] = field(default_factory=list)
    bookmarks: dict[str, str] = field(default_factory=dict)
    surroundings: Surroundings | None = None
    newcomers: list[Newcomer] = field(default_factory=list)
    committing: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.committing.set()

    @property
    def tools(self) -> Tools:
        return Tools(
            self.http,
            self.folder,
            self.folder,
            report=self._report,
            found=self._found,
            report_marked=self._report_marked,
            bookmarks=lambda: self.bookmarks,
            surroundings=self.surroundings,
        )

    async def _report(self, *said: Sample | Vitals) -> None:
        await self.committing.wait()
        self.reports.append(said)
        self.samples += [one for one in said if isinstance(one, Sample)]
        self.vitals += [one for one in said if isinstance(one, Vitals)]

    async def _report_marked(self, bookmarks: Mapping[str, str], *said: Sample | Vitals) -> None:
        await self._report(*said)
        self.bookmarks |= bookmarks

    async def _found(self, newcomer: Newcomer) -> None:
        self.newcomers.append(newcomer)

    def values(self, what: str) -> list[object]:
        """Return what was reported of one entity, in order."""
        return [sample.value for sample in self.samples if sample.entity.endswith(what)]


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def config(**values: Any) -> Config:
    return msgspec.convert({"name": {"zh": "北门节点"}, "code": CODE, **values}, Config)


@asynccontextmanager
async def running(connection: Connection) -> AsyncIterator[asyncio.Future[None]]:
    """Run a connection, and close it in the end as the hub does."""
    assert connection.run is not None
    assert connection.close is not None
    task = asyncio.ensure_future(connection.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connection.close()


@asynccontextmanager
async def opened(hub: Hub, node: UdpNode, port: int, name: str = "pole") -> AsyncIterator[asyncio.Future[None]]:
    """Open one node at ``port``; it says hello until it is heard."""
    greeting = asyncio.ensure_future(_greet(node))
    try:
        connection = await connect(name, config(node=node.id.hex(), udp=f"127.0.0.1:{port}"), hub.tools)
    finally:
        greeting.cancel()
    async with running(connection) as task:
        yield task


async def _greet(node: FarNode) -> None:
    while True:
        node.hello()
        await asyncio.sleep(0.05)
