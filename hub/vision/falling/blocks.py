"""Where something is going on: blocks of 8x8 pixels that hold pixels far from the background.

Looking at blocks first is what makes full frames cheap: components of a whole 720p frame cost 3.6 ms, those of its
active blocks 0.1 ms.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from hub.vision.falling.background import Flags

#: Edge of a block in pixels: eight one-byte flags make one 64-bit word.
SIZE = 8
#: Pixels in a block that make it active. One pixel in ten thousand is this far out by noise alone; two in a block are
#: rare (0.5 blocks a 720p frame), and the smallest thing to be seen (3x3 pixels) has at least three in one block.
_PIXELS = 2
#: Seconds after which a block that was never still is taken as the new background.
_STAYS = 1.0
#: Time constant and share of time of a restless block (a tree in the wind, a road, a drip).
_MEMORY, _RESTLESS = 20.0, 0.1
#: More than this share of active blocks is not a scene that can be judged: the camera moved, or somebody covers it.
CROWDED = 0.3


def count(bands: Iterable[Flags], grid: tuple[int, int]) -> NDArray[np.uint8]:
    """Return how many flags are set in each block, of a picture that comes in bands of whole blocks from the top.

    ``grid`` is its size in blocks. Eight flags are added at a time: as bytes of one word they cannot overflow into each
    other (at most eight rows), and the multiplication collects the eight bytes in the highest one.
    """
    columns, top = np.empty(grid, "<u8"), 0
    for flags in bands:
        rows = len(flags) // SIZE
        np.add.reduce(flags.view("<u8").reshape(rows, SIZE, grid[1]), axis=1, out=columns[top : top + rows])
        top += rows
    columns *= np.uint64(0x0101010101010101)
    collected: NDArray[np.uint8] = columns.view(np.uint8)[:, 7::8]
    return collected


def places(blocks: Flags) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns of the blocks that are set; numpy's ``nonzero`` of a plane takes five times as long."""
    rows, columns = np.divmod(np.flatnonzero(blocks), blocks.shape[1])
    return rows, columns


def spread(blocks: Flags) -> Flags:
    """Return the blocks and their eight neighbours."""
    wide = blocks.copy()
    wide[1:] |= blocks[:-1]
    wide[:-1] |= blocks[1:]
    tall = wide.copy()
    tall[:, 1:] |= wide[:, :-1]
    tall[:, :-1] |= wide[:, 1:]
    return tall


class Activity:
    """Which blocks are active now, since when, and how often they are."""

    def __init__(self, shape: tuple[int, int], at: float) -> None:
        grid = (shape[0] // SIZE, shape[1] // SIZE)
        self._at = at
        self._still = np.full(grid, at)
        """When an active block was still for the last time; of the others nothing."""
        self._share = np.zeros(grid, np.float32)
        self.active = np.zeros(grid, bool)
        self.edges = np.zeros(grid, bool)
        """Active blocks and those neighbours that hold any flag: a small thing lies across borders."""
        self.restless = np.zeros(grid, bool)

    def update(self, counts: NDArray[np.uint8], at: float) -> None:
        """Take the counts of one frame at stream time ``at`` in seconds."""
        before, self.active = self.active, counts >= _PIXELS
        self.edges = spread(self.active) & (counts > 0)
        self._still[self.active > before] = self._at
        part = np.float32(min(1.0, max(0.0, at - self._at) / _MEMORY))
        self._share *= 1 - part
        self._share += part * self.active
        self.restless = self._share > _RESTLESS
        self._at = at

    def crowded(self) -> bool:
        """Say whether too much moves for anything to be told apart."""
        return bool(np.count_nonzero(self.active) > CROWDED * self.active.size)

    def settled(self) -> Flags | None:
        """Return the blocks that have come to stay, once, or None."""
        stays = self.active & (self._still < self._at - _STAYS)
        if not stays.any():
            return None
        self._still[stays] = self._at
        return stays

    def restart(self) -> None:
        """Forget since when blocks are active: the background is new."""
        self._still[:] = self._at
