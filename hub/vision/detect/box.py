"""What every detector gives, whatever its model calls things."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from hub.vision.frame import Frame


class Kind(StrEnum):
    """What a zone can be asked about; a model's own labels are mapped to these by its card."""

    VEHICLE = "vehicle"
    PERSON = "person"
    BICYCLE = "bicycle"
    """Motorcycles and e-bikes, too, where a model does not tell them apart."""
    EBIKE = "ebike"
    WHEELCHAIR = "wheelchair"
    PRAM = "pram"
    PLATE = "plate"
    OTHER = "other"


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
