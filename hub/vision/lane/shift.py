"""How far a picture has moved against another: phase correlation (Kuglin and Hines, 1975)."""

from __future__ import annotations

import numpy as np

from hub.vision.frame import Grey, Mask

#: A wind shakes a camera by less than this part of the picture; what moved farther has been turned.
FARTHEST = 0.08


class Anchor:
    """A picture that others are laid upon."""

    def __init__(self, picture: Grey) -> None:
        height, width = picture.shape
        self._window = np.outer(np.hanning(height), np.hanning(width)).astype(np.float32)
        self._spectrum = np.conj(self._transform(picture))
        self._reach = (max(1, round(height * FARTHEST)), max(1, round(width * FARTHEST)))

    def offset(self, picture: Grey) -> tuple[int, int]:
        """Return how many pixels down and right ``picture`` lies from the anchor; it may be a wrong guess."""
        cross = self._transform(picture) * self._spectrum
        surface = np.fft.irfft2(cross / (np.abs(cross) + np.float32(1e-3)), s=picture.shape)
        down, across = self._reach
        near = np.roll(surface, (down, across), (0, 1))[: 2 * down + 1, : 2 * across + 1]
        row, column = np.unravel_index(int(np.argmax(near)), near.shape)
        return int(row) - down, int(column) - across

    def _transform(self, picture: Grey) -> np.ndarray[tuple[int, ...], np.dtype[np.complexfloating]]:
        return np.fft.rfft2((picture - picture.mean()) * self._window)


def moved_back(picture: Grey, offset: tuple[int, int]) -> Grey:
    """Return the picture as it would be without the offset; the edge that came from outside is repeated."""
    down, across = offset
    if not (down or across):
        return picture
    padded = np.pad(picture, ((max(0, -down), max(0, down)), (max(0, -across), max(0, across))), mode="edge")
    top, left = max(0, down), max(0, across)
    return padded[top : top + picture.shape[0], left : left + picture.shape[1]]


def seen(shape: tuple[int, int], offset: tuple[int, int], margin: int) -> Mask:
    """Return which pixels of ``moved_back`` were truly in the picture, ``margin`` pixels inside."""
    down, across = offset
    inside = np.zeros(shape, dtype=np.bool_)
    height, width = shape
    inside[
        max(0, -down) + margin : height - max(0, down) - margin,
        max(0, -across) + margin : width - max(0, across) - margin,
    ] = True
    return inside
