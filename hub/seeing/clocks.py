"""Asks devices that have a clock of their own (``hub.sdk.Clocked``) how late it is there, and says whose is wrong.

A camera whose clock is wrong writes the wrong time into its picture, and its own recordings prove nothing.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from hub.model.errors import DeviceError
from hub.model.execution import pause
from hub.model.text import Text
from hub.model.time import HOUR, SECOND, Duration, after, format_duration
from hub.sdk import Clocked

if TYPE_CHECKING:
    from hub.model.execution import Clock
    from hub.model.ids import EntityId
    from hub.runtime.problems import Problems
    from hub.runtime.registry import Registry

log = structlog.get_logger()

#: How often clocks are asked; how soon those that are new are.
EVERY, SOON = HOUR, Duration(10 * SECOND)
#: Seconds by which a clock may be off; within which one that was told is right again: answers are of whole seconds.
WRONG, RIGHT = 2.0, 1.5
#: Seconds that a device has to answer.
PATIENCE = 15.0


class Clocks:
    """How far the clocks of devices are off."""

    def __init__(self) -> None:
        self.ahead: dict[EntityId, float] = {}
        """Seconds that each is ahead of the hub's (late: less than 0), as it said last."""

    async def run(self, registry: Registry, problems: Problems, clock: Clock) -> None:
        """Ask until cancelled."""
        due = clock.now()
        while True:
            await self.ask(registry, problems, new_only=clock.now() < due)
            if clock.now() >= due:
                due = after(clock.now(), EVERY)
            await pause(clock, SOON)

    async def ask(self, registry: Registry, problems: Problems, *, new_only: bool = False) -> None:
        """Ask all, one after the other; one that does not answer keeps what it said last."""
        clocked: dict[EntityId, Clocked] = {}
        for name in registry.entities:
            driver: object = registry.driver(name)
            if isinstance(driver, Clocked):
                clocked[name] = driver
        for gone in self.ahead.keys() - clocked.keys():
            del self.ahead[gone]
            problems.settle(_problem(gone))
        for name, asked in clocked.items():
            if new_only and name in self.ahead:
                continue
            try:
                async with asyncio.timeout(PATIENCE):
                    ahead = await asked.clock_ahead()
            except (DeviceError, TimeoutError):
                continue  # whether it answers at all is told elsewhere
            if ahead is not None:
                self.ahead[name] = ahead
                _tell(name, ahead, problems)


def is_wrong(ahead: float | None) -> bool:
    """Tell whether a clock that is off by so many seconds is wrong."""
    return ahead is not None and abs(ahead) > WRONG


def _tell(name: EntityId, ahead: float, problems: Problems) -> None:
    if is_wrong(ahead):
        off = round(abs(ahead))
        zh, en = ("慢", "late") if ahead < 0 else ("快", "ahead")
        span = format_duration(Duration(off * SECOND))
        text = Text(f"{name} 的时钟{zh}了 {off} 秒，请校准", f"The clock of {name} is {span} {en}: set it")
        if problems.raise_(_problem(name), text):
            log.warning("clock.wrong", entity=name, ahead_s=ahead)
    elif abs(ahead) < RIGHT and problems.settle(_problem(name)):
        log.info("clock.right", entity=name)


def _problem(name: EntityId) -> str:
    return f"clock.{name}"
