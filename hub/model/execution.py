"""How commands are performed: what executors get and give back, and the clock that they and the loop share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec

from hub.model.decision import Command
from hub.model.entry import Evidence
from hub.model.time import Instant


class Done(msgspec.Struct, frozen=True):
    """What a command brought."""

    evidence: Evidence | None = None
    detail: dict[str, str | int | float] = {}


class Executor(Protocol):
    """Performs one kind of action."""

    async def perform(self, command: Command) -> Done:
        """Do it, at most once per key. Raises DeviceError; its ``retry`` tells whether to try again."""
        ...


class Timer(Protocol):
    """A call that was arranged."""

    def cancel(self) -> None:
        """Do not make the call."""


async def pause(clock: Clock, duration: int) -> None:
    """Sleep ``duration`` microseconds of ``clock``."""
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    due = Instant(clock.now() + max(0, duration))
    timer = clock.call_at(due, lambda: None if over.done() else over.set_result(None))
    try:
        await over
    finally:
        timer.cancel()


class Clock(Protocol):
    """Where time comes from; tests put a virtual one in its place."""

    def now(self) -> Instant:
        """Return the present instant."""
        ...

    def call_at(self, instant: Instant, callback: Callable[[], None]) -> Timer:
        """Arrange a call at ``instant``."""
        ...
