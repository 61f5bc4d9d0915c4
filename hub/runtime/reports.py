"""From what sessions report to readings: of their own entities only, not too fast, committed before it returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import structlog

from hub.model.entry import Bookmarked
from hub.model.errors import Unsupported
from hub.model.execution import pause
from hub.model.reading import NEVER_HEARD, Quality, Reading
from hub.model.text import Text, clean
from hub.model.time import SECOND
from hub.runtime.budget import Budget
from hub.sdk import Vitals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub.model.execution import Clock
    from hub.runtime.batch import Batch
    from hub.runtime.core import Runtime
    from hub.runtime.problems import Problems
    from hub.runtime.registry import Registry
    from hub.sdk import Sample

log = structlog.get_logger()

#: Samples a second that one configured device may report in the long run, and at once.
RATE, BURST = 200, 1_000
#: Characters of a bookmark's key and value, and bookmarks of one device.
KEY, VALUE, BOOKMARKS = 64, 256, 32
#: Within this a poll that finds what it found before says nothing new.
REPEAT = 5 * SECOND

_NONE: Mapping[str, str] = {}


class Reports:
    """Where sessions hand in their samples."""

    def __init__(
        self,
        runtime: Runtime,
        registry: Registry,
        problems: Problems,
        clock: Clock,
        bookmarks: Iterable[Bookmarked] = (),
    ) -> None:
        self._runtime = runtime
        self._registry = registry
        self._problems = problems
        self._clock = clock
        self._budgets: dict[tuple[str, str], Budget] = {}
        self._bookmarks: dict[tuple[str, str], dict[str, str]] = {}
        for one in bookmarks:
            self._bookmarks.setdefault((one.domain, one.device), {})[one.key] = one.value

    def bookmarks(self, domain: str, name: str) -> Mapping[str, str]:
        """Return what a device's sessions have left, by key: only what is committed."""
        return dict(self._bookmarks.get((domain, name), {}))

    async def take(
        self, domain: str, name: str, said: tuple[Sample | Vitals, ...], bookmarks: Mapping[str, str] = _NONE
    ) -> None:
        """Commit what the device ``name`` said. Who reports too much waits, and is named on the page.

        Raises Unsupported for bookmarks beyond their limits; nothing is committed then.
        """
        samples: list[Sample] = []
        marked = self._bookmarked(domain, name, bookmarks)
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
        if not samples and not marked:
            return
        await self._wait(domain, name, len(samples))
        await self._runtime.room()
        await self._runtime.done(lambda batch: self._feed(batch, samples, marked))

    def _bookmarked(self, domain: str, name: str, new: Mapping[str, str]) -> list[Bookmarked]:
        too_long = any(not 0 < len(key) <= KEY or len(value) > VALUE for key, value in new.items())
        kept = {**self._bookmarks.get((domain, name), {}), **new}
        if too_long or sum(map(bool, kept.values())) > BOOKMARKS:
            raise Unsupported(f"{name} keeps more bookmarks, or longer ones, than a device may")
        return [Bookmarked(domain, name, key, value) for key, value in new.items()]

    def _keep(self, bookmarks: list[Bookmarked]) -> None:
        for one in bookmarks:
            kept = self._bookmarks.setdefault((one.domain, one.device), {})
            kept[one.key] = one.value
            if not one.value:
                del kept[one.key]

    def _feed(self, batch: Batch, samples: list[Sample], bookmarks: list[Bookmarked]) -> None:
        if bookmarks:
            batch.entry.bookmarks += bookmarks
            batch.when_committed(lambda: self._keep(bookmarks))  # also when who reported is gone by then
        for sample in samples:
            prior = batch.state.states.get(sample.entity, NEVER_HEARD)
            same = sample.value == prior.value and sample.quality is prior.quality is Quality.GOOD
            if same and batch.now - prior.at < REPEAT:
                continue
            batch.feed(Reading(sample.entity, sample.value, sample.quality, batch.now, sample.device_at))

    async def _wait(self, domain: str, name: str, count: int) -> None:
        now, key = self._clock.now(), f"device.{domain}.{name}.flood"
        left = self._budgets.setdefault((domain, name), Budget(RATE, BURST, now)).spend(count, now)
        if left >= 0:
            if left > BURST / 2:
                self._problems.settle(key)
            return
        text = Text(f"设备 {name} 上报过于频繁，已限速", f"Device {name} reports too often; it is slowed down")
        if self._problems.raise_(key, text):
            log.warning("report.flood", integration=domain, device=name)
        await pause(self._clock, round(-left / RATE * SECOND))
