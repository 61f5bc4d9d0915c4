"""Two watches that look once a second: at the wall clock, and at the files that people edit by hand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from hub.runtime.clock import SystemClock
    from hub.runtime.core import Runtime

log = structlog.get_logger()

#: Seconds between two looks.
LOOK = 1.0


async def follow_clock(runtime: Runtime, clock: SystemClock) -> None:
    """Journal every jump of the wall clock, and move what is pending with it."""
    while True:
        await asyncio.sleep(LOOK)
        jump = clock.follow()
        if jump:
            log.warning("clock.jumped", seconds=jump / 1e6)
            runtime.clock_jumped(jump)


async def follow_files(fingerprint: Callable[[], Hashable], changed: Callable[[], Awaitable[None]]) -> None:
    """Call ``changed`` after an edit, once the files have rested for a look."""
    known = fingerprint()
    while True:
        await asyncio.sleep(LOOK)
        seen = await asyncio.to_thread(fingerprint)
        if seen == known:
            continue
        await asyncio.sleep(LOOK / 4)
        if await asyncio.to_thread(fingerprint) == seen:
            known = seen
            await changed()
