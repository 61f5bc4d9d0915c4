"""Reads the bus round by round. A unit that is silent or refuses makes its own entities stale, not those of others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.sdk import DeviceError, Quality, Sample, Unreachable
from integrations.modbus.bus import Lost, Silent

if TYPE_CHECKING:
    from hub.sdk import EntityId, Vitals
    from integrations.modbus.bus import Bus
    from integrations.modbus.plan import Group

#: Seconds that a silent unit is left alone: first and longest. Each question to it costs the others a time-out.
_REST = (1.0, 30.0)
#: Questions before a unit counts as silent: one frame in thousands is broken on a long line.
_TRIES = 2
#: Seconds after which an unchanged value is reported again.
REFRESH = 5.0
#: Seconds in which one unit must answer for the bus to count as open; the hub waits 30.
_FIRST = 15.0

Report = Callable[..., Awaitable[None]]


@dataclass(slots=True)
class _Unit:
    """How one unit behaves."""

    rest: float = 0.0
    """Seconds of its present rest; 0 for a unit that answers."""
    until: float = 0.0
    """When it is asked again, on the loop's clock."""


class Poller:
    """All groups of a bus. ``period`` in seconds."""

    def __init__(self, bus: Bus, groups: tuple[Group, ...], report: Report, period: float) -> None:
        self._bus = bus
        self._groups = groups
        self._report = report
        self._period = period
        self._units = {group.read.unit_id: _Unit() for group in groups}
        self._said: dict[EntityId, tuple[Sample, float]] = {}

    async def probe(self) -> None:
        """Return when one unit has answered, be it by refusing. Raises Unreachable."""
        firsts = {group.read.unit_id: group for group in reversed(self._groups)}
        try:
            async with asyncio.timeout(_FIRST):
                for group in firsts.values():
                    if await self._answers(group):
                        return
        except TimeoutError:
            pass
        raise Unreachable(f"none of {len(firsts)} units on the bus answers")

    async def run(self) -> None:
        """Poll until the line is lost or nobody answers any more: Unreachable."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await self.round()
            await asyncio.sleep(max(0.0, began + self._period - loop.time()))

    async def round(self) -> None:
        """Ask every unit that is not resting. Raises Unreachable when none is left that answers."""
        now = asyncio.get_running_loop().time
        for group in self._groups:
            unit = self._units[group.read.unit_id]
            if now() < unit.until:
                continue
            try:
                numbers = await self._ask(group)
            except Lost:
                raise
            except Silent:
                unit.rest = min(max(_REST[0], unit.rest * 2), _REST[1])
                unit.until = now() + unit.rest
                await self._distrust(*(other for other in self._groups if other.read.unit_id == group.read.unit_id))
            except DeviceError:  # it refuses this request and may answer the next
                unit.rest = 0.0
                await self._distrust(group)
            else:
                unit.rest = 0.0
                await self._say(group.samples(numbers))
        if self._units and all(unit.rest for unit in self._units.values()):
            raise Unreachable(f"none of {len(self._units)} units on the bus answers")

    async def _answers(self, group: Group) -> bool:
        try:
            await self._bus.ask(group.read)
        except Lost:
            raise
        except Silent:
            return False
        except DeviceError:
            return True
        return True

    async def _ask(self, group: Group) -> tuple[int, ...]:
        """Ask again when nothing came, unless the unit was silent before."""
        if self._units[group.read.unit_id].rest == 0:
            for _ in range(_TRIES - 1):
                try:
                    return await self._bus.ask(group.read)
                except Silent:
                    continue
        return await self._bus.ask(group.read)

    async def _distrust(self, *lost: Group) -> None:
        await self._say(tuple(Sample(item.entity.id, None, Quality.STALE) for group in lost for item in group.sensed))

    async def _say(self, samples: tuple[Sample, ...]) -> None:
        """Report what is new, and at times what is not, so that it does not grow old. Stale is said once."""
        now = asyncio.get_running_loop().time()
        news = [sample for sample in samples if self._is_news(sample, now)]
        self._said.update((sample.entity, (sample, now)) for sample in news)
        if news:
            said: list[Sample | Vitals] = [*news]
            await self._report(*said)

    def _is_news(self, sample: Sample, now: float) -> bool:
        before, at = self._said.get(sample.entity, (None, 0.0))
        return sample != before or (sample.quality is Quality.GOOD and now - at >= REFRESH)
