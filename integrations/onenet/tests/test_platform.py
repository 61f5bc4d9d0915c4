"""The platform in another process: its check of the address, its pushes, and what it sends again."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from hub.sdk import Presence, Quality
from integrations.onenet.tests.test_push import CONFIG, LANE, TOKEN, Site, place
from tests.kit.patience import eventually

#: Seconds for whatever is waited for; seconds between two heartbeats of the sensor.
PATIENCE, EVERY = 20.0, 0.2
ONLY = msgspec.structs.replace(CONFIG, bays={"lane": LANE})
FREE, TAKEN = (Presence.ABSENT, Quality.GOOD), (Presence.PRESENT, Quality.GOOD)


class FarEnd:
    """Orders the platform about."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    def sense(self, value: object) -> None:
        """Have the sensor say something else."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(value).encode() + b"\n")

    async def said(self, *answer: Any) -> None:
        """Wait until the hub gave the platform that answer."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while json.loads(await self.process.stdout.readline()) != list(answer):
                pass


@asynccontextmanager
async def far_end(site: Site, token: str = TOKEN) -> AsyncIterator[FarEnd]:
    command = (sys.executable, "-m", "integrations.onenet.tests.far_end", str(site.platform.url), token, str(EVERY))
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield FarEnd(process)
    finally:
        process.kill()
        await process.communicate()


async def told(site: Site, last: tuple[Presence, Quality]) -> None:
    async def heard() -> list[Any]:
        return site.values()[-1:]

    await eventually(heard, lambda found: found == [last], PATIENCE)


async def test_it_is_found_checked_and_heard(tmp_path: Path) -> None:
    async with place(tmp_path) as site, far_end(site) as platform:
        await platform.said("check", 404)  # nobody has configured it yet
        await site.open(ONLY)
        await platform.said("check", 200)
        await told(site, FREE)
        platform.sense(1)
        await told(site, TAKEN)
        site.broken = True  # the hub cannot keep it, and does not answer 200
        platform.sense(0)
        await platform.said("push", 503)
        assert site.values()[-1] == TAKEN
        site.broken = False
        await told(site, FREE)
        await platform.said("push", 200)
        assert set(site.values()) <= {FREE, TAKEN}


async def test_it_is_cut_off_and_comes_back(tmp_path: Path) -> None:
    async with place(tmp_path) as site:
        await site.open(ONLY)
        async with far_end(site) as platform:
            await platform.said("push", 200)
        before = len(site.told)
        async with far_end(site) as platform:
            platform.sense(1)
            await told(site, TAKEN)
        assert len(site.told) > before


async def test_one_with_another_token_says_nothing(tmp_path: Path) -> None:
    async with place(tmp_path) as site, far_end(site, "another-token") as platform:
        await site.open(ONLY)
        await platform.said("check", 401)
        assert site.told == []
