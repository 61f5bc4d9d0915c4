"""Compares what a lane watch said about a scene with the truth."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.vision.lane.event import LaneEvent, Presence
from hub.vision.lane.watch import LaneWatch
from tests.vision.lane_scenes import LIMIT, Scene, Truth

#: Seconds within which presence and absence must be told (VISION.md).
PROMPT = 5.0


@dataclass
class Told:
    """A stay as it was told."""

    since: float
    told: float
    seen: float
    until: float


@dataclass
class Score:
    """Counts of one scene; ``late`` and ``lingered`` are seconds until presence and absence were told."""

    stays: int = 0
    found: int = 0
    false_warnings: int = 0
    false_present: int = 0
    unsure: int = 0
    late: list[float] = field(default_factory=list)
    lingered: list[float] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)


def told(events: list[LaneEvent], end: float) -> list[Told]:
    """Read the stays out of the events."""
    stays: dict[int, Told] = {}
    for event in events:
        if event.stay and event.presence is Presence.PRESENT:
            stays.setdefault(event.stay, Told(event.since, event.at, end, end))
        elif event.stay and event.presence is Presence.ABSENT:
            stays[event.stay].seen, stays[event.stay].until = event.since, event.at
    return list(stays.values())


def watch(scene: Scene) -> list[LaneEvent]:
    """Let a watch see a scene."""
    lane = LaneWatch(scene.polygon)
    return [event for frame in scene.frames() for event in lane.see(frame)]


def score(scene: Scene) -> Score:
    """Watch a scene and count."""
    events = watch(scene)
    said = told(events, scene.seconds)
    result = Score(unsure=sum(event.presence is Presence.UNSURE for event in events))
    for stay in said:
        standing = [truth for truth in scene.truth if truth.start - 2 < stay.until and truth.end + PROMPT > stay.since]
        result.false_present += not standing
        warned = stay.until - stay.since >= LIMIT
        result.false_warnings += warned and not any(truth.end - truth.start >= LIMIT - 4 for truth in standing)
    for truth in scene.truth:
        if truth.end - truth.start >= LIMIT:
            _look_for(truth, said, result)
    return result


def _look_for(truth: Truth, said: list[Told], result: Score) -> None:
    result.stays += 1
    ours = [stay for stay in said if stay.since < truth.end and stay.until > truth.start]
    whole = [stay for stay in ours if abs(stay.since - truth.start) < PROMPT and abs(stay.seen - truth.end) < PROMPT]
    if not whole:
        result.missed.append(
            f"{truth.start:.0f}-{truth.end:.0f}: " + str([(s.since, s.told, s.seen, s.until) for s in ours])
        )
        return
    result.late.append(whole[0].told - truth.start)
    result.lingered.append(whole[0].until - truth.end)
    result.found += result.late[-1] <= PROMPT and result.lingered[-1] <= PROMPT
    if not (result.late[-1] <= PROMPT and result.lingered[-1] <= PROMPT):
        result.missed.append(f"late {result.late[-1]:.1f}, lingered {result.lingered[-1]:.1f}")
