"""What every detector gives, whatever its model calls things."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from hub.vision.detect.kind import Kind as Kind
from hub.vision.frame import Frame


class Detection(msgspec.Struct, frozen=True):
    """One thing; ``score`` 0 to 1, ``box`` is left, top, right, bottom in parts of the picture, 0 to 1."""

    kind: Kind
    score: float
    box: tuple[float, float, float, float]


class Detector(Protocol):
    """Finds things in pictures."""

    def detect(self, frames: Sequence[Frame]) -> list[tuple[Detection, ...]]:
        """Look at BGR frames; one answer for each, in their order. Raises DetectorError."""
        ...
