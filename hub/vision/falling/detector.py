"""Frames of a facade in, falls out: joins background, blocks, components, tracks and the physical test."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hub.model.errors import DecodeError
from hub.vision.falling.again import look
from hub.vision.falling.background import BAND, Background, Flags, Luma, far
from hub.vision.falling.blocks import SIZE, Activity, count
from hub.vision.falling.calibration import Facade
from hub.vision.falling.components import EMPTY, Candidates, candidates
from hub.vision.falling.drips import Drips
from hub.vision.falling.event import Counts, Fall, Kind, Landed, Point, Severity
from hub.vision.falling.judge import EDGE, Verdict, floor_of, judge
from hub.vision.falling.linking import Ahead, Linker, Track
from hub.vision.falling.sight import Sight

#: Pixels that differ by this many deviations of the noise, and at least by this many levels.
_FAR, _LEAST = 4.0, 6.0
#: What a coder leaves is not noise of one size: quiet walls, and specks around edges. While more than this share of the
#: blocks is active the limit rises, and sinks again slowly; levels a frame, and levels at most.
_BUSY, _RISE, _SINK, _MOST_MARGIN = 1 / 400, 0.1, 0.02, 8.0
#: Seconds without a frame after which nothing can be followed any more, and a step back that is a new clock.
_GAP, _BACK = 1.0, 2.0
#: Seconds at the beginning (and after a restart of the background) in which nothing is reported.
_BLIND = 1.0
#: A fall is now faster than on the average by this: 2 without drag; what falls steadily has 1.
_FASTER = 1.2
#: Seconds of an exposure that a fast thing is looked for with.
_SHUTTER = 0.01
#: What belongs to a reported fall: seconds after its decision, metres beside its way and above its start.
_AFTER, _BESIDE, _ABOVE = 3.0, 2.5, 2.0
#: Things let go within this many seconds fell together; later parts are at most this many metres behind the first.
_TOGETHER, _BEHIND = 1.0, 4.0
#: Smallest and largest side of a frame in pixels.
_SMALLEST, _BIGGEST = 64, 8192


@dataclass(slots=True)
class _Open:
    """A reported fall whose parts may still be in the air."""

    fall: Fall
    track: Track
    x: float
    slant: float
    top: float
    """Pixels, pixels a second, pixels."""
    metre: float
    landed: bool = False


class FallDetector:
    """One camera. Not thread-safe; all times are seconds of the stream."""

    def __init__(self, facade: Facade | None = None) -> None:
        self.facade = facade
        self.drips = Drips()
        self._shape: tuple[int, int] | None = None
        self._background: Background
        self._activity: Activity
        self._linker: Linker
        self._kinds: Counter[Kind] = Counter()
        self._seen: Counter[str] = Counter()
        self._number = 0
        self._limit, self._margin = _LEAST, 0.0
        self._last = -math.inf
        self._blind = -math.inf
        self._open: list[_Open] = []

    @property
    def counts(self) -> Counts:
        """What it has seen so far."""
        return Counts(
            frames=self._seen["frames"],
            late=self._seen["late"],
            doubled=self._seen["doubled"],
            gaps=self._seen["gaps"],
            crowded=self._seen["crowded"],
            capped=self._seen["capped"],
            exposures=self._seen["exposures"] + (self._background.exposures if self._shape else 0),
            streaks=self._seen["streaks"],
            large=self._seen["large"],
            tracks=dict(self._kinds),
        )

    def step(self, frame: Luma, at: float) -> tuple[Fall | Landed, ...]:
        """Take the frame of stream time ``at``. Raises DecodeError for what is no picture or no time.

        A frame with a time that is not after the last one's is counted and not used, likewise a picture that is the
        last one once more; after a gap or a jump of the clock all tracks end.
        """
        frame = _checked(frame, at)
        self._seen["frames"] += 1
        if self._shape != frame.shape:
            ended = self._begin(frame, at)
            return self._finish(ended)
        if at <= self._last and at > self._last - _BACK:
            self._seen["late"] += 1
            return ()
        if self._background.is_doubled(frame):
            self._seen["doubled"] += 1
            return ()
        ended = self._jump(frame, at) if not 0 < at - self._last <= _GAP else []
        self._last = at

        def again(track: Track, ahead: Ahead, at: float) -> tuple[float, float, float] | None:
            return self._look(frame, track, ahead, at)

        grown, more = self._linker.step(self._candidates(frame, at), at, again)
        return self._report(grown, at) + self._finish(ended + more)

    def _begin(self, frame: Luma, at: float) -> list[Track]:
        """Start with the first frame, and anew when the size of the picture changes."""
        ended: list[Track] = []
        if self._shape is not None:
            self._seen["exposures"] += self._background.exposures
            ended = self._linker.close()
        height, width = frame.shape
        self._shape = (height, width)
        self._background = Background(frame, at)
        self._activity = Activity(self._shape, at)
        self._linker = Linker(height)
        self._sight = Sight(width, height, self.facade)
        self._flags = np.empty(frame[:BAND].shape, bool)
        self._last, self._blind = at, at + _BLIND
        return ended

    def _jump(self, frame: Luma, at: float) -> list[Track]:
        """End all tracks after a gap; after a new clock also forget the times of the old one."""
        self._seen["gaps"] += 1
        ended = self._linker.close()
        if at < self._last:
            self._activity = Activity(frame.shape, at)
            self._background.restart(frame, at)
            self._blind = at + _BLIND
            self.drips.restart(at)
        return ended

    def _candidates(self, frame: Luma, at: float) -> Candidates:
        self._background.measure(frame)
        self._limit = max(_LEAST, _FAR * self._background.noise) + self._margin
        self._activity.update(count(self._flagged(frame), self._activity.active.shape), at)
        busy = np.count_nonzero(self._activity.active & ~self._activity.restless) > _BUSY * self._activity.active.size
        self._margin = min(_MOST_MARGIN, max(0.0, self._margin + (_RISE if busy else -_SINK)))
        if self._activity.crowded():
            self._seen["crowded"] += 1
            self._background.restart(frame, at)
            self._activity.restart()
            self._blind = at + _BLIND
            return EMPTY
        found = EMPTY
        if self._activity.active.any():
            blocks = self._activity.edges & ~self._activity.restless
            found = candidates(frame, self._background.luma, round(self._limit), blocks)
            settled = self._activity.settled()
            if settled is not None:
                self._background.accept(frame, settled, SIZE)
        self._background.follow(frame, at)
        self._seen["streaks"] += found.streaks
        self._seen["large"] += found.large
        self._seen["capped"] += found.capped
        return found

    def _flagged(self, frame: Luma) -> Iterator[Flags]:
        """Flag what is far from the background, a few rows at a time and always in the same memory."""
        limit = round(self._limit)
        for top in range(0, len(frame), BAND):
            seen, kept = frame[top : top + BAND], self._background.luma[top : top + BAND]
            flags = self._flags[: len(seen)]
            far(seen, kept, limit, flags)
            yield flags

    def _look(self, frame: Luma, track: Track, ahead: Ahead, at: float) -> tuple[float, float, float] | None:
        """Look a second time where a track should be: as wide as it began, as tall as its speed smears it."""
        x, y, radius, _ = ahead
        thin = min(track.sides[: len(track.sides) // 2 + 1])
        smeared = track.down * min(_SHUTTER, (at - track.times[-1]) / 2)
        sign = math.copysign(1.0, sum(track.contrasts))
        spot = look(frame, self._background.luma, self._limit / _FAR, (x, y, radius), (thin, thin + smeared), sign)
        return None if spot is None else (spot.x, spot.y, spot.contrast)

    def _report(self, grown: list[Track], at: float) -> tuple[Fall, ...]:
        falls = []
        for track in grown:
            if track.part_of is None and self._promising(track):
                verdict = judge(track, self._sight)
                if verdict is not None and verdict.kind is Kind.FALL:
                    fall = self._decide(track, verdict, at)
                    falls += [fall] if fall else []
        return tuple(falls)

    def _promising(self, track: Track) -> bool:
        """Leave out cheaply what cannot be a fall yet: too slow, too short."""
        if len(track.times) < 9 or track.times[-1] - track.times[0] < 0.4:
            return False
        top = min(track.ys)
        down, taken = track.ys[-1] - top, track.times[-1] - track.times[track.ys.index(top)]
        if down <= 0 or track.down * taken <= _FASTER * down:
            return False
        metre = self._sight.metre(track.xs[-1], track.ys[-1])
        return down > (4.0 * SIZE if metre is None else 3.0 / metre)

    def _finish(self, ended: list[Track]) -> tuple[Fall | Landed, ...]:
        """Name the tracks that are over; the last points may have made one certain."""
        out: list[Fall | Landed] = []
        for track in ended:
            if track.part_of is None:
                verdict = judge(track, self._sight)
                if verdict is None:
                    continue
                if verdict.kind is Kind.FALL:
                    fall = self._decide(track, verdict, max(self._last, track.times[-1]))
                    out += [fall] if fall else []
                elif self._fall_of(track) is not None:
                    self._kinds[Kind.PART] += 1
                else:
                    self._kinds[verdict.kind] += 1
                    if verdict.kind is Kind.SHORT:
                        self._is_drip(track, verdict)
            out += self._land(track)
        self._open = [one for one in self._open if self._last - one.fall.decided < 30.0]
        return tuple(out)

    def _land(self, track: Track) -> list[Landed]:
        for one in self._open:
            if one.track is track and not one.landed:
                one.landed = True
                return [Landed(one.fall.number, _points(track))]
        return []

    def _decide(self, track: Track, verdict: Verdict, at: float) -> Fall | None:
        """Report a fall, unless it is a part of one, a drip, or seen while the background was new."""
        flight, path = verdict.flight, verdict.path
        if flight is None or path is None or track.times[0] < self._blind:
            return None
        track.part_of = self._fall_of(track)
        if track.part_of is not None:
            self._kinds[Kind.PART] += 1
            return None
        self._number += 1
        track.part_of = self._number
        if self._is_drip(track, verdict):
            self._kinds[Kind.DRIP] += 1
            return None
        self._kinds[Kind.FALL] += 1
        floor = None
        if self.facade is not None and not (track.ys[0] < EDGE and flight.velocity(track.times[0]) > 2.0):
            floor = floor_of(flight, self.facade)
        fall = Fall(
            self._number,
            flight.released,
            at,
            _points(track),
            Severity.NOTICE if self.facade is None else Severity.ALARM,
            verdict.confidence,
            floor,
            round(verdict.drop, 2),
        )
        self._open.append(_Open(fall, track, track.xs[0], verdict.slant / path.metre, min(track.ys), path.metre))
        return fall

    def _is_drip(self, track: Track, verdict: Verdict) -> bool:
        if verdict.path is None or verdict.flight is None:
            return False
        side = float(np.median(track.sides[: max(1, len(track.sides) // 2)]))  # later it is a streak
        start = Point(track.times[0], track.xs[0], track.ys[0], side)
        return self.drips.is_drip(start, verdict.slant, verdict.path.metre, self._last, verdict.flight.drag)

    def _fall_of(self, track: Track) -> int | None:
        """Return the reported fall that this track is a part of."""
        for one in self._open:
            begins, metre = track.times[0], one.metre
            if not one.fall.released - 1.0 <= begins <= max(one.fall.decided, one.track.times[-1]) + _AFTER:
                continue
            x = one.x + one.slant * max(0.0, begins - one.track.times[0])
            top = one.top - _ABOVE / metre
            if begins > one.fall.released + _TOGETHER:  # what is let go later begins far above the first
                now = min(len(one.track.ys), bisect_right(one.track.times, begins)) - 1
                top = one.track.ys[max(0, now)] - _BEHIND / metre
            if abs(track.xs[0] - x) < _BESIDE / metre and track.ys[0] > top:
                return one.fall.number
        return None


def _points(track: Track) -> tuple[Point, ...]:
    return tuple(
        Point(round(at, 6), round(x, 2), round(y, 2), side)
        for at, x, y, side in zip(track.times, track.xs, track.ys, track.sides, strict=True)
    )


def _checked(frame: Luma, at: float) -> Luma:
    """Return the frame cut to whole blocks."""
    if frame.ndim != 2 or frame.dtype != np.uint8 or min(frame.shape) < _SMALLEST or max(frame.shape) > _BIGGEST:
        raise DecodeError("not a picture of 8 bit luma between 64 and 8192 pixels")
    if not math.isfinite(at):
        raise DecodeError("a frame without a time")
    height, width = frame.shape
    return frame[: height - height % SIZE, : width - width % SIZE]
