"""Was it a fall? Each test names what the track is taken for when it fails."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hub.vision.falling.calibration import Facade
from hub.vision.falling.event import Floor, Kind
from hub.vision.falling.linking import Track
from hub.vision.falling.physics import GRAVITY, Flight, acceleration, fly
from hub.vision.falling.sight import Path, Sight

#: Metres of a fall that is reported. More than two floors of 2.8 m, less the way of the last frame before the ground
#: (0.3 m at 25 fps): the last picture of a fall of 6 m shows it at 5.6 m or more.
DROP = 5.3
#: Metres of it that must have been seen, and points.
_SEEN, _POINTS = 3.5, 12
#: A track shorter than this (points, seconds) is not worth a name.
_NAMED_POINTS, _NAMED_TIME = 6, 0.2
#: Metres (or pixels) within which a thing stays in its place.
_IN_PLACE, _IN_PLACE_PIXELS = 1.0, 12.0
#: Standard deviation in pixels of what stands still.
_STILL = 1.5
#: Acceleration in m/s² of a fall's first 1.3 s, drag included; outside it is carried by wings or by the air.
_SLOW, _FAST, _FIRST = 4.5, 13.0, 1.3
#: The same without the first part of the time; a little less there is the drag.
_LATER, _LATER_PULL = 0.25, 1.2
#: Speed in m/s after 3.5 m: 8.3 in vacuum, 6.5 at a terminal speed of 8 m/s. Leaves and cloth reach 1 to 4.
_LIGHT = 5.0
#: Speed sideways in m/s that a person gives to a thing; birds fly at 8 to 15.
_SIDEWAYS = 7.0
#: A thing that has moved like this before it began to fall (seconds, metres) was flying: a throw upwards is shorter.
_FLEW, _FLEW_FAR = 0.6, 2.5
#: Gravity of the fit in m/s² must be within this of the real one: the map's error and the way before the wall.
_NOT_GRAVITY = 2.2
#: Confidence below which nothing is reported.
_DOUBT = 0.5
#: ``k`` of the drag in 1/m: a terminal speed of 7 m/s.
_DRAG = 0.2
#: Speed in m/s at the first point: what starts in the middle of the air did not leave a window.
_BEGINS = 6.0
#: Residual in deviations of the noise, and its floor in metres.
_ROUGH, _ROUGH_LEAST = 2.5, 0.12
#: Part of the frames in which a fall is seen.
_SHARE = 0.6
#: Pixels from the upper edge within which a track comes from above the picture.
EDGE = 24.0
#: Height in metres above a floor's slab at which things leave a home: from the sill to a raised hand.
_SILL, _HAND = 0.6, 2.0
#: What is always unknown about a release, in metres: whose centre was seen, how far before the wall.
_UNKNOWN = 0.35
#: Floors below this probability are not named.
_UNLIKELY = 0.05


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a track is taken for; the rest is for falls and short falls."""

    kind: Kind
    path: Path | None = None
    flight: Flight | None = None
    confidence: float = 0.0
    drop: float = 0.0
    """Metres."""
    slant: float = 0.0
    """Metres a second to the right."""


def judge(track: Track, sight: Sight) -> Verdict | None:
    """Judge a track as far as it is known; None while it is too short for a name."""
    if len(track.times) < _NAMED_POINTS or track.times[-1] - track.times[0] < _NAMED_TIME:
        return None
    if max(max(places) - min(places) for places in (track.xs, track.ys)) < _IN_PLACE_PIXELS:
        still = max(_deviation(track.xs), _deviation(track.ys)) < _STILL
        return Verdict(Kind.STANDING if still else Kind.SWAYING)
    path = sight.path(track)
    if path is None:
        return Verdict(_without_metres(track))
    onset = _onset(path)
    seen = float(path.heights[onset] - path.heights[-1])
    across = float(np.ptp(path.sideways))
    if max(seen, across) < _IN_PLACE:
        return Verdict(Kind.SWAYING)
    if seen < _IN_PLACE or (seen < _SEEN and across > 2 * seen):
        return Verdict(Kind.BIRD)
    return _fall(track, path, onset, seen)


