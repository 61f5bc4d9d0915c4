"""How far a picture has moved against another: phase correlation (Kuglin and Hines, 1975)."""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from hub.vision.frame import Grey, Mask

_Complex: TypeAlias = npt.NDArray[np.complexfloating]

#: A wind shakes a camera by less than this part of the picture; what moved farther has been turned.
FARTHEST = 0.08


class Anchor:
    """A picture that others are laid upon."""

    def __init__(self, picture: Grey) -> None:
        self._spectrum = np.conj(_spectrum(picture))

    def offset(self, picture: Grey) -> tuple[int, int]:
        """Return how many pixels down and right ``picture`` lies from the anchor; it may be a wrong guess."""
        cross = _spectrum(picture) * self._spectrum
        cross *= 1 / (np.abs(cross) + np.float32(1e-3))
        down, across = _waves(picture.shape[0], picture.shape[1])
        surface = (down @ cross @ across).real  # only what is near is transformed back
        row, column = np.unravel_index(int(np.argmax(surface)), surface.shape)
        return int(row) - surface.shape[0] // 2, int(column) - surface.shape[1] // 2


def _spectrum(picture: Grey) -> _Complex:
    flat = (picture - picture.mean()) * _window(picture.shape[0], picture.shape[1])
    return np.fft.fft(np.fft.rfft(flat, axis=1), axis=0)


@cache
def _window(height: int, width: int) -> Grey:
    return np.outer(np.hanning(height), np.hanning(width)).astype(np.float32)


@cache
def _waves(height: int, width: int) -> tuple[_Complex, _Complex]:
    """Return what transforms a spectrum back, for each whole pixel that a picture may have moved."""
    down, across = (np.arange(-reach, reach + 1) for reach in (_reach(height), _reach(width)))
    rows, columns = np.fft.fftfreq(height), np.fft.rfftfreq(width)
    twice = np.where((columns > 0) & (columns < 0.5), 2, 1)  # the other half of the spectrum mirrors this one
    back = np.exp(2j * np.pi * np.outer(down, rows)), np.exp(2j * np.pi * np.outer(columns, across)) * twice[:, None]
    return back[0].astype(np.complex64), back[1].astype(np.complex64)


def _reach(side: int) -> int:
    return max(1, round(side * FARTHEST))


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
