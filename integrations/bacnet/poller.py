"""Asks for all objects of a device, round by round, and reports what is new.

Of an object whose changes the device tells (COV) it asks when told so, and now and then: a notice may be lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from hub.sdk import EntityId, Quality, Sample, Unsupported
from integrations.bacnet.answers import Refusal, Target
from integrations.bacnet.items import REFRESH, Item
from integrations.bacnet.points import Said, judge

if TYPE_CHECKING:
    from integrations.bacnet.reader import Reader

Report = Callable[..., Awaitable[None]]


#: Seconds for which notices are asked for, and after which they are asked for again.
LIFETIME, RENEW = 120, 50.0
#: Shortest pause in seconds between two rounds, however many notices come.
PAUSE = 0.05


class Poller:
    """All objects of one device. ``period`` in seconds; with ``cov`` it asks for notices of changes."""

    def __init__(self, reader: Reader, items: tuple[Item, ...], report: Report, period: float, *, cov: bool) -> None:
        self._reader = reader
        self._items = items
        self._report = report
        self._period = period
        self._said: dict[EntityId, tuple[Sample, float]] = {}
        self._willing = {item.target for item in items} if cov else set()
        """Objects of which the device may tell changes: it did not refuse."""
        self._told: set[Target] = set()
        """Objects of which it tells them."""
        self._renew_at = 0.0
        self._read_at: dict[Target, float] = {}
        self._changed: set[Target] = set()
        self._woken = asyncio.Event()

    async def probe(self) -> None:
        """Return when one of the objects is there. Raises Unsupported when none is, Unreachable."""
        for item in self._items:
            said = await self._reader.read(item.target, item.props)
            if not said or any(not isinstance(one, Refusal) or not one.no_such_object for one in said.values()):
                return
        raise Unsupported(f"the device has none of the {len(self._items)} objects: compare their instance numbers")

    def notice(self, target: Target) -> None:
        """Note that the device says that an object changed; of one that it need not tell of, nothing is believed."""
        if target in self._told:
            self._changed.add(target)
            self._woken.set()

    async def run(self) -> None:
        """Poll until the device is lost: Unreachable."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            self._woken.clear()
            if self._willing and began >= self._renew_at:
                await self._subscribe(began)
            for item in self._items:
                if self._is_due(item.target, began):
                    self._changed.discard(item.target)
                    await self._say(item, await self._reader.read(item.target, item.props))
                    self._read_at[item.target] = began
            await asyncio.sleep(PAUSE if self._told else 0)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(began + self._period):
                    await self._woken.wait()

    async def _subscribe(self, now: float) -> None:
        """Ask for notices; an object whose changes the device does not tell is asked for in each round as ever."""
        self._renew_at = now + RENEW
        for target in sorted(self._willing):
            if await self._reader.subscribe(target, LIFETIME):
                self._told.add(target)
            else:
                self._willing.discard(target)
                self._told.discard(target)

    def _is_due(self, target: Target, now: float) -> bool:
        told = target in self._told and target not in self._changed
        return not told or now - self._read_at.get(target, -REFRESH) >= REFRESH

    async def _say(self, item: Item, said: Said) -> None:
        """Report what changed, and at times what did not, so that it does not grow old. Stale is said once."""
        now = asyncio.get_running_loop().time()
        news: list[Sample] = []
        for sensed in item.sensed:
            sample = Sample(sensed.entity.id, *judge(said, sensed.read))
            before, at = self._said.get(sample.entity, (None, 0.0))
            if sample != before or (sample.quality is Quality.GOOD and now - at >= REFRESH):
                self._said[sample.entity] = (sample, now)
                news.append(sample)
        if news:
            await self._report(*news)
