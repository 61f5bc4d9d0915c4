"""Asks for all objects of a device, round by round, and reports what is new."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from hub.sdk import EntityId, Quality, Sample, Unsupported
from integrations.bacnet.answers import Refusal
from integrations.bacnet.items import REFRESH, Item
from integrations.bacnet.points import Said, judge

if TYPE_CHECKING:
    from integrations.bacnet.reader import Reader

Report = Callable[..., Awaitable[None]]


class Poller:
    """All objects of one device. ``period`` in seconds."""

    def __init__(self, reader: Reader, items: tuple[Item, ...], report: Report, period: float) -> None:
        self._reader = reader
        self._items = items
        self._report = report
        self._period = period
        self._said: dict[EntityId, tuple[Sample, float]] = {}

    async def probe(self) -> None:
        """Return when one of the objects is there. Raises Unsupported when none is, Unreachable."""
        for item in self._items:
            said = await self._reader.read(item.target, item.props)
            if not said or any(not isinstance(one, Refusal) or not one.no_such_object for one in said.values()):
                return
        raise Unsupported(f"the device has none of the {len(self._items)} objects: compare their instance numbers")

    async def run(self) -> None:
        """Poll until the device is lost: Unreachable."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            for item in self._items:
                await self._say(item, await self._reader.read(item.target, item.props))
            await asyncio.sleep(max(0.0, began + self._period - loop.time()))

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
