"""The operator's platform in a process of its own: it checks the address once, then pushes what a sensor says.

``python -m integrations.onenet.tests.far_end URL TOKEN EVERY`` pushes the sensor's state each EVERY seconds, as its
heartbeat does, and at once when a line on standard input (one JSON value) changes it; it prints each answer of the hub
as a line ``[what, status]``. Ends with its standard input. What the hub did not take is pushed again with the next.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import aiohttp
from yarl import URL

from integrations.onenet.tests.platform import Platform

#: The sensor's number at the platform, and its data stream (LwM2M digital input).
DEVICE, STREAM = 2016617, "3200_0_5500"


class Push:
    """One sensor behind the platform."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.value: object = 0
        self.changed = asyncio.Event()
        self._waiting: list[dict[str, object]] = []

    async def keep(self, every: float) -> None:
        """Verify the address until it is ours, then push."""
        while await self._checked() != 200:  # noqa: ASYNC110 - the hub is another process
            await asyncio.sleep(every)
        while True:
            self.changed.clear()
            at = time.time_ns() // 1_000_000
            self._waiting.append({"type": 1, "dev_id": DEVICE, "ds_id": STREAM, "at": at, "value": self.value})
            if await self._pushed() == 200:
                self._waiting.clear()
            try:
                async with asyncio.timeout(every):
                    await self.changed.wait()
            except TimeoutError:
                continue

    async def _checked(self) -> int:
        try:
            status, body = await self.platform.check("is-it-you")
        except aiohttp.ClientError:
            return _said("check", 0)
        return _said("check", status if status != 200 or body == "is-it-you" else 0)

    async def _pushed(self) -> int:
        try:
            return _said("push", await self.platform.push(self._waiting))
        except aiohttp.ClientError:
            return _said("push", 0)


def _said(what: str, status: int) -> int:
    print(json.dumps([what, status]), flush=True)  # noqa: T201 - the test reads it
    return status


async def main(url: str, token: str, every: str) -> None:
    """Push until nobody listens any more."""
    async with aiohttp.ClientSession() as http:
        push = Push(Platform(http, URL(url), token))
        keeping = asyncio.create_task(push.keep(float(every)))
        while line := await asyncio.to_thread(sys.stdin.readline):
            push.value = json.loads(line)
            push.changed.set()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
