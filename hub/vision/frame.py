"""One picture on its way through a camera worker: pixels, and when in the stream it was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Luma = npt.NDArray[np.uint8]
Grey = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

#: Weights of blue, green and red in luma, in 1/256 (ITU-R BT.601).
_BGR = (29, 150, 77)


@dataclass(frozen=True)
class Frame:
    """``pixels`` is luma (height, width) or BGR (height, width, 3); ``at`` is stream time in seconds."""

    pixels: npt.NDArray[np.uint8]
    at: float

    @property
    def luma(self) -> Luma:
        """The picture without colour."""
        if self.pixels.ndim == 2:
            return self.pixels
        weighed = sum(self.pixels[..., index].astype(np.uint16) * weight for index, weight in enumerate(_BGR))
        return np.asarray(weighed >> 8, dtype=np.uint8)


def levels(picture: Grey, low: float, high: float) -> tuple[float, float]:
    """Return the levels below which these parts of the picture lie, 0 to 1, from each fourth pixel down and across."""
    sample = np.sort(picture[::4, ::4], axis=None)
    return float(sample[round(low * (sample.size - 1))]), float(sample[round(high * (sample.size - 1))])


def shrink(luma: Luma, width: int, height: int) -> Grey:
    """Return the picture in this size, each pixel the mean of those it stands for; sides are stretched as needed."""
    return _resample(_resample(luma.astype(np.float32), height).T, width).T


def _resample(rows: Grey, size: int) -> Grey:
    have = rows.shape[0]
    if have == size:
        return rows
    if have % size == 0:
        return np.asarray(rows.reshape(size, have // size, -1).mean(axis=1), dtype=np.float32)
    edges = np.linspace(0, have, size + 1)
    first = np.minimum(edges[:-1].astype(np.intp), have - 1)
    if have < size:
        return np.asarray(rows[first])
    sums: Grey = np.add.reduceat(rows, first, axis=0)
    return np.asarray(sums / np.diff(np.append(first, have))[:, None], dtype=np.float32)
