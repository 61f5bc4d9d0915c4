"""Falling objects: how many of them are found, how often something else is taken for one, and what a frame costs.

On generated facades (tests/vision/facade.py) at 720p with noise of 3 levels, seeds that the detector was not tuned on.
``FALLING_HOURS`` sets the hours of the calm run (default 0.25), from which the bound on false alarms comes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from tests.bench.figure import Figure, percentile
from tests.vision.falling_trial import DISTURBANCES, REPORTED, Found, falls, innocent

BENCH = "vision"
#: Scenes of five falls; minutes of each disturbance.
SCENES, MINUTES = 40, 3


def figures(part: float = 1.0) -> Iterator[Figure]:
    """Measure; ``part`` of the scenes and minutes, 0 to 1."""
    scenes = max(1, round(SCENES * part))
    small = falls(range(REPORTED, REPORTED + scenes), 3, 20)
    large = falls(range(REPORTED + 1000, REPORTED + 1000 + scenes), 6, 40)
    seeds = f"720p, sigma 3, day, dusk and night, {scenes} scenes each from seeds {REPORTED} and {REPORTED + 1000}"
    yield Figure(BENCH, "vision.falling_recall_3px", round(small.recall, 4), "", small.falls, f"contrast 20; {seeds}")
    yield Figure(BENCH, "vision.falling_recall_6px", round(large.recall, 4), "", large.falls, f"contrast 40; {seeds}")
    yield from _both(small, large)
    yield from _wrong(part)


def _both(small: Found, large: Found) -> Iterator[Figure]:
    found = small.found + large.found
    delays = small.delays + large.delays
    for name, value in (
        ("falling_events_per_fall", (small.events + large.events) / max(1, found)),
        ("floor_exact", (small.exact + large.exact) / max(1, found)),
        ("floor_within_one", (small.within_one + large.within_one) / max(1, found)),
    ):
        yield Figure(BENCH, f"vision.{name}", round(value, 4), "", found, "of the falls that were found")
    yield Figure(
        BENCH, "vision.falling_alarm_p95", round(percentile(delays, 0.95), 3), "s", len(delays), "after release"
    )
    false = small.false + large.false
    yield Figure(
        BENCH, "vision.falling_false_beside_falls", false, "", small.falls + large.falls, "events that no fall explains"
    )


def _wrong(part: float) -> Iterator[Figure]:
    for kind in DISTURBANCES:
        hours = part * (float(os.environ.get("FALLING_HOURS", "0.25")) if kind == "calm" else MINUTES / 60)
        scenes = max(3, round(hours * 6)) if kind == "calm" else 3
        begin = REPORTED + 2000 + 1000 * list(DISTURBANCES).index(kind)
        wrong = innocent(kind, range(begin, begin + scenes), hours * 3600 / scenes)
        seen = f"{len(wrong.events)} in {wrong.hours:.2f} h of {scenes} scenes from seed {begin}"
        note = f"{seen}; 95 % bound {wrong.upper95:.0f} a day"
        if kind == "calm":
            yield Figure(BENCH, "vision.falling_false_upper95_per_day", round(wrong.upper95, 2), "/day", scenes, note)
        else:
            yield Figure(BENCH, f"vision.falling_false_{kind}", len(wrong.events), "", scenes, note)
        yield Figure(
            BENCH, f"vision.falling_ms_{kind}", round(wrong.cpu, 3), "ms", scenes, "CPU of a frame without decoding"
        )
