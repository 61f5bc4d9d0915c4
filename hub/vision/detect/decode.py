"""Reads the answers of models: from arrays of numbers to boxes.

Sources: SSD and boxes+labels: model descriptions of the Open Model Zoo (``[image, label, score, x0, y0, x1, y1]`` in
parts of the picture; ``[x0, y0, x1, y1, score]`` in pixels of the input). YOLOX: Megvii's ``demo_postprocess`` (arXiv
2107.08430). NanoDet: RangiLyu's NanoDet-Plus head (distribution of each side over 0 to reg_max strides).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from hub.model.errors import ModelError
from hub.vision.detect.box import Detection, Kind
from hub.vision.detect.card import Layout

Array = npt.NDArray[np.float32]

#: Score below which nothing is told, and overlap (intersection over union) from which two boxes are one thing.
LEAST, SAME = 0.25, 0.5
#: Most things told of one picture.
MOST = 100
_YOLOX_STRIDES, _NANODET_STRIDES = (8, 16, 32), (8, 16, 32, 64)
#: Coarsest step of a side in NanoDet's distribution.
_REG_MAX = 7


def decode(
    layout: Layout, outputs: Sequence[Array], size: tuple[int, int], labels: Mapping[int, Kind]
) -> tuple[Detection, ...]:
    """Read the answer to one picture; ``size`` is (height, width) of the input. Raises ModelError."""
    try:
        boxes, scores, classes = _READERS[layout](outputs, size)
    except (ValueError, IndexError) as error:
        raise ModelError(f"the model does not answer as {layout} ({error})") from None
    good = np.flatnonzero((scores >= LEAST) & (scores <= 1.001))  # few of many: the rest is asked of them only
    good = good[np.isfinite(boxes[good]).all(axis=1)]
    order = good[np.argsort(-scores[good], kind="stable")]
    found = zip(classes[order].tolist(), scores[order].tolist(), np.clip(boxes[order], 0, 1).tolist(), strict=True)
    known = [(labels[number], min(1.0, score), box) for number, score, box in found if number in labels][:MOST]
    return tuple(
        Detection(kind, score, (x0, y0, x1, y1)) for kind, score, (x0, y0, x1, y1) in known if x1 > x0 and y1 > y0
    )


_Read = tuple[Array, Array, npt.NDArray[np.int64]]


def _ssd(outputs: Sequence[Array], _: tuple[int, int]) -> _Read:
    rows = outputs[0].reshape(-1, 7)
    ended = np.flatnonzero(rows[:, 0] < 0)
    rows = rows[: ended[0]] if ended.size else rows
    return rows[:, 3:7], rows[:, 2], rows[:, 1].astype(np.int64)


def _boxes(outputs: Sequence[Array], size: tuple[int, int]) -> _Read:
    if sorted(output.ndim for output in outputs) != [1, 2]:
        raise ValueError("not one list of boxes and one of labels")
    classes, boxes = sorted(outputs, key=lambda output: output.ndim)
    boxes = boxes.reshape(-1, 5)
    height, width = size
    scale = np.array((width, height, width, height), dtype=np.float32)
    return boxes[:, :4] / scale, boxes[:, 4], classes.astype(np.int64)


def _yolox(outputs: Sequence[Array], size: tuple[int, int]) -> _Read:
    rows = outputs[0].reshape(outputs[0].shape[-2], -1)
    centres, strides = _cells(size, _YOLOX_STRIDES)
    if len(rows) != len(centres):
        raise ValueError(f"{len(rows)} rows for {len(centres)} cells")
    middle = (rows[:, :2] + centres) * strides
    half = np.exp(np.minimum(rows[:, 2:4], 20)) * strides / 2
    scores = rows[:, 4:5] * rows[:, 5:]
    return _best(np.concatenate((middle - half, middle + half), axis=1), scores, size)


def _nanodet(outputs: Sequence[Array], size: tuple[int, int]) -> _Read:
    rows = outputs[0].reshape(outputs[0].shape[-2], -1)
    centres, strides = _cells(size, _NANODET_STRIDES)
    if len(rows) != len(centres):
        raise ValueError(f"{len(rows)} rows for {len(centres)} cells")
    bins = _REG_MAX + 1
    sides = rows[:, -4 * bins :].reshape(-1, 4, bins)
    weights = np.exp(sides - sides.max(axis=2, keepdims=True))
    away = (weights * np.arange(bins)).sum(axis=2) / weights.sum(axis=2) * strides
    middle = centres * strides
    boxes = np.concatenate((middle - away[:, :2], middle + away[:, 2:]), axis=1)
    return _best(boxes.astype(np.float32), rows[:, : -4 * bins], size)


_READERS = {Layout.SSD: _ssd, Layout.BOXES: _boxes, Layout.YOLOX: _yolox, Layout.NANODET: _nanodet}


def _cells(size: tuple[int, int], strides: tuple[int, ...]) -> tuple[Array, Array]:
    """Return column and row of each cell of all grids, and the stride of its grid."""
    cells, steps = [], []
    for stride in strides:
        down, across = np.indices((-(-size[0] // stride), -(-size[1] // stride)), dtype=np.float32)
        cells.append(np.stack((across.ravel(), down.ravel()), axis=1))
        steps.append(np.full((across.size, 1), stride, dtype=np.float32))
    return np.concatenate(cells), np.concatenate(steps)


def _best(boxes: Array, scores: Array, size: tuple[int, int]) -> _Read:
    """Keep the best box of each thing."""
    classes, best = scores.argmax(axis=1), scores.max(axis=1)
    kept: list[int] = []
    for index in np.argsort(-best, kind="stable"):
        if best[index] < LEAST or len(kept) >= MOST:
            break
        if all(classes[index] != classes[other] or _overlap(boxes[index], boxes[other]) < SAME for other in kept):
            kept.append(int(index))
    height, width = size
    parts: Array = np.asarray(boxes[kept] / np.array((width, height, width, height)), dtype=np.float32)
    return parts, best[kept], classes[kept].astype(np.int64)


def _overlap(one: Array, other: Array) -> float:
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = float(np.prod(np.maximum(high - low, 0)))
    both = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2])) - shared
    return shared / both if both > 0 else 0.0
