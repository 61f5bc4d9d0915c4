"""One vehicle at one place: known again by the picture of the place, not by a box that moves from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hub.vision.frame import Grey, Mask
from hub.vision.lane.event import LaneEvent, Presence, Reason
from hub.vision.lane.grid import pixels
from hub.vision.lane.region import box
from hub.vision.lane.scene import Scene, Settled, View
from hub.vision.lane.structure import FAINT, Structure, changed, structure

#: Share of a stay's picture that is seen again, and of a place that must have settled to be judged.
SAME, SETTLED = 0.45, 0.6
#: Seconds that something may be in the way without doubt (VISION.md, "Lane").
HOLD = 15.0
#: What stands in front reaches lower by this part of the height of what it hides.
NEARER = 0.25
#: Part by which the picture of a stay follows the light at each settled look.
FOLLOW = 0.05
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
    unsure: bool = False

    def says(self, presence: Presence, at: float, reason: Reason) -> LaneEvent:
        """Make an event of this stay."""
        since = self.since if presence is Presence.PRESENT else self.seen
        confidence = self.confidence if presence is Presence.PRESENT else 0.0
        return LaneEvent(presence, self.number, at, since, reason, confidence, box(self.thing))


def follow(stay: Stay, view: View, settled: Settled | None, scene: Scene) -> tuple[Stay | None, LaneEvent | None]:
    """Look for a stay in a new view; None when it is over."""
    if _shares(view.look, stay, scene, view.whole) >= SAME:
        return _seen(stay, view.at, settled)
    if settled is not None and settled.steady[stay.thing].mean() >= SETTLED:
        if _shares(settled.look, stay, scene, settled.steady) >= SAME:
            return _seen(stay, view.at, settled)
        if _weighed(~changed(settled.look, scene.look, scene.unrest), settled.look, scene.look, stay.thing) >= SAME:
            return None, stay.says(Presence.ABSENT, view.at, Reason.EMPTY)
        if not _in_front(stay, scene.differs(settled.look) & settled.steady) or view.at - stay.seen > HOLD:
            return None, stay.says(Presence.ABSENT, view.at, Reason.REPLACED)
    if view.at - stay.seen > HOLD and not stay.unsure:
        return replace(stay, unsure=True), stay.says(Presence.UNSURE, view.at, Reason.HIDDEN)
    return stay, None


def _in_front(stay: Stay, new: Mask) -> bool:
    """Return whether what hides the place stands nearer to the camera: its foot is lower in the picture."""
    foot = max(1, round(NEARER * np.count_nonzero(stay.thing.any(axis=1))))
    lowest = int(np.nonzero(stay.thing.any(axis=1))[0][-1])
    below = new[lowest + 1 : lowest + 1 + foot, stay.thing.any(axis=0)]
    return bool(below.size and below.mean() > 0.5)


def _seen(stay: Stay, at: float, settled: Settled | None) -> tuple[Stay, LaneEvent | None]:
    again = replace(stay, seen=at, unsure=False)
    if settled is not None and settled.steady[stay.thing].mean() >= SETTLED:
        part = pixels(settled.steady & stay.thing) * np.float32(FOLLOW)
        picture = stay.picture + part * (settled.picture - stay.picture)
        again = replace(again, picture=picture, look=structure(picture))
    return again, again.says(Presence.PRESENT, at, Reason.STANDS) if stay.unsure else None


def _shares(look: Structure, stay: Stay, scene: Scene, where: Mask) -> float:
    """Return how much of what the stay looks like is in ``look``, 0 to 1."""
    return _weighed(~changed(look, stay.look, scene.unrest), look, stay.look, stay.thing & where)


def _weighed(same: Mask, one: Structure, other: Structure, where: Mask) -> float:
    weight = np.minimum(np.maximum(one.energy, other.energy), _MOST)[where]
    total = float(weight.sum())
    return float(weight[same[where]].sum()) / total if total > 0 else 0.0
