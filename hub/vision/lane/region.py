"""Things on the grid of blocks: what hangs together, filled, and how much of it stands in the lane."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hub.vision.falling.blocks import spread
from hub.vision.frame import Mask
from hub.vision.lane.place import Box, Place

#: Part of a thing, from its lower edge up, that is taken for what touches the ground.
FOOT = 0.5


@dataclass(frozen=True)
class Size:
    """``bulk`` is the area as part of a square as wide as the lane, ``width`` a part of the lane's width.

    ``full`` is the part of its box that a thing fills.
    """

    bulk: float
    width: float
    full: float


def things(marked: Mask) -> Iterator[Mask]:
    """Give each group of blocks that touch, holes filled, less the rim that windows add around a thing."""
    for group in _groups(closed(marked)):
        solid = eroded(filled(group))
        if solid.any():
            yield solid


def cores(thing: Mask) -> Iterator[Mask]:
    """Give what is left of a thing without its thin parts: the edge of a shade or of a beam that it stands in.

    First without what is up to two blocks wide, then up to four.
    """
    for times in (1, 2):
        inner = thing
        for _ in range(times):
            inner = _shrunk(inner)
        for group in _groups(inner):
            for _ in range(times):
                group = widened(group)
            yield group & thing


def largest(marked: Mask) -> Mask:
    """Return the largest group of blocks that touch; all of them if there are none."""
    return max(_groups(marked), key=np.count_nonzero, default=marked)


def closed(marked: Mask) -> Mask:
    """Bridge gaps of one block."""
    return eroded(widened(marked)) | marked


def widened(marked: Mask) -> Mask:
    """Add one block all around."""
    return spread(marked)


def eroded(marked: Mask) -> Mask:
    """Take one block away all around; beyond the picture a thing is thought to go on."""
    return np.asarray(~spread(~marked))


def filled(group: Mask) -> Mask:
    """Fill what lies between marked blocks both across and down."""
    return _between(group, 0) & _between(group, 1) | group


def box(thing: Mask) -> Box:
    """Return the box around a thing in parts of the picture."""
    rows, columns = np.nonzero(thing.any(axis=1))[0], np.nonzero(thing.any(axis=0))[0]
    height, width = thing.shape
    left, top = int(columns[0]) / width, int(rows[0]) / height
    return left, top, (int(columns[-1]) + 1) / width, (int(rows[-1]) + 1) / height


def overlap(one: Mask, other: Mask) -> float:
    """Return the area that two things share, as part of what they cover together."""
    return float((one & other).sum()) / max(1.0, float((one | other).sum()))


def lane_share(thing: Mask, lane: Place) -> float:
    """Return the part of a thing's foot that stands in the lane, 0 to 1."""
    foot = footprint(thing)
    return float((foot & lane.inside).sum() / foot.sum())


def footprint(thing: Mask) -> Mask:
    """Return the lower part of a thing: what is above is its height, and hides what is behind it."""
    rows = np.nonzero(thing.any(axis=1))[0]
    foot = thing.copy()
    foot[: rows[0] + int((rows[-1] + 1 - rows[0]) * (1 - FOOT))] = False
    return foot


def size(thing: Mask, lane: Place) -> Size:
    """Measure a thing by the lane at its foot."""
    breadth = lane.breadth[footprint(thing) & lane.inside]
    if not breadth.size:
        return Size(0.0, 0.0, 0.0)
    wide, high = (np.count_nonzero(thing.any(axis=axis)) for axis in (0, 1))
    unit = max(1.0, float(np.median(breadth)))
    return Size(float(thing.sum()) / unit**2, wide / unit, float(thing.sum()) / (wide * high))


def foot_breadth(thing: Mask, lane: Place) -> float:
    """Return how wide the lane is where a thing stands, in blocks: nearest to the camera, where it is widest."""
    return max(1.0, float(lane.breadth[footprint(thing) & lane.inside].max(initial=0.0)))


def _groups(marked: Mask) -> Iterator[Mask]:
    """Give each group of blocks that touch, the one with the topmost first.

    As bits of one whole number, with a column more that keeps rows apart: to grow by a block all around is six shifts.
    """
    height, width = marked.shape
    stride = width + 1
    padded = np.zeros((height, stride), dtype=np.bool_)
    padded[:, :width] = marked
    rest = int.from_bytes(np.packbits(padded, bitorder="little").tobytes(), "little")
    while rest:
        before, group = 0, rest & -rest
        while group != before:
            before = group
            wide = group | group << 1 | group >> 1
            group = (wide | wide << stride | wide >> stride) & rest
        rest ^= group
        bits = np.frombuffer(group.to_bytes(-(-padded.size // 8), "little"), dtype=np.uint8)
        found = np.unpackbits(bits, count=padded.size, bitorder="little").reshape(padded.shape)
        yield found[:, :width].astype(np.bool_)


def _shrunk(marked: Mask) -> Mask:
    """Take one block away all around, at the sides of the picture as well: what is only a rim there has no core."""
    padded = np.pad(marked, 1)
    rows = padded[:-2] & padded[1:-1] & padded[2:]
    return np.asarray(rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:])


def _between(group: Mask, axis: int) -> Mask:
    after = np.logical_or.accumulate(group, axis=axis)
    before = np.flip(np.logical_or.accumulate(np.flip(group, axis), axis=axis), axis)
    return np.asarray(after & before)
