"""Two watches that look once a second: at the wall clock, and at the files that people edit by hand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from hub.model.text import Text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from hub.runtime.clock import SystemClock
    from hub.runtime.core import Runtime
    from hub.runtime.problems import Problems

log = structlog.get_logger()

#: Seconds between two looks.
LOOK = 1.0
#: Seconds for which a jump of the clock stays on the banner.
SHOWN = 600.0


async def follow_clock(runtime: Runtime, clock: SystemClock, problems: Problems) -> None:
    """Journal every jump of the wall clock, move what is pending with it, and say so for a while."""
    loop, until = asyncio.get_running_loop(), 0.0
    while True:
        await asyncio.sleep(LOOK)
        jump = clock.follow()
        if jump:
            until = loop.time() + SHOWN
            seconds = round(jump / 1e6)
            zh, en = f"时钟跳了 {seconds:+d} 秒，请检查对时", f"The clock jumped by {seconds:+d} s: check its source"
            problems.raise_("clock", Text(zh, en))
            log.warning("clock.jumped", seconds=jump / 1e6)
            runtime.clock_jumped(jump)
        elif loop.time() >= until:
            problems.settle("clock")


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
