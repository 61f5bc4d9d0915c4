"""The wiring: a hub in this process comes up without a broker, answers, reloads, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hub.app import serve
from hub.journal.lock import AlreadyRunning
from hub.runtime import watch
from tests.kit.patience import eventually
from tests.kit.store import rows
from tests.unit.config.test_site import GOOD, RULE, write

#: Nobody listens there: port 1 is privileged and unused.
ALONE = GOOD + "mqtt: {url: mqtt://127.0.0.1:1}\n"


@asynccontextmanager
async def hub(folder: Path) -> AsyncIterator[str]:
    """Run a hub while the context lasts; yield its address."""
    config, end = write(folder, ALONE, blocked=RULE), asyncio.Event()
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(serve(config, folder / "data", 0, ready.set_result, end))
    both: set[asyncio.Future[Any]] = {running, ready}
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    try:
        if not ready.done():
            await running  # raises why
        yield ready.result()
    finally:
        end.set()
        await asyncio.wait({running})


async def test_it_runs_without_a_broker_and_says_so(tmp_path: Path) -> None:
    async with hub(tmp_path) as url, aiohttp.ClientSession() as http:
        answers = [await http.get(url + path) for path in ("healthz", "readyz", "metrics")]
        assert [answer.status for answer in answers] == [200, 200, 200]
        assert (await http.get(url + "api/v1/site")).status == 401


async def test_a_second_hub_is_kept_away_from_the_data(tmp_path: Path) -> None:
    async with hub(tmp_path):
        with pytest.raises(AlreadyRunning):
            async with hub(tmp_path):
                pytest.fail("it must not start")


async def test_it_starts_again_on_its_own_data(tmp_path: Path) -> None:
    for _ in range(2):
        async with hub(tmp_path):
            pass


async def test_an_edit_is_taken_over_and_a_bad_one_is_refused_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LOOK", 0.02)
    async with hub(tmp_path):
        write(tmp_path, ALONE, blocked=RULE.replace("present", "presnt"))
        await eventually(lambda: asyncio.to_thread(_notes, tmp_path), lambda kinds: "rules_refused" in kinds)
        write(tmp_path, ALONE, blocked=RULE.replace("3 min", "4 min"))
        await eventually(lambda: asyncio.to_thread(_notes, tmp_path), lambda kinds: "rules_changed" in kinds)


def _notes(folder: Path) -> list[str]:
    return [kind for (kind,) in rows(folder / "data", "SELECT kind FROM events ORDER BY seq")]
