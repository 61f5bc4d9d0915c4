"""One lift car: an e-bike by a model that knows it (3 of 5 pictures within 2 s, rule R2), or a bulky thing by its area.

What is bulky is a notice of low confidence: a wheelchair, a pram and a fridge are bulky, too. It never becomes
`ebike: present`, so that no door is held for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from hub.vision.detect.box import Detection, Kind
from hub.vision.lane.place import Polygon
from hub.vision.lift.floor import Floor

if TYPE_CHECKING:
    from hub.vision.frame import Frame

#: Pictures that must show it, of so many, within so many seconds (DOMAIN.md, R2).
NEEDED, OF, WITHIN = 3, 5, 2.0
#: Seconds between two looks: five of them fit in the two seconds.
EVERY = 0.4
#: Score from which a detection counts, and overlap from which a wheelchair or a pram explains it.
SURE, SAME = 0.4, 0.5
#: Part of the floor from which a thing is bulky, and what is said of the confidence in that.
BULKY, NOTICE = 0.25, 0.2
#: What is held for, and what never is.
HELD, SPARED = frozenset({Kind.EBIKE, Kind.BICYCLE}), frozenset({Kind.WHEELCHAIR, Kind.PRAM})


class LiftNow(msgspec.Struct, frozen=True):
    """What is in a car. ``ebike`` is None where no model could tell; ``confidence`` is 0 to 1; ``covered``, too."""

    ebike: bool | None = None
    bulky: bool = False
    confidence: float = 0.0
    covered: float = 0.0


class LiftWatch:
    """Looks at one car. ``knows`` is what the detector's card lists; empty without a detector."""

    def __init__(self, polygon: Polygon, knows: frozenset[Kind] = frozenset()) -> None:
        self._floor = Floor(polygon)
        self._can = bool(knows & HELD)
        self._seen: deque[tuple[float, float]] = deque(maxlen=OF)
        self._bulk: deque[tuple[float, float]] = deque(maxlen=OF)
        self._at = float("-inf")
        self.now = LiftNow(ebike=False if self._can else None)
        """The last word."""

    def wants(self, at: float) -> bool:
        """Tell whether it is time for another look; also where the stream's time has jumped back."""
        return at >= self._at + EVERY * 0.9 or at < self._at

    def see(self, frame: Frame, found: Sequence[Detection] | None) -> LiftNow | None:
        """Look at a picture; return what is there where that changed.

        ``found`` is None where no detector has looked. Whether the door is open is asked by the rule (R2), not here.
        """
        if frame.at < self._at:
            self._seen.clear()
            self._bulk.clear()
        self._at = frame.at
        covered = self._floor.covered(frame)
        if found is not None:
            self._seen.append((frame.at, max((thing.score for thing in _held(found)), default=0.0)))
        self._bulk.append((frame.at, covered or 0.0))
        scores, areas = _recent(self._seen, frame.at), [area for area in _recent(self._bulk, frame.at) if area >= BULKY]
        votes = [score for score in scores if score > 0]
        ebike = self._ebike(len(votes), len(scores))
        bulky = not ebike and len(areas) >= NEEDED
        sure = sum(votes) / len(votes) if ebike and votes else self.now.confidence if ebike else NOTICE * bulky
        before, self.now = self.now, LiftNow(ebike, bulky, round(sure, 2), round(covered or 0.0, 2))
        return self.now if (before.ebike, before.bulky) != (ebike, bulky) else None

    def _ebike(self, votes: int, looks: int) -> bool | None:
        """Come by three of five; go when not one of three shows it any more; not known while no model looks."""
        if not self._can or not looks:
            return None
        if votes >= NEEDED:
            return True
        return False if votes == 0 and looks >= NEEDED else self.now.ebike


def _held(found: Sequence[Detection]) -> list[Detection]:
    """Return the e-bikes and bicycles that no wheelchair or pram at the same place explains."""
    spared = [thing for thing in found if thing.kind in SPARED]
    return [
        thing
        for thing in found
        if thing.kind in HELD and thing.score >= SURE and not any(_overlap(thing, other) > SAME for other in spared)
    ]


def _overlap(one: Detection, other: Detection) -> float:
    """Return the common area as part of the smaller box."""
    (a, b, c, d), (e, f, g, h) = one.box, other.box
    common = max(0.0, min(c, g) - max(a, e)) * max(0.0, min(d, h) - max(b, f))
    return common / max(1e-9, min((c - a) * (d - b), (g - e) * (h - f)))


def _recent(votes: deque[tuple[float, float]], at: float) -> list[float]:
    return [value for when, value in votes if when >= at - WITHIN]
