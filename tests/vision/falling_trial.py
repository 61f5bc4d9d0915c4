"""Trials of the falling-object detector on facades that never were: how many falls it finds, how often it is wrong.

Seeds below 10,000 were used while the detector was written; reports use seeds from 20,000 on.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from hub.vision.falling.background import Luma
from hub.vision.falling.detector import FallDetector
from hub.vision.falling.event import Fall, Kind
from tests.vision.facade import Light, Scene
from tests.vision.movers import Truth

#: First seed of the scenes that figures are reported on.
REPORTED = 20_000
FALLS_A_SCENE = 5

#: What disturbs, by name: adds it to a scene of some seconds.
DISTURBANCES: dict[str, Callable[[Scene, float], None]] = {
    "calm": lambda scene, seconds: scene.lights(seconds, 2),
    "birds": lambda scene, seconds: scene.birds(seconds, 30),
    "rain": lambda scene, seconds: scene.rain(60, 40),
    "insects": lambda scene, seconds: scene.insects(seconds, 30),
    "drips": lambda scene, seconds: scene.drips(5),
    "leaves": lambda scene, seconds: scene.drifters(seconds, 30, cloth=False),
    "cloth": lambda scene, seconds: scene.drifters(seconds, 15, cloth=True),
    "trees": lambda scene, seconds: scene.plant(3),
    "lights": lambda scene, seconds: scene.lights(seconds, 20),
    "exposure": lambda scene, seconds: scene.exposures(seconds, 6),
}


@dataclass
class Found:
    """What came of the falls of some scenes."""

    falls: int = 0
    found: int = 0
    events: int = 0
    exact: int = 0
    within_one: int = 0
    false: int = 0
    delays: list[float] = field(default_factory=list)
    """Seconds from release to decision."""
    missed: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.found / max(1, self.falls)


@dataclass
class Wrong:
    """What came of scenes in which nothing falls."""

    hours: float = 0.0
    events: list[str] = field(default_factory=list)
    kinds: Counter[Kind] = field(default_factory=Counter)
    cpu: float = 0.0
    """Milliseconds of a frame."""

    @property
    def a_day(self) -> float:
        return len(self.events) / self.hours * 24

    @property
    def upper95(self) -> float:
        """Upper end of the one-sided 95 % interval of a Poisson rate, events a day."""
        return poisson_upper(len(self.events)) / self.hours * 24


def poisson_upper(count: int, level: float = 0.95) -> float:
    """Return the mean at which ``count`` or fewer events have the probability ``1 - level`` (3.0 for none)."""
    low, high = 0.0, 10.0 + 3.0 * count
    for _ in range(60):
        mean = (low + high) / 2
        below = sum(math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in range(count + 1))
        low, high = (mean, high) if below > 1 - level else (low, mean)
    return high


Frames = Iterator[tuple[float, Luma]]


def falls(
    seeds: Iterable[int],
    size: float,
    contrast: float,
    prepare: Callable[[Scene, float], None] | None = None,
    through: Callable[[Scene, Frames], Frames] = lambda _, frames: frames,
) -> Found:
    """Let things fall in the scenes of these seeds, day, dusk and night in turn; ``through`` is what films them."""
    found = Found()
    for seed in seeds:
        scene = Scene(seed, list(Light)[seed % 3])
        at = 2.5
        for _ in range(FALLS_A_SCENE):
            at = scene.fall(at, size, contrast).ended + 4.0
        if prepare is not None:
            prepare(scene, at)
        detector = FallDetector(scene.facade())
        events = [event for time_, frame in through(scene, scene.frames(at)) for event in detector.step(frame, time_)]
        _match(found, seed, scene.truths, [event for event in events if isinstance(event, Fall)])
    return found


def _match(found: Found, seed: int, truths: list[Truth], events: list[Fall]) -> None:
    used: set[int] = set()
    for truth in truths:
        mine = [e for e in events if truth.released - 0.5 <= e.released <= truth.ended and e.decided <= truth.ended + 1]
        used |= {event.number for event in mine}
        found.falls += 1
        found.events += len(mine)
        if not mine:
            found.missed.append(f"seed {seed} at {truth.released:.2f} s, floor {truth.floor}, {truth.drop:.1f} m")
            continue
        first = mine[0]
        found.found += 1
        found.delays.append(first.decided - truth.released)
        off = abs(first.floor.number - truth.floor) if first.floor is not None else 99
        found.exact += off == 0
        found.within_one += off <= 1
    found.false += len([event for event in events if event.number not in used])


def innocent(kind: str, seeds: Iterable[int], seconds: float) -> Wrong:
    """Run scenes in which nothing falls that should be reported, day, dusk and night in turn."""
    wrong = Wrong()
    spent, frames = 0.0, 0
    for seed in seeds:
        scene = Scene(seed, list(Light)[seed % 3])
        DISTURBANCES[kind](scene, seconds)
        detector = FallDetector(scene.facade())
        for at, frame in scene.frames(seconds):
            begin = time.thread_time()
            events = detector.step(frame, at)
            spent += time.thread_time() - begin
            frames += 1
            wrong.events += [
                f"{kind}, seed {seed}: {e.drop} m at {e.released:.2f} s" for e in events if isinstance(e, Fall)
            ]
        wrong.kinds.update(detector.counts.tracks)
        wrong.hours += seconds / 3600
    wrong.cpu = spent / max(1, frames) * 1000
    return wrong
