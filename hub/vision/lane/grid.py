"""The analysed picture and the blocks it is judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hub.vision.frame import Grey, Luma, Mask

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

#: Size of the analysed picture in pixels: a car 30 m away is still 30 pixels long. Side of a block.
WIDTH, HEIGHT, BLOCK = 320, 180, 5
#: Rows and columns of blocks.
ROWS, COLUMNS = HEIGHT // BLOCK, WIDTH // BLOCK


def analysed(picture: VideoFrame) -> Luma:
    """Return a decoded picture in the analysed size, each pixel the mean of those it stands for."""
    small = picture.reformat(width=WIDTH, height=HEIGHT, format="gray", interpolation="AREA")
    return np.asarray(small.to_ndarray(), dtype=np.uint8)


def blocks(values: Grey) -> Grey:
    """Sum each block."""
    height, width = values.shape
    return columns(values.reshape(height // BLOCK, BLOCK, width).sum(axis=1))  # numpy is slow on short inner axes


def columns(rows: Grey) -> Grey:
    """Sum each ``BLOCK`` values that lie side by side."""
    total = rows[..., ::BLOCK] + rows[..., 1::BLOCK]
    for offset in range(2, BLOCK):
        total += rows[..., offset::BLOCK]
    return np.asarray(total, dtype=np.float32)


def pixels(marked: Mask) -> Mask:
    """Enlarge a mask of blocks to one of pixels."""
    return np.repeat(np.repeat(marked, BLOCK, axis=0), BLOCK, axis=1)
