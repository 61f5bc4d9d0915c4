"""Takes the pushes of one node, asks the detector, reports, and only then answers 200."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from pathlib import Path

from hub.sdk import (
    Capability,
    DecodeError,
    Entity,
    Equipment,
    Instant,
    Presence,
    Push,
    PushAnswer,
    Quality,
    Sample,
    Text,
    Tools,
    Vitals,
    clean,
    entity_id,
)
from integrations.field_magnetometer.config import DOMAIN, Config
from integrations.field_magnetometer.detector import Detector
from integrations.field_magnetometer.store import save
from integrations.field_magnetometer.wire import FieldSample, Report, read_report, signed

#: Seconds between two writings of the baseline.
_SAVING = 600.0
#: Most changes that wait while the hub cannot keep them.
_WAITING = 100
_REFUSED = PushAnswer(401, b"the signature does not fit the key")


class Node:
    """One node and its two entities: a vehicle, and the deviation that says so."""

    def __init__(self, name: str, config: Config, detector: Detector, file: Path, tools: Tools) -> None:
        device, silent = clean(name), round(config.silent_after_min * 60_000_000)
        self._key = config.key
        self._detector = detector
        self._file = file
        self._report = tools.report
        self._one_by_one = asyncio.Lock()
        self._untold: deque[Sample | Vitals] = deque(maxlen=_WAITING)
        self._saved = 0.0
        self._vehicle = Entity(entity_id(DOMAIN, name), Capability.PRESENCE, config.name, device, expire_after=silent)
        self._deviation = Entity(
            entity_id(DOMAIN, f"{name}_deviation"),
            Capability.MEASURE,
            Text(f"{config.name.zh} 磁场偏离", f"{config.name.en or config.name.zh} deviation"),
            device,
            unit="µT",
            expire_after=silent,
        )
        self.equipment = (Equipment(self._vehicle), Equipment(self._deviation))

    async def take(self, push: Push) -> PushAnswer:
        """Answer one request."""
        if not signed(self._key, push.body, push.headers.get("x-signature", "")):
            return _REFUSED
        try:
            report = read_report(push.body, time.time_ns() // 1_000_000)
        except DecodeError as error:
            return PushAnswer(400, error.reason.encode())
        async with self._one_by_one:
            self._untold.extend(self._news(report))
            if self._untold:
                await self._report(*self._untold)
                self._untold.clear()
            await self._keep(at=report.samples[-1].at / 1000, forced=report.empty)
        return PushAnswer(200, b"ok")

    async def close(self) -> None:
        """Keep what was learnt. Raises OSError."""
        if self._detector.baseline is not None:
            await save(self._file, self._detector.baseline)

    def _news(self, report: Report) -> list[Sample | Vitals]:
        """Return every change within the push, and what is so at its end. A push seen before says nothing."""
        fresh = [sample for sample in report.samples if self._detector.is_new(sample.at / 1000)]
        if not fresh:
            return []
        if report.empty:
            self._detector.mark_empty()
        said: list[Sample | Vitals] = []
        before = self._detector.presence
        for sample in fresh:
            now = self._detector.update(sample.field, sample.at / 1000, sample.temperature)
            if now is not before or sample is fresh[-1]:
                said.append(self._sample(now, sample))
            before = now
        said.append(Sample(self._deviation.id, self._detector.deviation, _quality(self._detector.deviation)))
        if report.battery is not None:
            said.append(Vitals(self._vehicle.device, battery=report.battery))
        return said

    def _sample(self, presence: Presence | None, sample: FieldSample) -> Sample:
        return Sample(self._vehicle.id, presence, _quality(presence), Instant(sample.at * 1000))

    async def _keep(self, at: float, *, forced: bool) -> None:
        if forced or (self._detector.baseline is not None and at - self._saved >= _SAVING):
            self._saved = at
            await save(self._file, self._detector.baseline)


def _quality(value: object) -> Quality:
    return Quality.UNKNOWN if value is None else Quality.GOOD
