"""Watches one fire lane: a thing that was not there before and stands still is a stay, until the place looks different.

Everything is judged by the picture of the place, once a second of stream time. Three pictures in a row make the settled
one (their median): what passes, rains or flickers is not in it. A stay keeps the picture of its place: while that is
seen, or cannot be seen because something is in the way, the stay goes on; when something else stands there, it is over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from hub.vision.detect.box import Detection
from hub.vision.frame import Frame, Mask, shrink
from hub.vision.lane import region, state
from hub.vision.lane.event import LaneEvent, Presence, Reason
from hub.vision.lane.extent import breadth
from hub.vision.lane.grid import COLUMNS, HEIGHT, ROWS, WIDTH
from hub.vision.lane.light import only_light
from hub.vision.lane.place import Polygon, place
from hub.vision.lane.scene import Scene, Settled, View
from hub.vision.lane.sight import Sight
from hub.vision.lane.stay import HOLD, SETTLED, Stay, again, follow

#: Least seconds of stream time between two looks (key frames come about once a second, unevenly), and without a
#: picture after which the settled one is made anew.
EVERY, GAP = 0.8, 10.0
#: Smallest vehicle, as part of a square as wide as the lane (4 m) and of the lane's width; the part of its box that it
#: fills. A small car covers 5 of 16 square metres and more, as it has a height; two people side by side cover 3, and
#: leave half of their box empty where they stand apart. A lorry of 10 m along the lane covers 24 square metres with its
#: height; what covers more than 32, or is wider than 8 m, is a change of the light.
SMALLEST, NARROWEST, FULL, LARGEST, WIDEST = 0.25, 0.47, 0.48, 2.0, 2.0
#: At night the dark parts of a car are not seen, and blocks are coarse: what fills so much of its box may be smaller
#: and narrower by this part; but not far away, where two people are as many blocks: of so many at least.
SOLID, DIM, NEAR = 0.7, 0.85, 60
#: Narrowest vehicle by its pixels (1.5 m), as part of the lane's width at its foot; two people side by side are 1.2 m.
BROAD = 0.38
#: Part of a vehicle's foot that stands in the lane.
IN_LANE = 0.35
#: Overlap of a thing with that of a second ago, if both are the same.
AGAIN = 0.6
#: Seconds after which unknown surroundings that stand still are taken for the new ones.
RELEARN = 60.0
#: A thing with less than this part of the structure that was there before is a hole: something has left.
HOLE = 0.6
#: Overlap of a thing with the box of a detector, if both are the same.
NAMED = 0.4
#: Confidence of a thing that a detector calls a vehicle; that none has looked at; in which one sees no vehicle.
CONFIDENT, UNNAMED, DOUBTED = 0.9, 0.6, 0.4


class LaneWatch:
    """One polygon of one camera. ``polygon`` has its corners in parts of the picture."""

    def __init__(self, polygon: Polygon) -> None:
        self._lane = place(polygon, ROWS, COLUMNS)
        self._scene = Scene(self._lane)
        self._views: deque[View] = deque(maxlen=3)
        self._stays: tuple[Stay, ...] = ()
        self._relearning = False
        self._candidates: list[Mask] = []
        self._numbers = 0
        self._at = self._judged = -np.inf
        self._lane_says: Presence | None = None

    def see(self, frame: Frame, found: Sequence[Detection] | None = None) -> tuple[LaneEvent, ...]:
        """Look at a frame; late, repeated and too frequent ones are left out.

        ``found`` is what a detector sees in the same frame, None where none has looked.
        """
        if not self.wants(frame.at):
            return ()
        if frame.at > self._at + GAP:
            self._views.clear()
        self._at = frame.at
        view = self._scene.view(shrink(frame.luma, WIDTH, HEIGHT), frame.at)
        if isinstance(view, Reason):
            return self._blind(frame, view)
        self._judged = frame.at
        self._views.append(view)
        settled = self._scene.settle(self._views)
        if settled is not None and self._relearning:
            self._relearning = False
            self._stays = tuple(again(stay, settled, DOUBTED) for stay in self._stays)
        events = self._follow(view, settled)
        if settled is not None:
            events += self._find(settled, Sight(found, view.offset))
            self._scene.learn(settled, ~self._taken())
            if self._lane_says is not Presence.ABSENT and not self._stays and not events:
                events.append(LaneEvent(Presence.ABSENT, 0, frame.at, frame.at, Reason.EMPTY))
            self._lane_says = Presence.PRESENT if self._stays else Presence.ABSENT
        return tuple(events)

    def wants(self, at: float) -> bool:
        """Return whether a frame of this time would be looked at."""
        return at >= self._at + EVERY

    @property
    def presence(self) -> Presence | None:
        """Whether something stands there; None before that could be judged. What is hidden for long makes it unsure."""
        if self._lane_says is Presence.PRESENT and all(stay.unsure for stay in self._stays):
            return Presence.UNSURE
        return self._lane_says

    @property
    def stays(self) -> tuple[Stay, ...]:
        """Return what stands there, hidden for the moment or not."""
        return self._stays

    def save(self) -> bytes:
        """Return all that must outlive a restart."""
        return state.save(self._scene, self._stays, self._numbers)

    def restore(self, saved: bytes) -> None:
        """Go on from what was saved, with times of the same clock. Raises DecodeError; the watch is then as new."""
        self._stays, self._numbers = state.restore(saved, self._scene)

    def _follow(self, view: View, settled: Settled | None) -> list[LaneEvent]:
        followed = [follow(stay, view, settled, self._scene) for stay in self._stays]
        self._stays = tuple(stay for stay, _ in followed if stay is not None)
        return [event for _, event in followed if event is not None]

    def _find(self, settled: Settled, sight: Sight) -> list[LaneEvent]:
        """Look for things that have come to a stand."""
        taken = self._taken()
        new = self._scene.differs(settled.look) & settled.steady & ~taken
        named = [mask for mask in sight.vehicles() if self._may_stand(mask, settled, taken)]
        before, self._candidates = self._candidates, list(named)
        standing = [vehicle for vehicle in named if _again(vehicle, before)]
        for thing in region.things(new):
            if any(region.overlap(thing, vehicle) >= NAMED for vehicle in named):
                continue
            whole = list(self._fit((thing,), settled, sight))
            if whole and self._is_hole(thing, settled):
                self._scene.adopt(settled, region.widened(region.widened(thing)))
                continue
            parts = [
                part for part in self._fit(region.cores(thing), settled, sight) if not self._is_hole(part, settled)
            ]
            self._candidates += whole + parts
            shapes = [shape for shape in whole if _again(shape, before)] or _apart(
                part for part in parts if _again(part, before)
            )
            standing += [self._unlit(shape, settled, sight) for shape in shapes]
        stays = [self._stay(thing, settled, sight) for thing in standing]
        self._stays += tuple(stays)
        return [stay.says(Presence.PRESENT, settled.at, stay.reason) for stay in stays]

    def _fit(self, shapes: Iterable[Mask], settled: Settled, sight: Sight) -> Iterator[Mask]:
        """Give those that may be a vehicle, and are more than light."""
        now, before = settled.picture, self._scene.picture
        for shape in shapes:
            if (
                self._is_vehicle(shape, sight)
                and breadth(shape, now, before) >= BROAD * region.foot_breadth(shape, self._lane)
                and not only_light(shape, now, before)
            ):
                yield shape

    def _unlit(self, thing: Mask, settled: Settled, sight: Sight) -> Mask:
        """Leave out the parts that are only light: the pool of a headlight beside a vehicle is soon gone."""
        lit = np.zeros_like(thing)
        for part in region.cores(thing):
            if only_light(part, settled.picture, self._scene.picture):
                lit |= part
        rest = region.largest(thing & ~lit)
        return rest if lit.any() and rest.any() and list(self._fit((rest,), settled, sight)) else thing

    def _stay(self, thing: Mask, settled: Settled, sight: Sight) -> Stay:
        self._numbers += 1
        named = sight.shows_vehicle(thing)
        confidence = CONFIDENT if named else UNNAMED if sight.blind else DOUBTED
        reason = Reason.DETECTED if named else Reason.STANDS
        if not (self._scene.differs(settled.look) & thing).any():
            self._scene.known = self._scene.known & ~thing  # it was there when the camera began
        return Stay(self._numbers, settled.since, settled.at, thing, settled.picture, settled.look, confidence, reason)

    def _may_stand(self, vehicle: Mask, settled: Settled, taken: Mask) -> bool:
        """Judge what a detector calls a vehicle: does it stand still, in the lane, and is it not known already?"""
        return (
            bool(vehicle.any())
            and not (vehicle & taken).sum() > NAMED * vehicle.sum()
            and float(settled.steady[vehicle].mean()) >= SETTLED
            and region.lane_share(vehicle, self._lane) >= IN_LANE
        )

    def _is_vehicle(self, thing: Mask, sight: Sight) -> bool:
        """Judge by size, shape and where it stands."""
        size = region.size(thing, self._lane)
        least = DIM if size.full >= SOLID and thing.sum() >= NEAR else 1.0
        return (
            SMALLEST * least <= size.bulk <= LARGEST
            and NARROWEST * least <= size.width <= WIDEST
            and size.full >= FULL
            and region.lane_share(thing, self._lane) >= IN_LANE
            and not sight.shows_other(thing)
        )

    def _is_hole(self, thing: Mask, settled: Settled) -> bool:
        return float(settled.look.energy[thing].sum()) < HOLE * float(self._scene.look.energy[thing].sum())

    def _taken(self) -> Mask:
        """Return the blocks of all stays and those around them."""
        taken = np.zeros_like(self._lane.inside)
        for stay in self._stays:
            taken |= stay.thing
        return region.widened(taken)

    def _blind(self, frame: Frame, reason: Reason) -> tuple[LaneEvent, ...]:
        """Nobody can tell; what stands there keeps its time. New surroundings are learned after a while."""
        self._views.clear()
        if reason is Reason.STRANGE and frame.at - self._judged > RELEARN:
            self._scene.forget()
            self._relearning = True
        if self._lane_says is Presence.UNSURE or frame.at - self._judged <= HOLD:
            return ()
        self._lane_says = Presence.UNSURE
        self._stays = tuple(replace(stay, unsure=True) for stay in self._stays)
        return (LaneEvent(Presence.UNSURE, 0, frame.at, self._judged, reason),)


def _again(shape: Mask, before: Iterable[Mask]) -> bool:
    """Return whether a shape was there a second ago."""
    return any(region.overlap(shape, old) >= AGAIN for old in before)


def _apart(shapes: Iterable[Mask]) -> list[Mask]:
    """Leave out those that share blocks with one before them."""
    kept: list[Mask] = []
    for shape in shapes:
        if not any((shape & other).any() for other in kept):
            kept.append(shape)
    return kept
