"""How much of a lift car's floor is covered, against the empty car: needs no model, and knows no names."""

from __future__ import annotations

import numpy as np

from hub.vision.frame import Frame, Grey, Mask, shrink
from hub.vision.lane.place import Polygon, place
from hub.vision.lane.region import things

#: Size that pictures are looked at in.
WIDTH, HEIGHT = 160, 90
#: Difference of brightness, 0 to 255, from which a pixel is covered.
COVERS = 24.0
#: Pictures of which the empty car is learned at first.
FIRST = 5
#: Seconds in which its light is followed; share of the floor up to which the car is taken for empty.
FOLLOW, EMPTY = 120.0, 0.03


class Floor:
    """The floor of one car; the first pictures must show it empty. Times are those of the stream, in seconds."""

    def __init__(self, polygon: Polygon) -> None:
        self._inside = place(polygon, HEIGHT, WIDTH).inside
        self._first: list[Grey] = []
        self._empty: Grey | None = None
        self._at = 0.0

    def covered(self, frame: Frame) -> float | None:
        """Return the part of the floor, 0 to 1, that one thing covers; None until the empty car is known."""
        picture = shrink(frame.luma, WIDTH, HEIGHT)
        if self._empty is None:
            self._first.append(picture)
            if len(self._first) >= FIRST:
                self._empty = np.median(self._first, axis=0).astype(np.float32)
                self._at = frame.at
            return None
        # the whole car becomes brighter and darker together: most of its pixels agree by how much
        lit = np.median((self._empty + 1) / (picture + 1))
        different = np.abs(picture * np.float32(lit) - self._empty) > COVERS
        share = _largest(different & self._inside) / max(1, int(self._inside.sum()))
        if share < EMPTY:
            part = np.float32(np.clip((frame.at - self._at) / FOLLOW, 0, 1))
            self._empty += part * (picture - self._empty)
        self._at = frame.at
        return share


def _largest(mask: Mask) -> int:
    """Return the pixels of the largest piece: several people are not one bulky thing."""
    return max((int(thing.sum()) for thing in things(mask)), default=0)
