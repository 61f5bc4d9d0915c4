"""Whether a camera sees: black, over-exposed, frozen, blurred, covered, moved, told apart on key frames in numpy.

Compared with what this camera showed while it was well: its sharpness, and its structure block by block (the same that
fire lanes are judged by). What cannot be told from one cause is not told at all: fog is blur to a camera, too.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from hub.vision.frame import Frame, Grey, levels, shrink
from hub.vision.lane.grid import HEIGHT, WIDTH, blocks
from hub.vision.lane.scene import MOST_UNREST
from hub.vision.lane.shift import Anchor, moved_back
from hub.vision.lane.structure import FAINT, LOUD, Structure, changed, structure, unexplained, unrest


class Picture(StrEnum):
    """What is wrong with a camera's picture."""

    WELL = "well"
    BLACK = "black"
    OVEREXPOSED = "overexposed"
    FROZEN = "frozen"
    BLURRED = "blurred"
    COVERED = "covered"
    MOVED = "moved"
    UNSURE = "unsure"
    """The surroundings are others than they were, and nothing says why."""


#: Seconds between two looks; for which a fault must last; of the first pictures, that are taken for the well ones.
EVERY, LASTS, FIRST = 1.0, 10.0, 8.0
#: Mean levels below and above which nothing can be seen, if nine tenths of the picture lie so.
DARK, BRIGHT = 24.0, 245.0
#: Share of the sharpness of a well picture, and share of its structure that is left, at which a picture is blurred.
BLUR = 0.35
#: Least shift in pixels of 320 that is a turn of the camera (2 % of the width), and share of the structure it explains.
TURNED, EXPLAINED = 6, 0.5
#: Share of the textured blocks that must have lost their structure to be covered; that must still be there to be well.
COVER, WELL = 0.4, 0.5
#: Blocks with structure without which neither turn nor cover can be judged.
ENOUGH = 60
#: Seconds in which a well picture is followed.
FOLLOW = 60.0
#: Seconds after which the structure of the picture that is followed is reckoned anew.
RELOOK = 4.0
#: Seconds of following after which a picture may stand for its day, and most unrest in which it does.
SETTLED, CALM = 300.0, MOST_UNREST / 4


@dataclass(frozen=True)
class Well:
    """What others are compared with: a picture that was well, its structure, and its sharpness."""

    picture: Grey
    look: Structure
    sharp: float

    @cached_property
    def anchor(self) -> Anchor:
        """What tells how far another picture has moved."""
        return Anchor(self.picture)


