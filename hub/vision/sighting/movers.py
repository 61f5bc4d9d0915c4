"""What moves in a picture, with no model: where brightness or hue is not that of the empty place, as boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hub.vision.falling.components import components
from hub.vision.frame import Grey, Mask
from hub.vision.lane.place import Box

#: Least difference in levels where the picture is as bright as by day (its mean), the least of all, and how many times
#: the noise it must be. Of hue (U and V), least and noise.
LEAST, DAYLIGHT, FAINT, NOISES = 16.0, 110.0, 7.0, 5.0
HUE = 9.0
#: How many times as bright a picture may be as the empty place by the camera's exposure, or a cloud.
#: A smaller part of it makes no difference.
EXPOSURES, EVEN = (0.4, 2.5), 0.03
#: Smallest thing in pixels of 320 × 180, its shortest side, and the largest as part of the picture.
SMALLEST, THIN, LARGEST = 40, 4, 0.45
#: More of the picture than this has changed: light, not things.
LIGHT = 0.5
#: Seconds in which the empty place follows the light; in which it takes in what stands still.
FOLLOW, ABSORB = 20.0, 90.0
#: Part of the narrower one's width that both must share to be parts of one thing, and the gap in the taller's heights.
ABOVE, GAP = 0.5, 0.5
#: Most things of one picture; the largest stay.
MOST = 24


@dataclass(frozen=True)
class Mover:
    """One thing: its box in parts of the picture, and the pixels (of the analysed picture) that are not empty."""

    box: Box
    pixels: int


class Movers:
    """The empty place of one camera, and what is not it. Pictures of one size; times in seconds of the stream."""

    def __init__(self) -> None:
        self._empty: Grey | None = None
        self._hues: Grey | None = None
        self._at = 0.0
        self._noise, self._hue_noise = 0.0, 0.0
        self.differs: Mask = np.zeros((0, 0), dtype=np.bool_)
        """The pixels of the last picture that are not the empty place."""

    def see(self, picture: Grey, at: float, hues: Grey | None = None) -> tuple[Mover, ...]:
        """Look at a picture; the first one is taken for empty. ``hues`` is its U and V (2, half the size), if known."""
        if self._empty is None or self._empty.shape != picture.shape:
            self._empty, self._hues, self._at = picture.copy(), hues, at
            self.differs = np.zeros(picture.shape, dtype=np.bool_)
            return ()
        apart, self._noise = _apart(picture, self._empty, self._noise)
        darker = min(1.0, float(picture[::4, ::4].mean()) / DAYLIGHT)
        self.differs = apart > max(FAINT, LEAST * darker, NOISES * self._noise)
        in_hue = self._differs_in_hue(hues)
        if in_hue is not None:
            self.differs |= in_hue
        self._follow(picture, hues, at)
        if float(self.differs.mean()) > LIGHT:
            self._empty, self._hues = picture.copy(), hues
            return ()
        return _boxes(self.differs)

    def _differs_in_hue(self, hues: Grey | None) -> Mask | None:
        if hues is None or self._hues is None:
            return None
        apart, self._hue_noise = _apart(hues, self._hues, self._hue_noise)
        differs = (apart > max(HUE, NOISES * self._hue_noise)).any(axis=0)
        return np.asarray(differs.repeat(2, axis=0).repeat(2, axis=1))

    def _follow(self, picture: Grey, hues: Grey | None, at: float) -> None:
        assert self._empty is not None  # noqa: S101 - see() has set it
        passed, self._at = max(0.0, at - self._at), at
        quickly, slowly = (np.float32(min(1.0, passed / time)) for time in (FOLLOW, ABSORB))
        part = np.where(self.differs, slowly, quickly)
        self._empty += part * (picture - self._empty)
        if hues is not None and self._hues is not None:
            self._hues = self._hues + part[::2, ::2] * (hues - self._hues)


def _apart(now: Grey, empty: Grey, noise: float) -> tuple[Grey, float]:
    """Return how far each pixel is from the empty place but for the exposure, and the noise as it is heard now."""
    some, were = now[..., ::6, ::6], empty[..., ::6, ::6]
    factor = float(np.clip(_spread(some) / max(_spread(were), 1.0), *EXPOSURES))
    tried = [_left(some, were, one) for one in ((1.0, factor) if abs(factor - 1) > EVEN else (1.0,))]
    heard, middle, factor = min(tried)
    apart = now - np.float32(factor) * empty
    apart -= np.float32(middle)
    part = 0.1 if noise else 1.0
    return np.abs(apart, out=apart), noise + part * (min(heard, 20.0) - noise)


def _left(now: Grey, empty: Grey, factor: float) -> tuple[float, float, float]:
    """Return what is left between most pixels with the empty place so many times as bright: noise, offset, factor."""
    apart = now - np.float32(factor) * empty
    middle = _middle(apart)
    return 1.4826 * _middle(np.abs(apart - np.float32(middle))), middle, factor  # sigma of a normal distribution


def _middle(values: Grey) -> float:
    """Return the median; numpy's own takes longer than all else here together."""
    return float(np.sort(values, axis=None)[values.size // 2])


def _spread(values: Grey) -> float:
    """Return how far the ninth tenth lies above the first."""
    ordered = np.sort(values, axis=None)
    return float(ordered[values.size * 9 // 10] - ordered[values.size // 10])


def _boxes(differs: Mask) -> tuple[Mover, ...]:
    rows, columns = np.nonzero(differs)
    if len(rows) < SMALLEST:
        return ()
    height, width = differs.shape
    stride = width + 4  # so that the end of a row does not touch the beginning of the next
    label = components(rows * stride + columns, stride)
    found = []
    for number in np.flatnonzero(np.bincount(label) >= SMALLEST):
        of = label == number
        top, bottom = int(rows[of].min()), int(rows[of].max()) + 1
        left, right = int(columns[of].min()), int(columns[of].max()) + 1
        if min(bottom - top, right - left) < THIN or (bottom - top) * (right - left) > LARGEST * differs.size:
            continue
        found.append(Mover((left / width, top / height, right / width, bottom / height), int(of.sum())))
    return tuple(sorted(_joined(found), key=lambda mover: -mover.pixels)[:MOST])


def _joined(parts: list[Mover]) -> list[Mover]:
    """Join what stands above each other: a grey jacket on grey ground leaves a head and two legs of a person."""
    whole: list[Mover] = []
    for part in sorted(parts, key=lambda mover: mover.box[1]):
        over = next((one for one in whole if _is_above(one.box, part.box)), None)
        if over is None:
            whole.append(part)
            continue
        whole.remove(over)
        one, other = over.box, part.box
        box = (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))
        whole.append(Mover(box, over.pixels + part.pixels))
    return whole


def _is_above(one: Box, other: Box) -> bool:
    shared = min(one[2], other[2]) - max(one[0], other[0])
    narrow = min(one[2] - one[0], other[2] - other[0])
    tall = max(one[3] - one[1], other[3] - other[1])
    return shared > ABOVE * narrow and other[1] - one[3] <= GAP * tall
