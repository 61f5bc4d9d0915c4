"""What the camera sees when nothing stands there: the reference, where each picture lies on it, and how it is learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hub.vision.frame import Grey, Mask
from hub.vision.lane.event import Reason
from hub.vision.lane.place import Place
from hub.vision.lane.region import widened
from hub.vision.lane.shift import Anchor, moved_back, seen
from hub.vision.lane.structure import BLOCK, FAINT, Structure, blocks, changed, structure

#: Size of the analysed picture in pixels: a car 30 m away is still 30 pixels long. Sides are multiples of BLOCK.
WIDTH, HEIGHT = 320, 180
#: A picture whose levels (5th to 95th percentile) lie closer together shows nothing.
SHOWS = 8.0
#: Share of the surroundings that must be the known ones, and blocks with structure that must be there to say so.
KNOWN, ENOUGH = 0.4, 25
#: Seconds until the reference has followed a change of the light; until it takes in what has changed and stands still.
FOLLOW, ABSORB = 30.0, 120.0
#: Pixels at the sides of a shifted picture that are not trusted.
MARGIN = 3


@dataclass(frozen=True)
class View:
    """A picture laid on the reference; ``whole`` marks the blocks that it truly shows."""

    at: float
    picture: Grey
    look: Structure
    whole: Mask


@dataclass(frozen=True)
class Settled:
    """The median of the last views; ``steady`` marks the blocks in which they agree."""

    at: float
    since: float
    picture: Grey
    look: Structure
    steady: Mask


class Scene:
    """The reference picture of one camera position, learned block by block."""

    def __init__(self, lane: Place) -> None:
        self._around = ~widened(lane.inside)
        self._grid = lane.inside.shape
        self.picture: Grey = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
        self.known: Mask = np.zeros(self._grid, dtype=np.bool_)
        self.noise = 1.0
        self._changed_for: Grey = np.zeros(self._grid, dtype=np.float32)
        self._learned: float | None = None
        self._offset = (0, 0)
        self._refresh()

    def view(self, picture: Grey, at: float) -> View | Reason:
        """Lay a picture on the reference, or say why that cannot be done."""
        low, high = np.percentile(picture[::4, ::4], (5, 95))
        if high - low < SHOWS:
            return Reason.DARK
        if not self.known.any():
            return View(at, picture, structure(picture), np.ones(self._grid, dtype=np.bool_))
        views = [self._laid(picture, at, offset) for offset in {self._offset, self._anchor.offset(picture), (0, 0)}]
        shares = [self._familiar(view) for _, view in views]
        best = int(np.argmax(shares))
        if shares[best] < KNOWN:
            return Reason.STRANGE
        self._offset, view = views[best]
        return view

    def settle(self, views: Sequence[View]) -> Settled | None:
        """Return what the last three views have in common; None while there are fewer."""
        if len(views) < 3:
            return None
        first, second, last = views
        difference = np.abs(last.picture[::3, ::3] - second.picture[::3, ::3])
        self.noise += 0.2 * (min(20.0, float(np.median(difference)) / 0.6745 / 2**0.5) - self.noise)
        low, high = np.minimum(first.picture, second.picture), np.maximum(first.picture, second.picture)
        picture = np.maximum(low, np.minimum(high, last.picture))
        moving = changed(last.look, first.look, self.noise) | changed(last.look, second.look, self.noise)
        steady = ~moving & first.whole & second.whole & last.whole
        return Settled(last.at, first.at, picture, structure(picture), steady)

    def differs(self, look: Structure) -> Mask:
        """Return the blocks that are known to look different when nothing stands there."""
        return changed(look, self.look, self.noise) & self.known

    def learn(self, settled: Settled, free: Mask) -> None:
        """Follow the light where nothing has changed, take in what is new and stays; ``free`` blocks only."""
        passed = 0.0 if self._learned is None else settled.at - self._learned
        self._learned = settled.at
        new = settled.steady & free & ~self.known
        differs = self.differs(settled.look)
        steady = settled.steady & free
        self._changed_for[steady & differs] += passed
        self._changed_for[steady & ~differs | ~free] = 0
        self.adopt(settled, new | (self._changed_for >= ABSORB))
        part = np.float32(min(1.0, passed / FOLLOW))
        weight = pixels(steady & ~differs & self.known) * part
        self.picture += weight * (settled.picture - self.picture)
        self._refresh()

    def adopt(self, settled: Settled, where: Mask) -> None:
        """Take these blocks for what is seen when nothing stands there."""
        np.copyto(self.picture, settled.picture, where=pixels(where))
        self.known = self.known | where
        self._changed_for[where] = 0
        self._refresh()

    def forget(self) -> None:
        """Begin anew: the surroundings are others."""
        self.known = np.zeros_like(self.known)
        self._offset = (0, 0)

    def _laid(self, picture: Grey, at: float, offset: tuple[int, int]) -> tuple[tuple[int, int], View]:
        back = moved_back(picture, offset)
        shown = seen((HEIGHT, WIDTH), offset, MARGIN if any(offset) else 0)
        whole = blocks(shown.astype(np.float32)) == BLOCK * BLOCK
        return offset, View(at, back, structure(back), whole)

    def _familiar(self, view: View) -> float:
        """Return the share of the surroundings that look as they do in the reference."""
        textured = self.known & view.whole & (self.look.energy > 3 * (FAINT + 60 * self.noise**2))
        where = textured & self._around
        if where.sum() < ENOUGH:
            where = textured
        return 1.0 - float(changed(view.look, self.look, self.noise)[where].mean()) if where.sum() >= ENOUGH else 1.0

    def _refresh(self) -> None:
        self.look = structure(self.picture)
        self._anchor = Anchor(self.picture)


def pixels(marked: Mask) -> Mask:
    """Enlarge a mask of blocks to one of pixels."""
    return np.repeat(np.repeat(marked, BLOCK, axis=0), BLOCK, axis=1)
