"""Judges one picture of a tour against the accepted one: which way it differs, or why that cannot be said.

Pictures come from cameras, so they are decoded in a process of their own (hub.web.touring) and never larger than
``PIXELS``. Cut-outs are of the pictures as they were taken; the new one's follow its turn and shift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import numpy.typing as npt

from hub.model.errors import DecodeError
from hub.model.tour import Box, Cut, Judged, Outcome
from hub.vision.frame import Grey
from hub.vision.lane.structure import structure
from hub.vision.overlay import to_jpeg
from hub.vision.tour.compare import HEIGHT, WIDTH, Compared, compare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame

#: Most pixels of a picture that is decoded: those of an 8K camera.
PIXELS = 34_000_000
#: Level that the brightest tenth of a picture does not reach at night; share of the structure that fog leaves.
DARK, HAZE = 45.0, 0.2
#: Most new differences that are kept of one picture, the largest first: more is a repainted house, no finding.
MOST = 24
#: Part of the picture in which there may be differences; more is another place that looks alike, as facades do.
OVERALL = 0.1
#: Share of the smaller box that two boxes have in common when they are of one thing.
COMMON = 0.3
#: A cut-out is so many times as large as its box, at least this part of the picture's width, at most so many pixels.
AROUND, LEAST, CUT = 2.0, 0.08, 480
_CODEC = {"image/jpeg": "mjpeg", "image/png": "png"}
_Rgb = npt.NDArray[np.uint8]


def judge(now: bytes, media: str, before: bytes | None, before_media: str, known: Sequence[Box]) -> Judged:
    """Compare two pictures (JPEG or PNG); ``before`` None accepts nothing and refuses only what cannot be read."""
    try:
        picture = decoded(now, media)
    except DecodeError as error:
        return Judged(Outcome.NONE, error.reason)
    grey = grey_of(picture)
    if np.percentile(grey, 90) < DARK:
        return Judged(Outcome.DARK)
    if before is None:
        return Judged(Outcome.FIRST)
    accepted = decoded(before, before_media)
    reference = grey_of(accepted)
    if _faded(grey, reference):  # what stands there would hardly be seen, so that "the same" would be no answer
        return Judged(Outcome.HAZE)
    compared = compare(grey, reference)
    if compared is None:
        return Judged(Outcome.ELSEWHERE)
    if sum((right - left) * (bottom - top) for left, top, right, bottom in compared.boxes) > OVERALL:
        return Judged(Outcome.ELSEWHERE, found=len(compared.boxes))
    return _told(compared, _rgb(picture), _rgb(accepted), known)


def _told(compared: Compared, picture: _Rgb, accepted: _Rgb, known: Sequence[Box]) -> Judged:
    again: set[int] = set()
    new: list[Box] = []
    for box in compared.boxes:
        same = [place for place, old in enumerate(known) if of_one_thing(old, box)]
        again.update(same)
        if not same:
            new.append(box)
    found = len(new) + len(again)
    cuts = tuple(Cut(box, cut(accepted, box), cut(picture, _in_new(box, compared))) for box in new[:MOST])
    return Judged(Outcome.DIFFERS if found else Outcome.SAME, "", found, cuts, tuple(sorted(again)))


def of_one_thing(one: Box, other: Box) -> bool:
    """Tell whether two boxes have so much in common that they are of one thing."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    tall = min(one[3], other[3]) - max(one[1], other[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return wide > 0 and tall > 0 and wide * tall >= COMMON * smaller


def decoded(data: bytes, media: str) -> VideoFrame:
    """Decode a still picture. Raises DecodeError."""
    try:
        codec: VideoCodecContext = av.CodecContext.create(_CODEC[media], "r")  # type: ignore[assignment]
        codec.options = {"max_pixels": str(PIXELS)}
        frames = [*codec.decode(av.Packet(data)), *codec.decode(None)]
    except (av.error.FFmpegError, KeyError, ValueError) as error:
        raise DecodeError(f"the picture cannot be read: {type(error).__name__}") from None
    if not frames or frames[0].width * frames[0].height == 0:
        raise DecodeError("the picture cannot be read")
    return frames[0]


def grey_of(picture: VideoFrame) -> Grey:
    """Return a picture as it is compared."""
    small = picture.reformat(width=WIDTH, height=HEIGHT, format="gray", interpolation="AREA")
    return np.asarray(small.to_ndarray(), dtype=np.float32)


def _rgb(picture: VideoFrame) -> _Rgb:
    return np.asarray(picture.to_ndarray(format="rgb24"), dtype=np.uint8)


def cut(picture: _Rgb, box: Box) -> bytes:
    """Return what is in and around a box, as JPEG."""
    height, width = picture.shape[:2]
    half = max((box[2] - box[0]) * width, (box[3] - box[1]) * height, LEAST * width) * AROUND / 2
    x, y = (box[0] + box[2]) / 2 * width, (box[1] + box[3]) / 2 * height
    left, right = _inside(x, half, width)
    top, bottom = _inside(y, half, height)
    step = max(1, -(-(right - left) // CUT))
    return to_jpeg(picture[top:bottom:step, left:right:step])


def _inside(middle: float, half: float, size: int) -> tuple[int, int]:
    """Return begin and end of an even stretch around a place, moved into the picture."""
    length = min(round(half) * 2, size // 2 * 2)
    begin = min(max(0, round(middle) - length // 2), size - length)
    return begin, begin + length


def _in_new(box: Box, compared: Compared) -> Box:
    """Return where in the new picture the box of the accepted one is (hub.vision.tour.compare.turned)."""
    sine, cosine = np.sin(np.radians(compared.turned)), np.cos(np.radians(compared.turned))
    down = (box[1] + box[3]) / 2 * HEIGHT + compared.moved[0] - HEIGHT / 2
    across = (box[0] + box[2]) / 2 * WIDTH + compared.moved[1] - WIDTH / 2
    y = (cosine * down - sine * across + HEIGHT / 2) / HEIGHT
    x = (sine * down + cosine * across + WIDTH / 2) / WIDTH
    wide, tall = (box[2] - box[0]) / 2, (box[3] - box[1]) / 2
    return float(x - wide), float(y - tall), float(x + wide), float(y + tall)


def _faded(now: Grey, before: Grey) -> bool:
    """Tell whether the structure of the accepted picture has gone pale, wherever it lies now."""
    energy, was = np.sort(structure(now).energy, axis=None), np.sort(structure(before).energy, axis=None)
    quarter = energy.size // 4
    return bool(energy[-quarter:].mean() < HAZE * was[-quarter:].mean())
