"""How long the loop is held up while a plugin in its own process does its worst (RELIABILITY.md F14, F15)."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from hub.model.errors import HubError
from tests.bench.figure import Figure
from tests.faults.test_bad_plugins import Core

DEEDS = ("sleep", "spin", "regex", "segfault", "exit", "print", "leak", "flood")


def figures() -> Iterator[Figure]:
    """Let a plugin do each deed and measure the loop beside it."""
    for how in DEEDS:
        with tempfile.TemporaryDirectory(prefix="menshen-bench-") as name:
            core = Core()
            asyncio.run(_ended(core, Path(name), how))
            yield Figure(
                "isolation",
                f"isolation.lag_ms@{how}",
                round(core.held * 1_000, 1),
                "ms",
                1,
                f"longest, without waiting for a processor (with it {core.lag * 1_000:.0f}); want 100",
            )


async def _ended(core: Core, folder: Path, how: str) -> None:
    with suppress(HubError, TimeoutError):
        async with core.running(folder, how) as connection:
            assert connection.run is not None
            async with asyncio.timeout(8):
                await connection.run()
