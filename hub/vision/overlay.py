"""The picture a person is shown: lanes, boxes and the time burnt in; number plates hidden where everybody may look."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from hub.vision.lane.place import Box, Polygon
from hub.vision.paint import Picture, line

#: Colours as RGB: of a lane, of what stands in it, and the black around each line.
_LANE, _BOX, _EDGE = np.array([255, 200, 0.0]), np.array([255, 40, 40.0]), np.array([0, 0, 0.0])
#: Part of a vehicle's box, from below, in which its number plate is; squares across it that are left.
PLATE, SQUARES = 0.5, 6
#: Letters of 5 × 7 dots, each row as bits, the left dot highest.
_DOTS = {
    "0": (14, 17, 19, 21, 25, 17, 14),
    "1": (4, 12, 4, 4, 4, 4, 14),
    "2": (14, 17, 1, 2, 4, 8, 31),
    "3": (31, 2, 4, 2, 1, 17, 14),
    "4": (2, 6, 10, 18, 31, 2, 2),
    "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14),
    "7": (31, 1, 2, 4, 8, 8, 8),
    "8": (14, 17, 17, 14, 17, 17, 14),
    "9": (14, 17, 17, 15, 1, 2, 12),
    "-": (0, 0, 0, 31, 0, 0, 0),
    ":": (0, 4, 4, 0, 4, 4, 0),
    " ": (0, 0, 0, 0, 0, 0, 0),
}


def drawn(picture: Picture, lanes: Sequence[Polygon], boxes: Sequence[Box], time: str) -> Picture:
    """Draw into an RGB picture and return it; ``time`` holds digits, ``-``, ``:`` and spaces."""
    height, width = picture.shape[:2]
    thick = max(1.0, height / 480)
    shapes = [(lane, _LANE) for lane in lanes] + [(_corners(box), _BOX) for box in boxes]
    for edge in (thick, 0.0):  # first everything wider in black, so that it shows on any ground
        for corners, colour in shapes:
            places = [(x * (width - 1), y * (height - 1)) for x, y in corners]
            for begin, end in zip(places, (*places[1:], places[0]), strict=True):
                line(picture, begin, end, thick + edge, _EDGE if edge else colour)
    _write(picture, time, max(2, height // 180))
    return picture


def hide_plates(picture: Picture, boxes: Sequence[Box]) -> None:
    """Leave a few large squares of the lower part of each vehicle."""
    height, width = picture.shape[:2]
    for left, top, right, bottom in boxes:
        x0, x1 = max(0, int(left * width)), min(width, int(right * width) + 1)
        y0, y1 = max(0, int((bottom - PLATE * (bottom - top)) * height)), min(height, int(bottom * height) + 1)
        side = max(1, (x1 - x0) // SQUARES)
        for y in range(y0, y1, side):
            for x in range(x0, x1, side):
                square = picture[y : min(y + side, y1), x : min(x + side, x1)]
                square[:] = square.mean(axis=(0, 1))


def to_jpeg(picture: Picture, quality: tuple[int, int] = (2, 6)) -> bytes:
    """Encode an RGB picture; ``quality`` is the best and the worst it may have, 2 to 31.

    FFmpeg's encoder takes ``yuv420p`` only as "unofficial", and the range is the full one.
    """
    from av.video.codeccontext import VideoCodecContext
    from av.video.reformatter import ColorRange

    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    full = frame.reformat(format="yuv420p", dst_color_range=ColorRange.JPEG)
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)  # noqa: S101 (a video codec)
    encoder.width, encoder.height, encoder.pix_fmt = full.width, full.height, "yuv420p"
    encoder.color_range = ColorRange.JPEG
    encoder.framerate = Fraction(1)
    encoder.options = {"strict": "unofficial", "qmin": str(quality[0]), "qmax": str(quality[1])}
    return b"".join(bytes(packet) for packet in (*encoder.encode(full), *encoder.encode(None)))


def _corners(box: Box) -> Polygon:
    left, top, right, bottom = box
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _write(picture: Picture, text: str, dot: int) -> None:
    """Write white letters on black, ``dot`` pixels to a dot.

    Into the lower left corner: cameras write their own time into the upper left one, their name into the lower right.
    """
    rows = np.zeros((9, 6 * len(text) + 1), dtype=np.uint8)
    for place, letter in enumerate(text):
        for row, bits in enumerate(_DOTS[letter]):
            rows[row + 1, 6 * place + 1 : 6 * place + 6] = [255 * (bits >> (4 - column) & 1) for column in range(5)]
    large: NDArray[np.uint8] = rows.repeat(dot, 0).repeat(dot, 1)
    height, width = min(large.shape[0], picture.shape[0]), min(large.shape[1], picture.shape[1])
    picture[-height:, :width] = large[:height, :width, None]
