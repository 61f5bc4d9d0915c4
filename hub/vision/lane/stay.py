"""One vehicle at one place: known again by the picture of the place, not by a box that moves from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hub.vision.frame import Grey, Mask
from hub.vision.lane.event import LaneEvent, Presence, Reason
from hub.vision.lane.grid import pixels
from hub.vision.lane.light import only_light
from hub.vision.lane.region import box, things
from hub.vision.lane.scene import Scene, Settled, View
from hub.vision.lane.structure import FAINT, LOUD, Structure, structure, too_much, unexplained

#: Share of a stay's picture that is seen again, and of a place that must have settled to be judged.
SAME, SETTLED = 0.45, 0.6
#: Share that must be seen again where the place looked empty meanwhile: the next in a queue may look much the same.
ALIKE = 0.7
#: Share of a place that looks as it does when nothing stands there, and needs no second look.
BARE = 0.9
#: Share of a place, where there is something to see, in which nothing moves while its light changes.
STILL = 0.8
#: Seconds that something may be in the way without doubt (VISION.md, "Lane").
HOLD = 15.0
#: What stands in front reaches lower by this part of the height of what it hides.
NEARER = 0.25
#: Part by which the picture of a stay follows the light at each settled look.
FOLLOW = 0.2
#: Energy of a block that counts: a lamp must not outweigh a car.
_MOST = 40 * FAINT


@dataclass(frozen=True)
class Stay:
    """``thing`` marks its blocks; ``picture`` is what the place looks like with it. Times in seconds of the stream."""

    number: int
    since: float
    seen: float
    thing: Mask
    picture: Grey
    look: Structure
    confidence: float
    reason: Reason
    unsure: bool = False
    empty: bool = False
    """The place looked empty a moment ago."""
    emptied: bool = False
    """The place looked empty, if only once, since the vehicle was seen for the last time."""

    def says(self, presence: Presence, at: float, reason: Reason) -> LaneEvent:
        """Make an event of this stay."""
        since = self.since if presence is Presence.PRESENT else self.seen
        confidence = self.confidence if presence is Presence.PRESENT else 0.0
        return LaneEvent(presence, self.number, at, since, reason, confidence, box(self.thing))


def follow(stay: Stay, view: View, settled: Settled | None, scene: Scene) -> tuple[Stay | None, LaneEvent | None]:
    """Look for a stay in a new view; None when it is over."""
    if _is_there(view.look, stay, scene, view.whole):
        return _seen(stay, view.at, settled)
    empty = _is_empty(view.look, stay, scene, view.whole)
    if empty and (stay.empty or _is_bare(view.look, stay, scene, view.whole)):
        return None, stay.says(Presence.ABSENT, view.at, Reason.EMPTY)
    stay = replace(stay, empty=empty, emptied=stay.emptied or empty)
    if settled is not None and not empty and settled.steady[stay.thing].mean() >= SETTLED:
        if _is_there(settled.look, stay, scene, settled.steady):
            return _seen(stay, view.at, settled)
        if not _in_front(stay, settled, scene) or view.at - stay.seen > HOLD:
            if _unmoved(stay, settled, scene):
                return replace(stay, seen=view.at, picture=settled.picture, look=settled.look), None
            return None, stay.says(Presence.ABSENT, view.at, Reason.REPLACED)
    if view.at - stay.seen > HOLD and not stay.unsure:
        return replace(stay, unsure=True), stay.says(Presence.UNSURE, view.at, Reason.HIDDEN)
    return stay, None


def again(stay: Stay, settled: Settled, confidence: float) -> Stay:
    """Go on in a picture that cannot be compared with those before: nobody saw the vehicle leave."""
    return replace(stay, seen=settled.at, picture=settled.picture, look=settled.look, confidence=confidence)


def _in_front(stay: Stay, settled: Settled, scene: Scene) -> bool:
    """Return whether what hides the place stands nearer to the camera: its foot is lower in the picture.

    Light hides nothing: where it alone has changed, the vehicle is gone.
    """
    new = scene.differs(settled.look) & settled.steady
    rows = np.nonzero(stay.thing.any(axis=1))[0]
    nearer = int(rows[-1]) + max(1, round(NEARER * len(rows)))
    hiding = (thing for thing in things(new) if (thing & stay.thing).any())
    return any(
        int(np.nonzero(thing.any(axis=1))[0][-1]) >= nearer and not only_light(thing, settled.picture, scene.picture)
        for thing in hiding
    )


def _unmoved(stay: Stay, settled: Settled, scene: Scene) -> bool:
    """Return whether it was seen in a picture that those since agree with: its light is another, not the vehicle."""
    shows = stay.thing & (stay.look.energy > FAINT + LOUD * scene.unrest)
    return stay.seen >= settled.since and bool(shows.any()) and float(settled.steady[shows].mean()) >= STILL


def _seen(stay: Stay, at: float, settled: Settled | None) -> tuple[Stay, LaneEvent | None]:
    again = replace(stay, seen=at, unsure=False, empty=False, emptied=False)
    if settled is not None and settled.steady[stay.thing].mean() >= SETTLED:
        part = pixels(settled.steady & stay.thing) * np.float32(FOLLOW)
        picture = stay.picture + part * (settled.picture - stay.picture)
        again = replace(again, picture=picture, look=structure(picture))
    return again, again.says(Presence.PRESENT, at, again.reason) if stay.unsure else None


def _is_there(look: Structure, stay: Stay, scene: Scene, where: Mask) -> bool:
    """Return whether the place looks as it does with the vehicle, and not rather as it does without."""
    thing = stay.thing & where
    with_it = _Compared(look, stay.look)
    if with_it.same(scene.unrest, thing) < (ALIKE if stay.emptied else SAME):
        return False
    return with_it.left_over(thing) <= _Compared(look, scene.look).left_over(thing & scene.known)


def _is_empty(look: Structure, stay: Stay, scene: Scene, where: Mask) -> bool:
    thing = stay.thing & scene.known & where
    without = _Compared(look, scene.look)
    if without.same(scene.unrest, thing) < SAME:
        return False
    return without.left_over(thing) < _Compared(look, stay.look).left_over(thing)


def _is_bare(look: Structure, stay: Stay, scene: Scene, where: Mask) -> bool:
    """Return whether all of the place is seen as it is when empty, and the vehicle is not: darkness hides both."""
    bare = _Compared(look, scene.look).same(scene.unrest, stay.thing & scene.known & where)
    return bare >= BARE and _Compared(look, stay.look).same(scene.unrest, stay.thing & where) < SAME


class _Compared:
    """What a picture shows that another one does not explain."""

    def __init__(self, look: Structure, other: Structure) -> None:
        self._rest, self._most = unexplained(look, other)
        self._energy = np.minimum(np.maximum(look.energy, other.energy), _MOST)

    def left_over(self, where: Mask) -> float:
        """Return the energy per block that is not explained; without end where there are no blocks."""
        rest = self._rest[where]
        return float(np.minimum(rest, _MOST).mean()) if rest.size else np.inf

    def same(self, unrest: float, where: Mask) -> float:
        """Return how much of what the two show in some blocks is the same, 0 to 1."""
        weight = self._energy[where]
        total = float(weight.sum())
        new = too_much(self._rest, self._most, unrest)
        return float(weight[~new[where]].sum()) / total if total > 0 else 0.0
