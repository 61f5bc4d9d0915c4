"""The session under test, as a program: JSON lines in and out.

In: a configuration opens the radio, ``null`` closes it. Out: what it said, how it failed, what it left behind.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

import integrations.bthome as integration
from hub.sdk import DeviceError, Sample, Tools, Vitals
from integrations.bthome.config import Config


def tell(**said: Any) -> None:
    print(json.dumps(said), flush=True)  # noqa: T201 (the test reads it)


def sockets() -> int:
    links = [entry.readlink() for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return sum(str(link).startswith("socket:") for link in links)


async def report(*said: Sample | Vitals) -> None:
    await asyncio.sleep(0.01)  # a hub's disk
    tell(said=[msgspec.to_builtins(part) for part in said])


async def main() -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with aiohttp.ClientSession() as http:
        tools = Tools(http, Path(tempfile.gettempdir()), Path(tempfile.gettempdir()), report)
        while line := await lines.readline():
            try:
                await live(msgspec.json.decode(line, type=Config), tools, lines)
            except DeviceError as error:
                tell(error=type(error).__name__, reason=error.reason)


async def live(config: Config, tools: Tools, lines: asyncio.StreamReader) -> None:
    """Open, run until told to close or until it is lost, close."""
    before, open_before = asyncio.all_tasks(), sockets()
    connection = await integration.connect("radio", config, tools)
    assert connection.run is not None
    assert connection.close is not None
    tell(open=[item.entity.id for item in connection.equipment])
    running = asyncio.ensure_future(connection.run())
    told = asyncio.ensure_future(lines.readline())
    await asyncio.wait({running, told}, return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    told.cancel()
    results = await asyncio.gather(running, told, return_exceptions=True)
    await connection.close()
    left = [task.get_coro() for task in asyncio.all_tasks() - before]
    tell(closed=[getattr(coroutine, "__qualname__", "") for coroutine in left], sockets=sockets() - open_before)
    if isinstance(results[0], Exception):
        raise results[0]


if __name__ == "__main__":
    asyncio.run(main())
