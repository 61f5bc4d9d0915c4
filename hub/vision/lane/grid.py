"""The analysed picture and the blocks it is judged by."""

from __future__ import annotations

import numpy as np

from hub.vision.frame import Grey, Mask

#: Size of the analysed picture in pixels: a car 30 m away is still 30 pixels long. Side of a block.
WIDTH, HEIGHT, BLOCK = 320, 180, 5
#: Rows and columns of blocks.
ROWS, COLUMNS = HEIGHT // BLOCK, WIDTH // BLOCK


def blocks(values: Grey) -> Grey:
    """Sum each block."""
    height, width = values.shape
    rows = values.reshape(height // BLOCK, BLOCK, width).sum(axis=1)  # whole rows: numpy is slow on short inner axes
    total = rows[:, ::BLOCK] + rows[:, 1::BLOCK]
    for offset in range(2, BLOCK):
        total += rows[:, offset::BLOCK]
    return np.asarray(total, dtype=np.float32)


def pixels(marked: Mask) -> Mask:
    """Enlarge a mask of blocks to one of pixels."""
    return np.repeat(np.repeat(marked, BLOCK, axis=0), BLOCK, axis=1)
