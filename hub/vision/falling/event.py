"""The words of this part: a fall, its track and floor, and why other things that moved were not one."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What a track was taken for."""

    FALL = "fall"
    PART = "part"
    """Belongs to a fall that has been reported: a fragment, debris, what jumps up from the ground."""
    SHORT = "short"
    """Fell, but not two floors deep."""
    BIRD = "bird"
    LIGHT_THING = "light_thing"
    """Leaf, bag or cloth: the air carries it."""
    RAIN = "rain"
    DRIP = "drip"
    SWAYING = "swaying"
    """Tree, curtain or washing."""
    INSECT = "insect"
    STANDING = "standing"
    """Appeared and stayed where it was: a light, a window that was opened."""
    UNCLEAR = "unclear"


class Severity(StrEnum):
    """How far a fall may be relied on."""

    ALARM = "alarm"
    NOTICE = "notice"
    """The camera is not calibrated: no metres, so no physical test worth the name."""


class Point(msgspec.Struct, frozen=True):
    """Where it was: seconds of the stream, pixels of the frame."""

    at: float
    x: float
    y: float
    side: float
    """Longer side of its box, in pixels."""


class Floor(msgspec.Struct, frozen=True):
    """Where it came from. The ground floor is 1."""

    number: int
    low: int
    high: int
    """Lowest and highest floor of at least 5 % each."""
    probability: float
    """Of ``number``, 0 to 1."""


class Fall(msgspec.Struct, frozen=True):
    """One thing fell. Given once, as soon as it is certain; ``Landed`` with the same number follows."""

    number: int
    released: float
    """Seconds of the stream."""
    decided: float
    """Stream time of the frame that made it certain."""
    track: tuple[Point, ...]
    """Up to the frame of the decision."""
    severity: Severity
    confidence: float
    """0 to 1."""
    floor: Floor | None
    """None without a calibration, or when it came from above the picture."""
    drop: float
    """Metres fallen until the decision (without calibration: by the time that it took)."""


class Landed(msgspec.Struct, frozen=True):
    """The whole track of a fall, when it is over."""

    number: int
    track: tuple[Point, ...]


class Counts(msgspec.Struct, frozen=True):
    """What a detector has seen since it began."""

    frames: int
    late: int
    """Frames with a stream time not after the last one's; not used."""
    doubled: int
    """Frames that show the last picture once more; not used."""
    gaps: int
    """Jumps of the stream time at which all tracks were ended."""
    crowded: int
    """Frames in which too much moved to tell anything."""
    capped: int
    """Candidates left out because there were too many."""
    exposures: int
    """Steps of the exposure."""
    streaks: int
    """Candidates left out as streaks of rain."""
    large: int
    """Candidates left out as too large."""
    tracks: dict[Kind, int]
    """Ended tracks by what they were taken for; those too short to judge are left out."""
