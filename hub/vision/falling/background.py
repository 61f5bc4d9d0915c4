"""What the facade looks like when nothing moves: a sigma-delta median of luma, its noise, and what the exposure does.

Sigma-delta: the picture that is kept steps by one level towards each new frame, and so settles at the median
(Manzanera and Richefeu, "A new motion detection algorithm based on sigma-delta background estimation", 2007). In eight
bits it costs a tenth of a mixture of Gaussians (VISION.md, table C).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
Flags = NDArray[np.bool_]

#: Noise and exposure are measured on every 16th pixel of every 32nd row: 1,840 of a 720p frame.
_SAMPLE = np.s_[::32, ::16]
#: Rows that are worked on at a time: the passes over them stay in the cache of one core.
BAND = 128
#: Frames from one step of the median to the next: six levels a second at 25 fps, slower than anything that falls.
_STEP_EVERY = 4
#: Seconds from the first frame in which every frame is a step, because one noisy frame is a poor median.
_SETTLE = 2.0
#: A common shift of this many levels is the exposure, not the scene.
_SHIFT = 2.0
#: Noise is held between these, in levels: quantisation below, a picture of snow above.
_QUIET, _LOUD = 1.0, 12.0
#: How fast the measured noise is followed: a tenth of the way with each frame.
_FOLLOW = 0.1
#: Two different frames are never as alike as this share of the usual change from frame to frame: the camera (or the
#: network) doubled one. Only where frames change by a level at all: a coder may leave a calm picture as it is.
_DOUBLED, _CHANGING = 0.2, 1.0


class Background:
    """The empty facade. ``measure`` is to be called once for each frame, in the order of stream time."""

    def __init__(self, first: Luma, at: float) -> None:
        self.luma = first.copy()
        self.noise = 3.0
        """Standard deviation of frame against background, in levels."""
        self.exposures = 0
        """How often the whole picture became lighter or darker at once."""
        self._began = at
        self._frames = 0
        self._seen = first[_SAMPLE].astype(np.int16)
        self._change = 0.0
        self._flags = np.empty(first[:BAND].shape, bool)

    def is_doubled(self, frame: Luma) -> bool:
        """Say whether ``frame`` is the last one once more, under whatever time stamp."""
        change = int(np.abs(frame[_SAMPLE] - self._seen).sum()) / self._seen.size
        if self._change >= _CHANGING and change < _DOUBLED * self._change:
            return True
        self._change += _FOLLOW * (change - self._change)
        return False

    def measure(self, frame: Luma) -> None:
        """Measure the noise, after following a step of the exposure."""
        self._seen = frame[_SAMPLE].astype(np.int16)
        self._expose()

    def follow(self, frame: Luma, at: float) -> None:
        """Step towards the frame that has just been used."""
        self._frames += 1
        if self._frames % _STEP_EVERY and at - self._began > _SETTLE:
            return
        for top in range(0, len(frame), BAND):
            seen, kept = frame[top : top + BAND], self.luma[top : top + BAND]
            flags = self._flags[: len(kept)]
            step = flags.view(np.uint8)
            np.greater(seen, kept, out=flags)
            np.add(kept, step, out=kept)
            np.less(seen, kept, out=flags)
            np.subtract(kept, step, out=kept)

    def accept(self, frame: Luma, blocks: Flags, size: int) -> None:
        """Take these blocks of ``size`` pixels as they are now: what is in them has come to stay."""
        rows, columns = np.nonzero(blocks)
        squares(self.luma, size)[rows, :, columns] = squares(frame, size)[rows, :, columns]

    def restart(self, frame: Luma, at: float) -> None:
        """Begin anew from one frame."""
        np.copyto(self.luma, frame)
        self._began = at

    def _expose(self) -> None:
        """Follow a step of the exposure at once, and measure the noise."""
        kept = self.luma[_SAMPLE]
        apart = self._seen - kept
        if abs(_median(apart)) >= _SHIFT:
            sample = self._seen.astype(np.float32)
            table = _gain(kept.astype(np.float32).ravel(), sample.ravel(), 4 * self.noise)
            self.luma[:] = table[self.luma]
            self.exposures += 1
            apart = self._seen - self.luma[_SAMPLE]
        size = np.abs(apart)
        calm = size < 4 * self.noise
        count = int(np.count_nonzero(calm))
        if count > size.size // 4:
            mean = int(size.sum(where=calm)) / count
            measured = 1.2533 * mean  # mean of |x| of a normal distribution to its deviation: sqrt(pi/2)
            self.noise = min(_LOUD, max(_QUIET, self.noise + _FOLLOW * (measured - self.noise)))
        else:
            self.noise = min(_LOUD, self.noise * (1 + _FOLLOW))


def far(seen: Luma, kept: Luma, limit: int, out: Flags) -> None:
    """Flag in ``out`` each pixel more than ``limit`` levels (below 64) from what is kept.

    Three passes in eight bits, in ``out`` itself: the difference, moved up by the limit, is between 0 and twice the
    limit where it is near. Modulo 256 this errs only for differences above 255 minus the limit, of black and white.
    """
    apart = out.view(np.uint8)
    np.subtract(seen, kept, out=apart)
    np.add(apart, np.uint8(limit), out=apart)
    np.greater(apart, np.uint8(2 * limit), out=out)


def squares(picture: Luma, size: int) -> Luma:
    """Return a picture as squares of ``size`` pixels: [row of squares, row in it, column of squares, column in it]."""
    height, width = picture.shape
    return picture.reshape(height // size, size, width // size, size)


def _median(values: NDArray[np.int16]) -> float:
    """Return the median of whole numbers; that of numpy takes twenty times as long for so few."""
    high = values.size // 2
    low = (values.size - 1) // 2
    ordered = np.partition(values.ravel(), (low, high))
    return (int(ordered[low]) + int(ordered[high])) / 2


def _gain(before: NDArray[np.float32], after: NDArray[np.float32], noise: float) -> Luma:
    """Return the table old level -> new level of a straight line through the pixels that agree with it."""
    keep = np.ones(before.shape, bool)
    slope, offset = 1.0, float(np.median(after - before))
    for _ in range(3):
        x, y = before[keep], after[keep]
        if x.size < 16 or float(np.ptp(x)) < 2.0:  # nothing to tell a slope by
            break
        spread = float(((x - x.mean()) ** 2).sum())
        slope = min(3.0, max(0.33, float(((x - x.mean()) * (y - y.mean())).sum()) / spread))
        offset = float(y.mean() - slope * x.mean())
        keep = np.abs(after - slope * before - offset) < max(noise, 8.0)
    table: Luma = np.clip(np.rint(np.arange(256) * slope + offset), 0, 255).astype(np.uint8)
    return table
