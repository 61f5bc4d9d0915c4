"""The story that the demo tells: a vehicle arrives in the fire lane, stays, and leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Told(Exception):
    """A story is running already."""


class Story:
    """Plays at most one story at a time."""

    def __init__(self, stay: float, change: Callable[[bool], Awaitable[None]]) -> None:
        self.stay = stay
        self._change = change
        self._task: asyncio.Task[None] | None = None
        self._leaves_at = 0.0

    @property
    def running(self) -> bool:
        """Whether one is being played."""
        return self._task is not None and not self._task.done()

    @property
    def left(self) -> float:
        """Seconds until the vehicle leaves."""
        return max(0.0, self._leaves_at - asyncio.get_running_loop().time()) if self.running else 0.0

    def play(self) -> None:
        """Begin. Raises Told while one is running."""
        if self.running:
            raise Told("a story is running")
        self._leaves_at = asyncio.get_running_loop().time() + self.stay
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        await self._change(True)
        await asyncio.sleep(self.stay)
        await self._change(False)

    async def stop(self) -> None:
        """Break off."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
