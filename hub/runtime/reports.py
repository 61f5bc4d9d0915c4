"""From what sessions report to readings: of their own entities only, not too fast, committed before it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from hub.model.execution import pause
from hub.model.reading import NEVER_HEARD, Quality, Reading
from hub.model.text import Text, clean
from hub.model.time import SECOND, Instant
from hub.sdk import Vitals

if TYPE_CHECKING:
    from hub.model.execution import Clock
    from hub.runtime.batch import Batch
    from hub.runtime.core import Runtime
    from hub.runtime.problems import Problems
    from hub.runtime.registry import Registry
    from hub.sdk import Sample

log = structlog.get_logger()

#: Samples a second that one configured device may report in the long run, and at once.
RATE, BURST = 200, 1_000
#: Within this a poll that finds what it found before says nothing new.
REPEAT = 5 * SECOND


@dataclass(slots=True)
class _Budget:
    """A token bucket."""

    tokens: float
    at: Instant


class Reports:
    """Where sessions hand in their samples."""

    def __init__(self, runtime: Runtime, registry: Registry, problems: Problems, clock: Clock) -> None:
        self._runtime = runtime
        self._registry = registry
        self._problems = problems
        self._clock = clock
        self._budgets: dict[tuple[str, str], _Budget] = {}

    async def take(self, domain: str, name: str, said: tuple[Sample | Vitals, ...]) -> None:
        """Commit what the device ``name`` said. Who reports too much waits, and is named on the page."""
        samples: list[Sample] = []
        mine = self._registry.brought(domain, name)
        for part in said:
            if isinstance(part, Vitals):
                self._registry.note_vitals(domain, part)
            elif part.entity in mine and self._registry.takes(domain, part):
                samples.append(part)
            else:
                key = f"device.{domain}.{name}.foreign"
                text = Text(f"设备 {name} 上报了不属于它的数据", f"Device {name} reports values that are not its own")
                if self._problems.raise_(key, text):
                    log.warning("report.refused", integration=domain, device=name, entity=clean(part.entity, 80))
        if not samples:
            return
        await self._wait(domain, name, len(samples))
        await self._runtime.room()
        await self._runtime.done(lambda batch: self._feed(batch, samples))

    def _feed(self, batch: Batch, samples: list[Sample]) -> None:
        for sample in samples:
            prior = batch.state.states.get(sample.entity, NEVER_HEARD)
            same = sample.value == prior.value and sample.quality is prior.quality is Quality.GOOD
            if same and batch.now - prior.at < REPEAT:
                continue
            batch.feed(Reading(sample.entity, sample.value, sample.quality, batch.now, sample.device_at))

    async def _wait(self, domain: str, name: str, count: int) -> None:
        now, key = self._clock.now(), f"device.{domain}.{name}.flood"
        budget = self._budgets.setdefault((domain, name), _Budget(BURST, now))
        passed = max(0, now - budget.at) / SECOND  # the clock may go back
        budget.tokens, budget.at = min(BURST, budget.tokens + passed * RATE) - count, now
        if budget.tokens >= 0:
            if budget.tokens > BURST / 2:
                self._problems.settle(key)
            return
        text = Text(f"设备 {name} 上报过于频繁，已限速", f"Device {name} reports too often; it is slowed down")
        if self._problems.raise_(key, text):
            log.warning("report.flood", integration=domain, device=name)
        await pause(self._clock, round(-budget.tokens / RATE * SECOND))
