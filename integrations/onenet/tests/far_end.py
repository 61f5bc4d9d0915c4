"""The operator's platform in a process of its own: it checks the address once, then pushes what a sensor says.

``python -m integrations.onenet.tests.far_end URL TOKEN EVERY`` pushes the sensor's state each EVERY seconds, as its
heartbeat does, and at once when a line on standard input (one JSON value) changes it; it prints each answer of the hub
as a line ``[what, status]``. Ends with its standard input. What the hub did not take is pushed again with the next.
"""

from __future__ import annotations

import asyncio
import json
import sys

import aiohttp
from yarl import URL

from integrations.sim.onenet_platform import Platform, Push


def say(what: str, status: int) -> None:
    print(json.dumps([what, status]), flush=True)  # noqa: T201 - the test reads it


async def main(url: str, token: str, every: str) -> None:
    """Push until nobody listens any more."""
    async with aiohttp.ClientSession() as http:
        push = Push(Platform(http, URL(url), token), say)
        keeping = asyncio.create_task(push.keep(float(every)))
        while line := await asyncio.to_thread(sys.stdin.readline):
            push.value = json.loads(line)
            push.changed.set()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
