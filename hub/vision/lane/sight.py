"""What a detector says about the blocks of a lane."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hub.vision.detect.box import Detection, Kind
from hub.vision.frame import Mask
from hub.vision.lane.grid import COLUMNS, HEIGHT, ROWS, WIDTH
from hub.vision.lane.place import Box

#: Score from which a box counts, and part of a thing that boxes must cover to name it.
SURE, COVERED = 0.4, 0.5


@dataclass(frozen=True)
class Sight:
    """``found`` is None where no detector has looked; ``offset`` is how far the picture lies from the reference."""

    found: Sequence[Detection] | None
    offset: tuple[int, int] = (0, 0)

    @property
    def blind(self) -> bool:
        """Whether no detector has looked."""
        return self.found is None

    def vehicles(self) -> Iterator[Mask]:
        """Give the blocks of each vehicle."""
        return (self._blocks(thing.box) for thing in self._sure() if thing.kind is Kind.VEHICLE)

    def shows_vehicle(self, thing: Mask) -> bool:
        """Return whether a vehicle covers most of a thing."""
        return any((mask & thing).sum() >= COVERED * thing.sum() for mask in self.vehicles())

    def shows_other(self, thing: Mask) -> bool:
        """Return whether people and bicycles cover most of a thing, and no vehicle does."""
        covered = np.zeros_like(thing)
        for other in self._sure():
            if other.kind in {Kind.PERSON, Kind.BICYCLE}:
                covered |= self._blocks(other.box)
        return bool((covered & thing).sum() >= COVERED * thing.sum()) and not self.shows_vehicle(thing)

    def _sure(self) -> Iterator[Detection]:
        return (thing for thing in self.found or () if thing.score >= SURE)

    def _blocks(self, box: Box) -> Mask:
        left, top, right, bottom = box
        down, across = self.offset[0] / HEIGHT, self.offset[1] / WIDTH
        rows = (np.arange(ROWS) + 0.5) / ROWS + down
        columns = (np.arange(COLUMNS) + 0.5) / COLUMNS + across
        return np.outer((rows >= top) & (rows <= bottom), (columns >= left) & (columns <= right))
