"""Candidates of successive frames become tracks, in stream time: a frame may be missing, doubled or late."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from hub.vision.falling.components import Candidates

#: Tracks that are followed at a time; the youngest give way.
_MOST = 64
#: Points of a track that are kept: more than a fall of 10 s at 25 fps has.
_MOST_POINTS = 300
#: Seconds that a track is waited for: before and after it has shown that it moves steadily.
_WAIT, _WAIT_STEADY = 0.13, 0.3
#: Points that make a track steady.
_STEADY = 4
#: Fastest thing that is picked up, in picture heights a second: 20 m/s where the picture shows 25 m.
_FASTEST = 0.8
#: Points from which the present speed is taken.
_RECENT = 5
#: Search radius around a prediction: pixels, and share of the way since the last point.
_RADIUS, _SHARE = 4.0, 0.4
#: A thing does not become this many times as large from one frame to the next (sides with 4 pixels added).
_GROWS = 2.5
#: Second looks at a track without a candidate in between: what has hidden behind a tree must show itself.
_LOOKS = 8
#: Slowest thing that is looked at twice, in pixels a second downwards.
_FALLING = 15.0
#: Second looks in a frame, the oldest tracks first: rain would have hundreds.
_LOOKS_A_FRAME = 8

#: x, y and radius of a search, and 1.0 when the track has to wait for the steady ones.
Ahead = tuple[float, float, float, float]
#: Looks once more for a track at a place: x, y, contrast, or None.
Look = Callable[["Track", Ahead, float], tuple[float, float, float] | None]


@dataclass(slots=True, eq=False)
class Track:
    """One thing that moves. Positions in pixels, times in seconds of the stream."""

    number: int
    times: list[float] = field(default_factory=list)
    xs: list[float] = field(default_factory=list)
    ys: list[float] = field(default_factory=list)
    sides: list[float] = field(default_factory=list)
    contrasts: list[float] = field(default_factory=list)
    looks: int = 0
    """Points in a row that came from a second look."""
    missed: int = 0
    """Frames in which it was not seen since it began."""
    part_of: int | None = None
    """Number of the fall that it belongs to."""
    steady: bool = False
    """Whether its way can be foretold."""

    right: float = 0.0
    down: float = 0.0
    """Pixels a second over the last points."""

    def add(self, at: float, x: float, y: float, side: float, contrast: float) -> None:
        """Take one more point."""
        self.times.append(at)
        self.xs.append(x)
        self.ys.append(y)
        self.sides.append(side)
        self.contrasts.append(contrast)
        self.right, self.down = self._speed()
        self.steady = len(self.times) >= _STEADY

    def _speed(self) -> tuple[float, float]:
        times = self.times[-_RECENT:]
        if len(times) < 2:
            return 0.0, 0.0
        mean = sum(times) / len(times)
        spread = right = down = 0.0
        for time, x, y in zip(times, self.xs[-_RECENT:], self.ys[-_RECENT:], strict=True):
            apart = time - mean
            spread += apart * apart
            right += apart * x
            down += apart * y
        return right / spread, down / spread


class Linker:
    """Open tracks of one camera with pictures of ``height`` pixels."""

    def __init__(self, height: int) -> None:
        self._fastest = _FASTEST * height
        self._next = 0
        self.open: list[Track] = []

    def step(self, found: Candidates, at: float, look: Look) -> tuple[list[Track], list[Track]]:
        """Give each candidate to a track or begin one. Returns the tracks that grew and those that ended."""
        grown: list[Track] = []
        free = np.ones(len(found), bool)
        ahead = [self._foretell(track, at) for track in self.open]
        for index, candidate in self._pairs(found, ahead):
            track = self.open[index]
            free[candidate] = False
            _add(track, found, candidate, at)
            grown.append(track)
        seen = set(grown)
        ended = []
        looks = 0
        for track, place in zip(self.open, ahead, strict=True):
            if track in seen:
                continue
            if track.steady and track.down >= _FALLING:
                looks += 1
                if looks <= _LOOKS_A_FRAME and track.looks < _LOOKS and _again(track, place, at, look):
                    grown.append(track)
                    continue
            track.missed += 1
            if at - track.times[-1] > (_WAIT_STEADY if track.steady else _WAIT):
                ended.append(track)
        gone = set(ended)
        self.open = [track for track in self.open if track not in gone and len(track.times) < _MOST_POINTS]
        for candidate in np.flatnonzero(free)[: max(0, _MOST - len(self.open))]:
            track = Track(self._next)
            self._next += 1
            _add(track, found, int(candidate), at)
            self.open.append(track)
        return grown, ended

    def close(self) -> list[Track]:
        """End all tracks: the stream jumped."""
        ended, self.open = self.open, []
        return ended

    def _pairs(self, found: Candidates, places: list[Ahead]) -> list[tuple[int, int]]:
        """Return (track, candidate), each at most once: steady tracks choose first, then the nearest."""
        spots = list(zip(found.x.tolist(), found.y.tolist(), found.side.tolist(), strict=True))
        near = []
        for index, (track, (x, y, radius, waits)) in enumerate(zip(self.open, places, strict=True)):
            size = track.sides[-1] + 4.0
            for candidate, (right, down, side) in enumerate(spots):  # few: numpy would take longer
                if -radius < x - right < radius and (apart := math.hypot(x - right, y - down)) < radius:
                    grows = (side + 4.0) / size
                    if 1 / _GROWS < grows < _GROWS:
                        near.append((apart / radius + waits, index, candidate))
        pairs: dict[int, int] = {}
        taken: set[int] = set()
        for _, index, candidate in sorted(near):
            if index not in pairs and candidate not in taken:
                pairs[index] = candidate
                taken.add(candidate)
        return list(pairs.items())

    def _foretell(self, track: Track, at: float) -> Ahead:
        """Return where to search for a track now."""
        since = at - track.times[-1]
        right, down = track.right, track.down
        if not track.steady:
            return track.xs[-1], track.ys[-1], max(_RADIUS, self._fastest * since), 1.0
        # the speed is that of the middle of the last points, hence a fall is a little ahead of it: the share covers it
        middle = (track.times[-1] - track.times[-min(_RECENT, len(track.times))]) / 2
        gain = _pull(track) * (since + middle)
        way = math.hypot(right, down) * since
        x, y = track.xs[-1] + right * since, track.ys[-1] + (down + gain) * since
        return x, y, _RADIUS + track.sides[-1] / 4 + _SHARE * way, 0.0


def _again(track: Track, place: Ahead, at: float, look: Look) -> bool:
    """Look a second time for what goes down steadily; say whether it was there."""
    spot = look(track, place, at)
    if spot is None:
        return False
    x, y, contrast = spot
    track.add(at, x, y, track.sides[-1], contrast)
    track.looks += 1
    return True


def _pull(track: Track) -> float:
    """Return how fast it becomes faster downwards, pixels a second squared, where the track is long enough to say."""
    if len(track.times) < 2 * _RECENT:
        return 0.0
    old, new = -2 * _RECENT, -_RECENT
    first = (track.ys[new] - track.ys[old]) / (track.times[new] - track.times[old])
    last = (track.ys[-1] - track.ys[new]) / (track.times[-1] - track.times[new])
    return max(0.0, 2 * (last - first) / (track.times[-1] - track.times[old]))


def _add(track: Track, found: Candidates, candidate: int, at: float) -> None:
    x, y = float(found.x[candidate]), float(found.y[candidate])
    track.add(at, x, y, float(found.side[candidate]), float(found.contrast[candidate]))
    track.looks = 0
