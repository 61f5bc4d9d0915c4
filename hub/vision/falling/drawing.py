"""The picture of a fall: its track drawn from the window down, on the frame of the decision. Numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hub.vision.falling.event import Point

Picture = NDArray[np.uint8]

#: From the release (yellow) to the end (red), as RGB; black around each mark, so that it shows on any wall.
_FIRST, _LAST, _EDGE = np.array([255, 220, 0.0]), np.array([255, 30, 30.0]), np.array([0, 0, 0.0])
#: Half thickness of the line and radius of the mark at the release, in pixels of a picture 720 high.
_LINE, _MARK = 1.2, 14.0
#: Points beyond this are not of any picture, in pixels.
_FAR = 1e5


def draw_track(luma: Picture, track: Sequence[Point], size: tuple[int, int] | None = None) -> Picture:
    """Return the frame as RGB with the track on it: a ring where it was let go, a line, an arrow where it was last.

    ``size`` is width and height of the frames that the track was seen in, when the picture is another one of the same
    camera (the main stream, a picture without noise). Points outside the picture are left out.
    """
    height, width = luma.shape
    across, down = (1.0, 1.0) if size is None else (width / size[0], height / size[1])
    picture = np.repeat(luma[:, :, None], 3, 2)
    places = [(point.x * across, point.y * down) for point in track if _near(point)]
    if not places:
        return picture
    thick = max(1.0, height / 720)
    for edge in (thick, 0.0):  # first everything wider in black
        _ring(picture, places[0], _MARK * thick, _LINE * thick + edge, _EDGE if edge else _FIRST)
        for number, (begin, end) in enumerate(pairwise(places)):
            part = number / max(1, len(places) - 2)
            _line(picture, begin, end, _LINE * thick + edge, _EDGE if edge else _FIRST + part * (_LAST - _FIRST))
        for wing in _arrow(places, 10.0 * thick):
            _line(picture, wing, places[-1], _LINE * thick + edge, _EDGE if edge else _LAST)
    return picture


def _near(point: Point) -> bool:
    return abs(point.x) < _FAR and abs(point.y) < _FAR  # False also for what is no number


def _arrow(places: list[tuple[float, float]], long: float) -> list[tuple[float, float]]:
    """Return the ends of the two wings at the last place."""
    (x0, y0), (x1, y1) = places[max(0, len(places) - 4)], places[-1]
    way = np.hypot(x1 - x0, y1 - y0)
    if way < 1:
        return []
    right, below = (x1 - x0) / way * long, (y1 - y0) / way * long
    return [(x1 - right + side * below / 2, y1 - below - side * right / 2) for side in (1, -1)]


def _line(
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


def _ring(
    picture: Picture, middle: tuple[float, float], radius: float, half: float, colour: NDArray[np.float64]
) -> None:
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
