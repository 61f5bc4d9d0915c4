"""Lays a facade's picture on the last accepted one and marks what differs, whatever the light.

Shift by phase correlation, rotation by trying: a mast in the wind turns a camera by a degree or two. What differs is
judged by its edges (hub.vision.lane.structure), in both directions: a new pot on a sill, and a bracket that is gone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hub.vision.falling.components import components
from hub.vision.frame import Grey, Mask, shrink
from hub.vision.lane.grid import BLOCK
from hub.vision.lane.grid import HEIGHT as LOW
from hub.vision.lane.grid import WIDTH as NARROW
from hub.vision.lane.light import only_light
from hub.vision.lane.place import Box
from hub.vision.lane.shift import Anchor, moved_back, seen
from hub.vision.lane.structure import changed, structure, unexplained

Places = npt.NDArray[np.intp]

#: Size of the compared pictures in pixels: a pot of 20 cm on a facade of 30 m is 6 pixels wide.
WIDTH, HEIGHT = 960, 540
#: Largest turn of the camera in degrees, and the steps in which it is looked for, coarse and fine.
FARTHEST, STEP, FINE = 2.4, 0.4, 0.1
#: Share of the structure that must be the known one; below it the picture shows something else.
KNOWN = 0.5
#: Least blocks of a candidate; longest side as part of the picture's (an awning is no candidate, nor is a shadow).
LEAST, LONGEST = 3, 0.25
#: Blocks around what differs that are looked at with it.
AROUND = 2
#: Pixels at the sides that are not judged once the picture was moved.
MARGIN = 12


@dataclass(frozen=True)
class Compared:
    """``laid`` is the picture laid on the reference; ``boxes`` mark what differs, in parts of the reference,
    the largest first."""

    laid: Grey
    turned: float
    """Degrees."""
    moved: tuple[int, int]
    """Pixels down and right."""
    boxes: tuple[Box, ...]


def compare(picture: Grey, reference: Grey) -> Compared | None:
    """Compare two pictures of ``WIDTH`` × ``HEIGHT``; None where the picture does not show the reference's place."""
    turn = _turn(shrink_grey(picture), shrink_grey(reference))
    upright = turned(picture, turn)
    moved = Anchor(reference).offset(upright)
    laid = moved_back(upright, moved)
    whole = _blocks(seen((HEIGHT, WIDTH), moved, MARGIN + round(abs(turn) * 10)))
    now, before = structure(laid), structure(reference)
    textured = whole & (before.energy > np.median(before.energy))
    rest, most = unexplained(now, before)
    if rest[textured].sum() > (1 - KNOWN) * most[textured].sum():
        return None
    unrest = float(np.median(rest[whole]))
    differs = (changed(now, before, unrest) | changed(before, now, unrest)) & whole
    return Compared(laid, turn, moved, _boxes(differs, laid, reference))


def shrink_grey(picture: Grey) -> Grey:
    """Return a picture in the size in which turns are looked for."""
    return shrink(picture.astype(np.uint8), NARROW, LOW)


def turned(picture: Grey, degrees: float) -> Grey:
    """Return the picture turned around its middle, between pixels by the four around them; the edge is repeated."""
    if not degrees:
        return picture
    height, width = picture.shape
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    down, across = np.arange(height)[:, None] - height / 2, np.arange(width)[None] - width / 2
    y = np.clip(cosine * down - sine * across + height / 2, 0, height - 1.001).astype(np.float32)
    x = np.clip(sine * down + cosine * across + width / 2, 0, width - 1.001).astype(np.float32)
    top, left = y.astype(np.intp), x.astype(np.intp)
    below, beside = y - top, x - left
    upper = picture[top, left] * (1 - beside) + picture[top, left + 1] * beside
    lower = picture[top + 1, left] * (1 - beside) + picture[top + 1, left + 1] * beside
    return np.asarray(upper * (1 - below) + lower * below, dtype=np.float32)


def _turn(picture: Grey, reference: Grey) -> float:
    """Return by how many degrees the picture must be turned to lie on the reference."""
    anchor, before = Anchor(reference), structure(reference)

    def strange(degrees: float) -> float:
        upright = turned(picture, degrees)
        rest, most = unexplained(structure(moved_back(upright, anchor.offset(upright))), before)
        return float(rest.sum() / max(1.0, float(most.sum())))

    coarse = min(np.arange(-FARTHEST, FARTHEST + FINE, STEP), key=strange)
    return float(min((coarse + FINE * step for step in range(-3, 4)), key=strange))


def _boxes(differs: Mask, now: Grey, before: Grey) -> tuple[Box, ...]:
    rows, columns = np.nonzero(differs)
    if not len(rows):
        return ()
    label = components(rows * (differs.shape[1] + 4) + columns, differs.shape[1] + 4)
    found: list[tuple[int, Box]] = []
    for number in np.flatnonzero(np.bincount(label) >= LEAST):
        of = label == number
        top, bottom = int(rows[of].min()), int(rows[of].max()) + 1
        left, right = int(columns[of].min()), int(columns[of].max()) + 1
        if (bottom - top) * BLOCK > LONGEST * HEIGHT or (right - left) * BLOCK > LONGEST * WIDTH:
            continue
        if _is_light(rows[of], columns[of], now, before):
            continue
        box = (left * BLOCK / WIDTH, top * BLOCK / HEIGHT, right * BLOCK / WIDTH, bottom * BLOCK / HEIGHT)
        found.append((int(of.sum()), box))
    return tuple(box for _, box in sorted(found, reverse=True))


def _is_light(rows: Places, columns: Places, now: Grey, before: Grey) -> bool:
    """Ask whether these blocks differ by light only, with no more of the pictures than is around them."""
    top, left = max(0, int(rows.min()) - AROUND), max(0, int(columns.min()) - AROUND)
    bottom = min(HEIGHT // BLOCK, int(rows.max()) + 1 + AROUND)
    right = min(WIDTH // BLOCK, int(columns.max()) + 1 + AROUND)
    thing = np.zeros((bottom - top, right - left), dtype=np.bool_)
    thing[rows - top, columns - left] = True
    part = slice(top * BLOCK, bottom * BLOCK), slice(left * BLOCK, right * BLOCK)
    return only_light(thing, now[part], before[part])


def _blocks(whole: Mask) -> Mask:
    height, width = whole.shape
    return np.asarray(whole.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK).all(axis=(1, 3)))
