"""One record of something that passed a camera, as it leaves the worker."""

from __future__ import annotations

import msgspec

from hub.vision.detect.kind import Kind
from hub.vision.sighting.palette import Colour


class Sighting(msgspec.Struct, frozen=True):
    """One thing that passed. Times in seconds since 1970; ``box`` is that of the picture it was seen best in."""

    began: float
    ended: float
    kind: Kind
    """``other`` where no model has named it."""
    box: tuple[float, float, float, float]
    """Left, top, right, bottom in parts of the picture, 0 to 1."""
    upper: Colour
    """The colour of its upper half (a jacket, a roof), and of its lower one (trousers, a body)."""
    lower: Colour
    jpeg: bytes
