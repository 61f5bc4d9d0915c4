"""What the camera sees when nothing stands there: the reference, how pictures lie on it, and how it is learned."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hub.vision.frame import Grey, Mask, levels
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

    ``offset`` is how far it lay from the reference, in pixels down and right; ``news`` what the view before it does not
    explain, and the larger energy of both (``unexplained``); None for the first.
    """

    at: float
    picture: Grey
    look: Structure
    whole: Mask
    offset: tuple[int, int]
    news: tuple[Grey, Grey] | None = None


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
        low, high = levels(picture, 0.05, 0.95)
        if high - low < SHOWS:
            return Reason.DARK
        if not self.known.any():
            return self._first(picture, at)
        view = self._laid(picture, at, self._offset)
        share, rest = self._familiar(view)
        if share < SURE or at < self._moved + SHAKES:  # it may have moved
            guessed = self._anchor().offset(picture)
            for offset in dict.fromkeys((guessed, (0, 0))):
                if offset == self._offset or (view.offset == guessed and share >= SURE):
                    continue  # where picture and structure agree nothing else need be tried
                other = self._laid(picture, at, offset)
                known, unknown = self._familiar(other)
                if unknown < rest:
                    share, rest, view = known, unknown, other
        if share < KNOWN:
            return Reason.STRANGE
        if view.offset != self._offset:
            self._offset, self._moved = view.offset, at
        return self._listen(view)

    def settle(self, views: Sequence[View]) -> Settled | None:
        """Return what the last three views have in common, which follow each other; None while there are fewer."""
        if len(views) < 3:
            return None
        first, second, last = views
        low, high = np.minimum(first.picture, second.picture), np.maximum(first.picture, second.picture)
        picture = np.maximum(low, np.minimum(high, last.picture))
        news = last.news or unexplained(last.look, second.look)
        moving = changed(last.look, first.look, self.unrest) | too_much(*news, self.unrest)
        steady = ~moving & first.whole & second.whole & last.whole
        look = structure(picture)
        self._looks.append(look)
        if len(self._looks) == APART:  # nothing of the first one is in the last
            self.calm = _followed(self.calm, unrest(unexplained(look, self._looks[0])))
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
        self._take(settled, new | (self._changed_for >= ABSORB))
        part = np.float32(min(1.0, passed / FOLLOW))
        weight = pixels(steady & ~differs & self.known) * part
        self.picture += weight * (settled.picture - self.picture)
        self._refresh()

    def adopt(self, settled: Settled, where: Mask) -> None:
        """Take these blocks for what is seen when nothing stands there."""
        self._take(settled, where)
        self._refresh()

    def recall(self, picture: Grey, known: Mask) -> None:
        """Go on with a reference that was saved."""
        self.picture, self.known = picture, known
        self._refresh()

    def forget(self) -> None:
        """Begin anew: the surroundings are others."""
        self.known = np.zeros_like(self.known)
        self._offset, self._last = (0, 0), None

    def _take(self, settled: Settled, where: Mask) -> None:
        if where.any():
            np.copyto(self.picture, settled.picture, where=pixels(where))
            self.known = self.known | where
            self._changed_for[where] = 0

    def _first(self, picture: Grey, at: float) -> View:
        """Lay the pictures of an unknown place on the first of them."""
        if self._last is None:
            self.picture = picture
            self._refresh()
        return self._listen(self._laid(picture, at, self._anchor().offset(picture)))

    def _listen(self, view: View) -> View:
        """Hear how restless the camera is; return the view with what is new in it."""
        if self._last is not None:
            news = unexplained(view.look, self._last.look)
            self.unrest = _followed(self.unrest, unrest(news))
            view = replace(view, news=news)
        self._last = view
        return view

    def _relit(self, picture: Grey) -> Mask:
        """Return the blocks that are in another light than they used to be: it may soon be gone."""
        return np.asarray(np.abs(np.log((blocks(picture) + 1) / (blocks(self.picture) + 1))) > RELIT)

    def _laid(self, picture: Grey, at: float, offset: tuple[int, int]) -> View:
        back = moved_back(picture, offset)
        return View(at, back, structure(back), _whole(offset), offset)

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


def _whole(offset: tuple[int, int]) -> Mask:
    """Return the blocks of a picture moved back that were truly in it."""
    shown = seen((HEIGHT, WIDTH), offset, MARGIN if any(offset) else 0)
    rows, lines = shown.any(axis=1), shown.any(axis=0)  # it is a box
    return np.logical_and.outer(rows.reshape(-1, BLOCK).all(axis=1), lines.reshape(-1, BLOCK).all(axis=1))


def _followed(before: float, heard: float) -> float:
    """Follow the unrest of a camera: quickly up, slowly down."""
    heard = min(MOST_UNREST, heard)
    return heard if before >= MOST_UNREST else before + (0.5 if heard > before else 0.1) * (heard - before)
