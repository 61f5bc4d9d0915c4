"""The picture of a fall: its track drawn from the window down, on the frame of the decision. Numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hub.vision.falling.event import Point
from hub.vision.paint import line, ring

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
        ring(picture, places[0], _MARK * thick, _LINE * thick + edge, _EDGE if edge else _FIRST)
        for number, (begin, end) in enumerate(pairwise(places)):
            part = number / max(1, len(places) - 2)
            line(picture, begin, end, _LINE * thick + edge, _EDGE if edge else _FIRST + part * (_LAST - _FIRST))
        for wing in _arrow(places, 10.0 * thick):
            line(picture, wing, places[-1], _LINE * thick + edge, _EDGE if edge else _LAST)
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
