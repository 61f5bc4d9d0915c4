"""Waiting for other processes in plain (not async) tests: looks again and again until a deadline, a later one
where the machine is busy.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from tests.kit.served import Waiting

Found = TypeVar("Found")

#: Seconds between two looks.
LOOK = 0.05


def until(
    look: Callable[[], Found], holds: Callable[[Found], object] = bool, within: float = 10, what: str = ""
) -> Found:
    """Return the first thing seen for which ``holds`` is true; fails with what was seen last after ``within`` s."""
    waiting = Waiting(within)
    while True:
        found = look()
        if holds(found):
            return found
        assert not waiting.over, f"{what or 'not so'} {waiting}; last seen: {found!r}"
        time.sleep(LOOK)


def stays(look: Callable[[], Found], holds: Callable[[Found], object], during: float) -> None:
    """Fail as soon as ``holds`` is not true of what is seen during ``during`` seconds."""
    ends = time.monotonic() + during
    while time.monotonic() < ends:
        found = look()
        assert holds(found), f"no longer so: {found!r}"
        time.sleep(LOOK * 2)
