"""Lines and rings on a picture, in numpy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def line(
    picture: Picture, begin: tuple[float, float], end: tuple[float, float], half: float, colour: NDArray[np.float64]
) -> None:
    """Paint the pixels within ``half`` of a straight piece."""
    window = _window(picture, (begin, end), half)
    if window is None:
        return
    rows, columns = np.mgrid[window]
    right, below = end[0] - begin[0], end[1] - begin[1]
    long = right * right + below * below
    part = ((columns - begin[0]) * right + (rows - begin[1]) * below) / max(long, 1e-9)
    part = np.clip(part, 0, 1)
    near = np.hypot(columns - begin[0] - part * right, rows - begin[1] - part * below) <= half
    picture[window][near] = colour


def ring(
    picture: Picture, middle: tuple[float, float], radius: float, half: float, colour: NDArray[np.float64]
) -> None:
    """Paint a ring of this radius, ``half`` its thickness, in pixels."""
    window = _window(picture, (middle,), radius + half)
    if window is None:
        return
    rows, columns = np.mgrid[window]
    picture[window][np.abs(np.hypot(columns - middle[0], rows - middle[1]) - radius) <= half] = colour


def _window(picture: Picture, places: Sequence[tuple[float, float]], margin: float) -> tuple[slice, slice] | None:
    """Return the part of the picture around some places, or None when it lies outside."""
    (left, top), (right, bottom) = np.min(places, 0) - margin, np.max(places, 0) + margin
    height, width = picture.shape[:2]
    rows = slice(max(0, int(top)), min(height, int(bottom) + 2))
    columns = slice(max(0, int(left)), min(width, int(right) + 2))
    return (rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None
