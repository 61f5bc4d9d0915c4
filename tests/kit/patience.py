"""Waiting for another process, without a fixed sleep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")


async def eventually(look: Callable[[], Awaitable[Found]], until: Callable[[Found], bool], within: float = 10) -> Found:
    """Look again and again until ``until`` holds; fails with what was seen last after ``within`` seconds."""
    ends = time.monotonic() + within
    while True:
        found = await look()
        if until(found):
            return found
        assert time.monotonic() < ends, f"still {found!r} after {within:g} s"
        await asyncio.sleep(0.05)