class CameraHealth:
    """One camera's picture. Times are those of the stream, in seconds."""

    def __init__(self) -> None:
        self._at = -np.inf
        self._first: float | None = None
        self._followed: Grey | None = None
        self._sharp = 0.0
        self._well: Well | None = None
        self._reckoned = -np.inf
        self._last: Grey | None = None
        self._unrest = 0.0
        self._before: Structure | None = None
        self._same_since: float | None = None
        self._suspected: deque[tuple[float, Picture]] = deque()
        self.state: Picture | None = None
        """The last verdict; None until there is one."""

    def see(self, frame: Frame) -> Picture | None:
        """Look at a frame; return the verdict where it changes."""
        if not self.wants(frame.at):
            return None
        picture = shrink(frame.luma, WIDTH, HEIGHT)
        passed = frame.at - self._at
        self._at = frame.at
        suspected = self._suspect(picture, frame.at)
        self._last = picture
        if suspected is Picture.WELL:
            self._follow(picture, frame.at, passed)
        return self._decide(suspected, frame.at)

    def wants(self, at: float) -> bool:
        """Return whether a frame of this time would be looked at."""
        return at >= self._at + EVERY * 0.8

    def _decide(self, suspected: Picture, at: float) -> Picture | None:
        """Tell what has been suspected for long enough without a break; well is told at once."""
        if self._suspected and self._suspected[-1][1] is not suspected:
            self._suspected.clear()
        self._suspected.append((at, suspected))
        ripe = at - self._suspected[0][0] >= (2 * EVERY if suspected is Picture.WELL else LASTS)
        if ripe and suspected is not self.state:
            self.state = suspected
            return suspected
        return None

    def _suspect(self, picture: Grey, at: float) -> Picture:
        low, high = levels(picture, 0.1, 0.9)
        if high < DARK:
            return Picture.BLACK
        if low > BRIGHT:
            return Picture.OVEREXPOSED
        if self._is_frozen(picture, at):
            return Picture.FROZEN
        look = structure(picture)
        self._listen(look)
        return Picture.WELL if self._well is None else compared(picture, look, self._well, self._unrest)

    @property
    def calm(self) -> Grey | None:
        """The picture followed so far, where it has been followed for a while, is well and hardly moves; else None."""
        settled = self._first is not None and self._at - self._first > SETTLED
        return self._followed if settled and self.state is Picture.WELL and self._unrest < CALM else None

    def _is_frozen(self, picture: Grey, at: float) -> bool:
        """Return whether the picture has no noise any more: cameras have some, decoded repeats nearly none."""
        same = self._last is not None and float(np.abs(picture - self._last).max()) < 1.0
        self._same_since = (self._same_since or at) if same else None
        return self._same_since is not None

    def _listen(self, look: Structure) -> None:
        """Hear how restless the picture is: rain and noise are no fault."""
        if self._before is not None:
            heard = min(MOST_UNREST, unrest(unexplained(look, self._before)))
            self._unrest += (0.5 if heard > self._unrest else 0.1) * (heard - self._unrest)
        self._before = look

    def _follow(self, picture: Grey, at: float, passed: float) -> None:
        """Learn what a well picture looks like: quickly at first, then as slowly as the light changes."""
        self._first = at if self._first is None else self._first
        if self._followed is None:
            self._followed = picture
        part = np.float32(0.3 if at - self._first < FIRST else min(1.0, passed / FOLLOW))
        self._followed = self._followed + part * (picture - self._followed)
        self._sharp += float(part) * (sharpness(picture) - self._sharp)
        if at - self._first < FIRST or at >= self._reckoned + RELOOK:
            self._well, self._reckoned = Well(self._followed, structure(self._followed), self._sharp), at


def compared(picture: Grey, look: Structure, reference: Well, unrest: float) -> Picture:
    """Return what is wrong with a picture of this structure against one that was well."""
    well = reference.look
    textured = well.energy > 3 * (FAINT + LOUD * unrest)
    if textured.sum() < ENOUGH:
        return Picture.WELL
    lost = changed(look, well, unrest) & textured
    share = float(lost.sum() / textured.sum())
    if _faded(look, well, textured) > 0.8 and sharpness(picture) < BLUR * reference.sharp:
        return Picture.BLURRED
    if share < 1 - WELL:
        gone = (look.energy < 0.25 * well.energy) & lost
        return Picture.COVERED if gone.sum() > COVER * textured.sum() else Picture.WELL
    offset = reference.anchor.offset(picture)
    back = structure(moved_back(picture, offset))
    explained = 1 - float(changed(back, well, unrest)[textured].mean())
    if max(map(abs, offset)) >= TURNED and explained > EXPLAINED:
        return Picture.MOVED
    flat = (look.energy < 0.25 * well.energy)[textured].mean()
    return Picture.COVERED if flat > COVER else Picture.UNSURE


def sharpness(picture: Grey) -> float:
    """Return the energy of the finest detail as part of the picture's contrast."""
    fine = picture[1:-1, 1:-1] * 4 - picture[:-2, 1:-1] - picture[2:, 1:-1] - picture[1:-1, :-2] - picture[1:-1, 2:]
    strongest = np.sort(blocks(np.pad(np.abs(fine), 1)).ravel())[-200:]
    return float(strongest.mean() / (picture.std() + 1.0))


def _faded(look: Structure, well: Structure, textured: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    """Return the share of the textured blocks whose structure is weaker."""
    return float((look.energy < 0.7 * well.energy)[textured].mean())
