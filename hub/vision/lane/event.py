"""What a lane watch says: a vehicle stands there, it has left, or nobody can tell."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hub.vision.lane.place import Box


class Presence(StrEnum):
    """Whether something stands in the lane."""

    PRESENT = "present"
    ABSENT = "absent"
    UNSURE = "unsure"


class Reason(StrEnum):
    """Why."""

    STANDS = "stands"
    """A thing that was not there before stands still."""
    DETECTED = "detected"
    """A detector calls what stands there a vehicle."""
    EMPTY = "empty"
    """The place looks as it does when nothing stands there."""
    REPLACED = "replaced"
    """Something else stands at the place now."""
    HIDDEN = "hidden"
    """Something has been in the way for longer than a passing car."""
    DARK = "dark"
    """There is nothing to see in the picture."""
    STRANGE = "strange"
    """The surroundings are not the known ones: the camera was turned, covered, or has switched to infrared."""


class LaneEvent(msgspec.Struct, frozen=True):
    """Said once for each change. All times are stream time in seconds.

    ``stay`` numbers one vehicle's stay at one place and is kept over losses and restarts; 0 speaks of the whole lane.
    ``since`` is when it came to a stand, was seen last (absent), or could be judged last (unsure).
    """

    presence: Presence
    stay: int
    at: float
    since: float
    reason: Reason
    confidence: float = 0.0
    """0 to 1; of a stay that is present."""
    box: Box | None = None
