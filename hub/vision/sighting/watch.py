"""Watches what passes one camera; each thing that moved leaves one record with its colours and a small picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from hub.vision.detect.box import Detection, Kind
from hub.vision.frame import Grey, Mask
from hub.vision.lane.place import Box
from hub.vision.overlay import to_jpeg
from hub.vision.sighting.colour import Colour, Rgb, dominant, gain
from hub.vision.sighting.follow import Followed, Look, Track
from hub.vision.sighting.movers import Mover, Movers
from hub.vision.sighting.record import Sighting

#: Least seconds between two looks.
EVERY = 0.4
#: Looks that make a track of a thing that no model has named, and how far it must have come, in picture heights.
LOOKS, MOVED = 3, 0.06
#: Least score of a detection, and the part of its box in which the picture must differ: what stands there always is
#: no news.
SCORE, NEWS = 0.45, 0.12
#: Kinds that are followed; a number plate is not: nobody shall be found by it.
FOLLOWED = frozenset(Kind) - {Kind.PLATE}
#: Part of a detection's surroundings that belongs to it: a mover whose middle lies there is the same thing.
AROUND = 0.15
#: Margin of a thumbnail around its box, its longest side in pixels, and most bytes; FFmpeg's quality (2 is best).
MARGIN, SIDE, MOST_BYTES, QUALITIES = 0.15, 144, 4_096, (5, 9, 15, 24)
#: How much more of a thing must be seen for another thumbnail to be taken; worth of a box at the picture's side.
BETTER, CUT_OFF = 1.25, 0.4
#: Rows of the upper half (under the head) and the lower one, and the columns, in parts of the box.
UPPER, LOWER, ACROSS = (0.18, 0.48), (0.52, 0.88), (0.2, 0.8)
#: Least part of these pixels that differ, so that the empty place is told from the thing.
TOLD = 0.15


class SightingWatch:
    """One camera. Times in seconds of the stream."""

    def __init__(self) -> None:
        self._movers, self._followed = Movers(), Followed()
        self._at = -np.inf
        self._best: dict[int, tuple[float, Box, Rgb, Colour, Colour]] = {}

    def wants(self, at: float) -> bool:
        """Return whether a picture of this time would be looked at."""
        return at >= self._at + EVERY

    def see(
        self,
        luma: Grey,
        at: float,
        colours: Callable[[], Rgb],
        detect: Callable[[], Sequence[Detection] | None] = lambda: None,
        hues: Grey | None = None,
    ) -> tuple[Sighting, ...]:
        """Look at a picture; return the records of what has gone.

        ``colours`` gives the same picture as RGB of any size and ``detect`` what a model sees in it (None without
        one): both are asked only where something differs from the empty place. ``hues`` is its U and V (2, half of
        luma's size), where they cost nothing.
        """
        if not self.wants(at):
            return ()
        self._at = at
        movers = self._movers.see(luma, at, hues)
        looks = _looks(movers, self._movers.differs, detect() if movers else None)
        pairs, ended = self._followed.step(looks, at)
        picture: Rgb | None = None
        for track, look in pairs:
            worth = _worth(look.box)
            if worth > BETTER * self._best.get(id(track), (0.0,))[0]:
                picture = colours() if picture is None else picture
                self._best[id(track)] = (worth, look.box, *_portrait(picture, look.box, self._movers.differs))
        return tuple(found for track in ended if (found := self._record(track)) is not None)

    def end(self) -> tuple[Sighting, ...]:
        """Return the records of what is still there, as nobody will look any more."""
        tracks, self._followed = self._followed.tracks, Followed()
        return tuple(found for track in tracks if (found := self._record(track)) is not None)

    def _record(self, track: Track) -> Sighting | None:
        best = self._best.pop(id(track), None)
        moved = track.looks >= LOOKS and track.moved >= MOVED and not track.flickers
        if best is None or (track.kind is Kind.OTHER and not moved):
            return None
        _, box, thumbnail, upper, lower = best
        return Sighting(track.began, track.at, track.kind, box, upper, lower, small_jpeg(thumbnail))


def small_jpeg(picture: Rgb) -> bytes:
    """Encode a thumbnail so that it stays small."""
    jpeg = b""
    for quality in QUALITIES:
        jpeg = to_jpeg(picture, (quality, quality))
        if len(jpeg) <= MOST_BYTES:
            break
    return jpeg


def _looks(movers: Sequence[Mover], differs: Mask, found: Sequence[Detection] | None) -> list[Look]:
    """Join what moves to what a model sees: each thing once, by the model's box where there is one."""
    named = [
        Look(one.box, one.kind)
        for one in found or ()
        if one.score >= SCORE and one.kind in FOLLOWED and _part(differs, one.box) >= NEWS
    ]
    return named + [Look(mover.box) for mover in movers if not any(_belongs(mover.box, one.box) for one in named)]


def _belongs(mover: Box, thing: Box) -> bool:
    x, y = (mover[0] + mover[2]) / 2, (mover[1] + mover[3]) / 2
    wide, tall = AROUND * (thing[2] - thing[0]), AROUND * (thing[3] - thing[1])
    inside = thing[0] - wide <= x <= thing[2] + wide and thing[1] - tall <= y <= thing[3] + tall
    covers = mover[0] <= (thing[0] + thing[2]) / 2 <= mover[2] and mover[1] <= (thing[1] + thing[3]) / 2 <= mover[3]
    return inside or covers  # a box of two people side by side is both of them


def _part(mask: Mask, box: Box) -> float:
    inside = mask[_window(mask.shape, box)]
    return float(inside.mean()) if inside.size else 0.0


def _worth(box: Box) -> float:
    """Return how well a thing is seen: its size, less where a side of the picture cuts it."""
    cut = box[0] <= 0.005 or box[1] <= 0.005 or box[2] >= 0.995 or box[3] >= 0.995
    return (box[2] - box[0]) * (box[3] - box[1]) * (CUT_OFF if cut else 1.0)


def _portrait(picture: Rgb, box: Box, differs: Mask) -> tuple[Rgb, Colour, Colour]:
    """Return the thumbnail of a box, and the colours of its halves."""
    raised = gain(picture)
    upper, lower = (_colour(picture, _within(box, rows), differs, raised) for rows in (UPPER, LOWER))
    wide, tall = MARGIN * (box[2] - box[0]), MARGIN * (box[3] - box[1])
    around = (max(0.0, box[0] - wide), max(0.0, box[1] - tall), min(1.0, box[2] + wide), min(1.0, box[3] + tall))
    return _reduced(picture[_window(picture.shape, around)]), upper, lower


def _colour(picture: Rgb, box: Box, differs: Mask, raised: float) -> Colour:
    """Name the colour of what differs in a box; of all of it where too little does."""
    pixels = picture[_window(picture.shape, box)]
    rows = np.linspace(box[1], box[3], pixels.shape[0], endpoint=False) * differs.shape[0]
    columns = np.linspace(box[0], box[2], pixels.shape[1], endpoint=False) * differs.shape[1]
    of = differs[np.ix_(rows.astype(np.intp), columns.astype(np.intp))]
    chosen = pixels[of] if of.mean() >= TOLD else pixels.reshape(-1, 3)
    return dominant(chosen, raised) or Colour.GREY


def _within(box: Box, rows: tuple[float, float]) -> Box:
    wide, tall = box[2] - box[0], box[3] - box[1]
    return (box[0] + ACROSS[0] * wide, box[1] + rows[0] * tall, box[0] + ACROSS[1] * wide, box[1] + rows[1] * tall)


def _window(shape: tuple[int, ...], box: Box) -> tuple[slice, slice]:
    """Return the pixels of a box, one at least."""
    height, width = shape[:2]
    top, left = min(int(box[1] * height), height - 1), min(int(box[0] * width), width - 1)
    bottom, right = max(top + 1, min(height, round(box[3] * height))), max(left + 1, min(width, round(box[2] * width)))
    return slice(top, bottom), slice(left, right)


def _reduced(picture: Rgb) -> Rgb:
    """Return a copy, with sides of 144 pixels at most and an even number of them, as the encoder wants them."""
    height, width = picture.shape[:2]
    part = min(1.0, SIDE / max(height, width))
    rows = np.arange(max(1, round(height * part / 2)) * 2) * height // (max(1, round(height * part / 2)) * 2)
    columns = np.arange(max(1, round(width * part / 2)) * 2) * width // (max(1, round(width * part / 2)) * 2)
    return np.ascontiguousarray(picture[np.ix_(rows, columns)])
