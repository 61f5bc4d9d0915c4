"""Follows things from look to look: a thing is the one that was near where it was going, and of no other kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

from hub.vision.detect.box import Kind
from hub.vision.lane.place import Box

#: Width of a picture by its height: distances are counted in heights.
WIDE = 16 / 9
#: How far from where it is expected a thing may be: in its own diagonals, and in picture heights a second.
NEAR, SWIFT = 0.6, 0.35
#: Seconds and pictures in which a thing is not seen, after which it has gone.
GONE, MISSED = 2.5, 2
#: Seconds after which one that stays is told, and followed anew.
LONGEST = 300.0
#: Most things followed at a time.
MOST = 32
#: Part by which all of a thing's boxes together may be larger than the largest of them, times by which a box is larger
#: or smaller than the one before, and how often that is so, where something only flickers in its place.
PLACE, JUMP, FLICKERS = 1.2, 1.4, 3


@dataclass(frozen=True, slots=True)
class Look:
    """One thing in one picture."""

    box: Box
    kind: Kind = Kind.OTHER


@dataclass(slots=True)
class Track:
    """One thing in time."""

    began: float
    at: float
    box: Box
    kind: Kind
    looks: int = 1
    missed: int = 0
    moved: float = 0.0
    """How far its middle has come from where it began, at most, in picture heights."""
    speed: tuple[float, float] = (0.0, 0.0)
    first: Box = (0.0, 0.0, 0.0, 0.0)
    around: Box = (1.0, 1.0, 0.0, 0.0)
    """What all of its boxes lie in."""
    largest: float = 0.0
    """Area of its largest box."""
    jumps: int = 0
    """How often its box was much larger or smaller than the one before."""

    @property
    def flickers(self) -> bool:
        """Return whether it is a sign that changes, such as the clock in the picture, and no thing that passes."""
        return self.jumps >= FLICKERS and area(self.around) <= PLACE * self.largest


def area(box: Box) -> float:
    """Return the part of the picture that a box takes."""
    return (box[2] - box[0]) * (box[3] - box[1])


def middle(box: Box) -> tuple[float, float]:
    """Return the middle of a box in picture heights."""
    return (box[0] + box[2]) / 2 * WIDE, (box[1] + box[3]) / 2


class Followed:
    """The things of one camera."""

    def __init__(self) -> None:
        self.tracks: list[Track] = []

    def step(self, looks: Sequence[Look], at: float) -> tuple[list[tuple[Track, Look]], list[Track]]:
        """Take the things of a picture; return which track each belongs to, and the tracks that have ended."""
        free, pairs = list(self.tracks), []
        left = list(looks)
        costs = sorted(
            ((cost, track_at, look_at)
             for track_at, track in enumerate(free) for look_at, look in enumerate(left)
             if (cost := _cost(track, look, at)) is not None),
        )  # fmt: skip
        taken_tracks: set[int] = set()
        taken_looks: set[int] = set()
        for _, track_at, look_at in costs:
            if track_at not in taken_tracks and look_at not in taken_looks:
                taken_tracks.add(track_at)
                taken_looks.add(look_at)
                _extend(free[track_at], left[look_at], at)
                pairs.append((free[track_at], left[look_at]))
        for look_at, look in enumerate(left):
            if look_at not in taken_looks and len(self.tracks) < MOST:
                track = Track(at, at, look.box, look.kind, first=look.box, around=look.box, largest=area(look.box))
                self.tracks.append(track)
                pairs.append((track, look))
        for track in free:
            track.missed += track.at != at
        ended = [track for track in self.tracks if _is_over(track, at)]
        self.tracks = [track for track in self.tracks if track not in ended]
        return pairs, ended


def _is_over(track: Track, at: float) -> bool:
    return (at - track.at > GONE and track.missed >= MISSED) or track.at - track.began > LONGEST


def _cost(track: Track, look: Look, at: float) -> float | None:
    """Return how far a look is from where a thing is expected, 0 to 1; None where it cannot be it."""
    if Kind.OTHER not in {track.kind, look.kind} and track.kind is not look.kind:
        return None
    passed = max(0.0, at - track.at)
    x, y = middle(look.box)
    was_x, was_y = middle(track.box)
    off = hypot(x - was_x - track.speed[0] * passed, y - was_y - track.speed[1] * passed)
    tall = max(track.box[3] - track.box[1], look.box[3] - look.box[1])
    broad = max(track.box[2] - track.box[0], look.box[2] - look.box[0]) * WIDE
    allowed = NEAR * hypot(tall, broad) + SWIFT * min(passed, 2.0)
    return off / allowed if off <= allowed else None


def _extend(track: Track, look: Look, at: float) -> None:
    passed, before = at - track.at, area(track.box)
    x, y = middle(look.box)
    was_x, was_y = middle(track.box)
    if passed > 0:
        track.speed = ((x - was_x) / passed, (y - was_y) / passed)
    track.at, track.box, track.looks, track.missed = at, look.box, track.looks + 1, 0
    track.kind = look.kind if track.kind is Kind.OTHER else track.kind
    from_x, from_y = middle(track.first)
    track.moved = max(track.moved, hypot(x - from_x, y - from_y))
    one, other = track.around, look.box
    track.around = (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))
    track.largest = max(track.largest, area(look.box))
    track.jumps += not 1 / JUMP < area(look.box) / before < JUMP
