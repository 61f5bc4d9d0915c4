"""What the camera sees when nothing stands there: the reference, how pictures lie on it, and how it is learned."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from hub.vision.frame import Grey, Mask
from hub.vision.lane.event import Reason
from hub.vision.lane.grid import BLOCK, HEIGHT, WIDTH, blocks, pixels
from hub.vision.lane.place import Place
from hub.vision.lane.region import widened
from hub.vision.lane.shift import Anchor, moved_back, seen
from hub.vision.lane.structure import FAINT, LOUD, Structure, changed, structure, too_much, unexplained, unrest

#: A picture whose levels (5th to 95th percentile) lie closer together shows nothing.
SHOWS = 8.0
#: Share of the surroundings that must be the known ones, and blocks with structure that must be there to say so.
KNOWN, ENOUGH = 0.4, 25
#: Share with which a picture need not be laid anew, unless the camera has moved within so many seconds: the wind shakes
#: it, and a pixel or two do not show in the share.
SURE, SHAKES = 0.85, 30.0
#: Seconds until the reference has followed a change of the light; until it takes in what has changed and stands still.
FOLLOW, ABSORB = 30.0, 120.0
#: Most energy of a window that is taken for unrest: beyond it nothing could be seen at all.
MOST_UNREST = 1500.0
#: A light that differs more (natural logarithm of the brightness) is not followed but taken in.
RELIT = 0.25
#: Settled pictures until none shares a view with the first.
APART = 4
#: Seconds between two lessons.
LEARN = 4.0
#: Pixels at the sides of a shifted picture that are not trusted.
MARGIN = 3


@dataclass(frozen=True)
class View:
    """A picture laid on the reference; ``whole`` marks the blocks that it truly shows.

    ``offset`` is how far it lay from the reference, in pixels down and right.
    """

    at: float
    picture: Grey
    look: Structure
    whole: Mask
    offset: tuple[int, int]


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
        self.unrest, self.calm = 0.0, MOST_UNREST
        self._looks: deque[Structure] = deque(maxlen=APART)
        self._changed_for: Grey = np.zeros(self._grid, dtype=np.float32)
        self._learned: float | None = None
        self._offset, self._moved = (0, 0), -np.inf
        self._anchored: Anchor | None = None
        self._last: View | None = None
        self._refresh()

    def view(self, picture: Grey, at: float) -> View | Reason:
        """Lay a picture on the reference, or say why that cannot be done."""
        low, high = np.percentile(picture[::4, ::4], (5, 95))
        if high - low < SHOWS:
            return Reason.DARK
        if not self.known.any():
            return self._first(picture, at)
        view = self._laid(picture, at, self._offset)
        share, rest = self._familiar(view)
        if share < SURE or at < self._moved + SHAKES:  # it may have moved
            others = {self._anchor().offset(picture), (0, 0)} - {self._offset}
            tried = [(rest, share, view)]
            for other in self._all(picture, at, others):
                share, rest = self._familiar(other)
                tried.append((rest, share, other))
            rest, share, view = min(tried, key=lambda one: one[0])
        if share < KNOWN:
            return Reason.STRANGE
        if view.offset != self._offset:
            self._offset, self._moved = view.offset, at
        self._listen(view)
        return view

    def settle(self, views: Sequence[View]) -> Settled | None:
        """Return what the last three views have in common; None while there are fewer."""
        if len(views) < 3:
            return None
        first, second, last = views
        low, high = np.minimum(first.picture, second.picture), np.maximum(first.picture, second.picture)
        picture = np.maximum(low, np.minimum(high, last.picture))
        moving = changed(last.look, first.look, self.unrest) | changed(last.look, second.look, self.unrest)
        steady = ~moving & first.whole & second.whole & last.whole
        look = structure(picture)
        self._looks.append(look)
        if len(self._looks) == APART:  # nothing of the first one is in the last
            self.calm = _followed(self.calm, unrest(look, self._looks[0]))
        return Settled(last.at, first.at, picture, look, steady)

    def differs(self, look: Structure) -> Mask:
        """Return the blocks that are known to look different when nothing stands there."""
        return changed(look, self.look, self.calm) & self.known

    def learn(self, settled: Settled, free: Mask) -> None:
        """Follow the light where nothing has changed, take in what is new and stays; ``free`` blocks only."""
        passed = 0.0 if self._learned is None else settled.at - self._learned
        if 0 < passed < LEARN:
            return
        self._learned = settled.at
        new = settled.steady & free & ~self.known
        differs = self.differs(settled.look) | self._relit(settled.picture)
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

    def recall(self, picture: Grey, known: Mask) -> None:
        """Go on with a reference that was saved."""
        self.picture, self.known = picture, known
        self._refresh()

    def forget(self) -> None:
        """Begin anew: the surroundings are others."""
        self.known = np.zeros_like(self.known)
        self._offset, self._last = (0, 0), None

    def _first(self, picture: Grey, at: float) -> View:
        """Lay the pictures of an unknown place on the first of them."""
        if self._last is None:
            self.picture = picture
            self._refresh()
        view = self._laid(picture, at, self._anchor().offset(picture))
        self._listen(view)
        return view

    def _listen(self, view: View) -> None:
        """Hear how restless the camera is."""
        if self._last is not None:
            self.unrest = _followed(self.unrest, unrest(view.look, self._last.look))
        self._last = view

    def _all(self, picture: Grey, at: float, offsets: Iterable[tuple[int, int]]) -> list[View]:
        return [self._laid(picture, at, offset) for offset in offsets]

    def _relit(self, picture: Grey) -> Mask:
        """Return the blocks that are in another light than they used to be: it may soon be gone."""
        return np.asarray(np.abs(np.log((blocks(picture) + 1) / (blocks(self.picture) + 1))) > RELIT)

    def _laid(self, picture: Grey, at: float, offset: tuple[int, int]) -> View:
        back = moved_back(picture, offset)
        shown = seen((HEIGHT, WIDTH), offset, MARGIN if any(offset) else 0)
        whole = blocks(shown.astype(np.float32)) == BLOCK * BLOCK
        return View(at, back, structure(back), whole, offset)

    def _familiar(self, view: View) -> tuple[float, float]:
        """Return the share of the surroundings that look as they do in the reference, and how much of them does not.

        The first says whether it is the same place, the second how well a picture lies on it.
        """
        textured = self.known & view.whole & (self.look.energy > 2 * (FAINT + LOUD * self.unrest))
        where = textured & self._around
        if where.sum() < ENOUGH:
            where = textured
        if where.sum() < ENOUGH:
            return 1.0, 0.0
        rest, most = unexplained(view.look, self.look)
        new = too_much(rest, most, self.unrest)[where]
        return 1.0 - float(new.mean()), float((rest[where] / most[where]).mean())

    def _anchor(self) -> Anchor:
        self._anchored = self._anchored or Anchor(self.picture)
        return self._anchored

    def _refresh(self) -> None:
        self.look = structure(self.picture)
        self._anchored = None


def _followed(before: float, heard: float) -> float:
    """Follow the unrest of a camera: quickly up, slowly down."""
    heard = min(MOST_UNREST, heard)
    return heard if before >= MOST_UNREST else before + (0.5 if heard > before else 0.1) * (heard - before)
