"""The polygon of a fire lane on the grid of blocks: what lies in it, and how wide the lane is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from hub.vision.frame import Grey, Mask

#: What runs away from the camera is foreshortened by the sine of the camera's tilt, about 35 degrees.
FORESHORTENED = 0.6
#: Corners as (across, down) in parts of the picture, 0 to 1; the last is joined to the first.
Polygon: TypeAlias = tuple[tuple[float, float], ...]
#: Left, top, right, bottom in parts of the picture, 0 to 1.
Box: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True)
class Place:
    """``inside`` marks the blocks of the lane; ``breadth`` is how wide it is around each, in blocks."""

    inside: Mask
    breadth: Grey


def place(polygon: Polygon, rows: int, columns: int) -> Place:
    """Lay a polygon over a grid. A lane that a side of the picture cuts is as wide as what is seen of it."""
    across, down = np.meshgrid((np.arange(columns) + 0.5), (np.arange(rows) + 0.5))
    corners = np.array(polygon, dtype=np.float64) * (columns, rows)
    inside = _within(corners, across, down)
    return Place(inside, _breadth(inside))


def in_polygon(polygon: Polygon, across: Grey, down: Grey) -> Mask:
    """Return which of the points, in parts of the picture, lie in the polygon."""
    return _within(np.array(polygon, dtype=np.float64), across.astype(np.float64), down.astype(np.float64))


def _within(
    corners: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    across: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    down: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> Mask:
    """Count how often a line to the right of each point crosses the polygon: odd is inside."""
    inside = np.zeros(across.shape, dtype=np.bool_)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 != y1:
            crosses = (y0 > down) != (y1 > down)
            inside ^= crosses & (across < x0 + (down - y0) * (x1 - x0) / (y1 - y0))
    return inside


def _breadth(inside: Mask) -> Grey:
    """Measure the lane at each block along the row and down the column; across it is the shorter way."""
    along, down = inside.sum(axis=1, keepdims=True), inside.sum(axis=0, keepdims=True) / FORESHORTENED
    return np.where(inside, np.minimum(along, down), 0).astype(np.float32)