def _fall(track: Track, path: Path, onset: int, seen: float) -> Verdict:
    """Judge what went down by a metre or more."""
    times, heights = path.times[onset:], path.heights[onset:]
    if len(times) < 4:
        return Verdict(Kind.UNCLEAR)
    early = times <= times[0] + _FIRST
    pull, speed, _ = acceleration(times[early], heights[early])
    pull, speed = -pull, -speed
    later = early & (times > times[0] + _LATER * (min(times[-1], times[0] + _FIRST) - times[0]))
    if later.sum() >= _POINTS / 2:  # a steady drop that a stray point precedes becomes faster only at the beginning
        pull = min(pull, -acceleration(times[later], heights[later])[0] * _LATER_PULL)
    since = path.times[onset:] - times.mean()
    slant = float((since * path.sideways[onset:]).sum() / (since * since).sum())
    if abs(slant) > _SIDEWAYS:
        return Verdict(Kind.BIRD)
    if pull < _SLOW and seen >= _IN_PLACE:
        return Verdict(Kind.RAIN if speed > _LIGHT else Kind.LIGHT_THING)
    flight = fly(path.times[max(0, onset - 3) :], path.heights[max(0, onset - 3) :], path.noise)
    drop = flight.height - float(heights[-1])
    rough = max(_ROUGH_LEAST, _ROUGH * path.noise)
    across = path.sideways[onset:] - path.sideways[onset:].mean() - slant * since
    if flight.rms > rough or float(np.sqrt(np.mean(across**2))) > 2 * rough or pull > _FAST:
        return Verdict(Kind.INSECT)
    if abs(flight.gravity - GRAVITY) > _NOT_GRAVITY or _flew(path, onset):
        return Verdict(Kind.BIRD)
    if flight.drag > _DRAG or (seen >= _SEEN and speed < _LIGHT):
        return Verdict(Kind.LIGHT_THING)
    begins = flight.velocity(float(path.times[0]))
    if begins > _BEGINS and track.ys[0] > EDGE:
        return Verdict(Kind.UNCLEAR)
    share = (len(track.times) - 1) / max(1, len(track.times) - 1 + track.missed)
    confidence = _confidence(flight, rough, share, begins)
    if confidence < _DOUBT:
        return Verdict(Kind.UNCLEAR)
    enough = drop >= DROP and seen >= _SEEN and len(times) >= _POINTS and share >= _SHARE
    return Verdict(Kind.FALL if enough else Kind.SHORT, path, flight, confidence, drop, slant)


def _confidence(flight: Flight, rough: float, share: float, begins: float) -> float:
    """Return 0 to 1: how near gravity, fit, completeness and beginning are to those of an ideal fall."""
    heavy = math.exp(-(((flight.gravity - GRAVITY) / 2) ** 2) / 2)
    close = 1 - 0.5 * min(1.0, flight.rms / rough) ** 2
    begun = 1 - 0.3 * min(1.0, begins / _BEGINS)
    return round(heavy * close * begun * (0.5 + 0.5 * min(1.0, share)), 3)


def _flew(path: Path, onset: int) -> bool:
    """Say whether it was on its way before it began to fall."""
    before = float(path.times[onset] - path.times[0])
    across, along = np.diff(path.sideways[: onset + 1]), np.diff(path.heights[: onset + 1])
    return before > _FLEW and float(np.hypot(across.sum(), np.abs(along.sum()))) > _FLEW_FAR


def _onset(path: Path) -> int:
    """Return the last point near the highest one: before it the thing was held, thrown up or stood on the sill."""
    highest = float(path.heights.max())
    return int(np.flatnonzero(path.heights > highest - max(0.15, 1.5 * path.noise))[-1])


def _without_metres(track: Track) -> Kind:
    """Name a track that nothing measures: it does not become faster downwards."""
    right, down = float(np.ptp(track.xs)), track.ys[-1] - track.ys[0]
    if right > abs(down) or down < 0:
        return Kind.BIRD
    return Kind.LIGHT_THING


def floor_of(flight: Flight, facade: Facade) -> Floor:
    """Return the floor from which it came, by the height of its release and where people let things go."""
    spread = math.hypot(math.hypot(flight.spread, facade.error), _UNKNOWN)
    middle = math.floor(flight.height / facade.storey) + 1
    weights = {}
    for number in range(middle - 3, middle + 4):
        above = flight.height - (number - 1) * facade.storey
        weights[number] = _below((_HAND - above) / spread) - _below((_SILL - above) / spread) + 1e-12
    total = sum(weights.values())
    best = max(weights, key=weights.__getitem__)
    likely = [number for number, weight in weights.items() if weight / total >= _UNLIKELY]
    return Floor(best, min(likely), max(likely), round(weights[best] / total, 3))


def _deviation(values: list[float]) -> float:
    """Return the standard deviation; that of numpy takes ten times as long for the few points of most tracks."""
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def _below(deviations: float) -> float:
    return (1 + math.erf(deviations / math.sqrt(2))) / 2
