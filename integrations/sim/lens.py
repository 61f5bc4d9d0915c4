"""A pinhole camera on a lamp post: metres in the world become pixels in the picture.

World axes: x to the right, y along the lane away from the camera, z up; the camera stands above the origin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

Point = tuple[float, float, float]
Pixel = tuple[float, float]

#: Nothing nearer than this is drawn, in metres.
NEAR = 0.3


@dataclass(frozen=True)
class Lens:
    """Size of the picture in pixels, focal length in pixels, height in metres, tilt down in degrees."""

    width: int
    height: int
    focal: float
    above: float
    tilt: float

    def scaled(self, factor: int) -> Lens:
        """Return the same view with ``factor`` times the pixels."""
        return Lens(self.width * factor, self.height * factor, self.focal * factor, self.above, self.tilt)

    def depth(self, point: Point) -> float:
        """Return how far ``point`` is along the optical axis, in metres."""
        return self._camera(point)[2]

    def pixel(self, point: Point) -> Pixel:
        """Project one point that lies in front of the camera."""
        return self._pixel(self._camera(point))

    def polygon(self, points: Sequence[Point]) -> list[Pixel]:
        """Project a flat polygon, cut at the near plane (Sutherland-Hodgman); empty when all is behind."""
        seen = [self._camera(point) for point in points]
        kept: list[Point] = []
        for here, after in zip(seen, seen[1:] + seen[:1], strict=True):
            if here[2] >= NEAR:
                kept.append(here)
            if (here[2] >= NEAR) != (after[2] >= NEAR):
                part = (NEAR - here[2]) / (after[2] - here[2])
                kept.append((here[0] + part * (after[0] - here[0]), here[1] + part * (after[1] - here[1]), NEAR))
        return [self._pixel(point) for point in kept]

    def _camera(self, point: Point) -> Point:
        """Turn into the camera's axes: right, down, forward."""
        sine, cosine = math.sin(math.radians(self.tilt)), math.cos(math.radians(self.tilt))
        x, y, z = point
        drop = self.above - z
        return x, drop * cosine - y * sine, y * cosine + drop * sine

    def _pixel(self, seen: Point) -> Pixel:
        x, down, forward = seen
        return self.width / 2 + self.focal * x / forward, self.height / 2 + self.focal * down / forward


def lay(mask: Image.Image, corners: Sequence[Pixel], size: tuple[int, int]) -> Image.Image:
    """Stretch ``mask`` onto four corners (left top, right top, right bottom, left bottom) of a picture of ``size``."""
    width, height = mask.size
    source = ((0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height)))
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(corners, source, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    return mask.transform(size, Image.Transform.PERSPECTIVE, _solve(rows), Image.Resampling.BICUBIC)


def _solve(rows: list[list[float]]) -> list[float]:
    """Solve a small linear system given as rows of coefficients with the right side last (Gauss-Jordan)."""
    size = len(rows)
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = [value / rows[column][column] for value in rows[column]]
        for row in range(size):
            if row != column:
                factor = rows[row][column]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[column], strict=True)]
    return [row[-1] for row in rows]
