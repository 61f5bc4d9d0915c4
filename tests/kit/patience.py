"""Waiting for another process, without a fixed sleep; a busy machine gets longer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.kit.served import Waiting

Found = TypeVar("Found")


async def eventually(look: Callable[[], Awaitable[Found]], until: Callable[[Found], bool], within: float = 10) -> Found:
    """Look again and again until ``until`` holds; fails with what was seen last after ``within`` seconds."""
    waiting = Waiting(within)
    while True:
        found = await look()
        if until(found):
            return found
        assert not waiting.over, f"still {found!r}, not {waiting}"
        await asyncio.sleep(0.05)


async def until(holds: Callable[[], object], within: float = 10, told: Callable[[], object] = lambda: "") -> None:
    """Let the loop run until something holds; fails with what is ``told`` after ``within`` seconds."""
    waiting = Waiting(within)
    while not holds():
        assert not waiting.over, f"not so {waiting}; {told()}"
        await asyncio.sleep(0.01)
