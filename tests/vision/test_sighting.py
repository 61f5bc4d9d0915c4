"""What passes a camera leaves one record with the colours a person would name: drawn streets, and clips where they are.

``python -m tests.vision.test_sighting`` prints what is found in the clips of ../shared/media.
"""

from __future__ import annotations

import io
import sys
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest

from hub.vision.detect.box import Detection, Kind
from hub.vision.frame import Frame, shrink
from hub.vision.lane.grid import HEIGHT, WIDTH, analysed
from hub.vision.sighting.colour import Colour, dominant
from hub.vision.sighting.record import Sighting
from hub.vision.sighting.watch import MOST_BYTES, SIDE, SightingWatch
from hub.vision.worker.camera import PORTRAIT, _hues, _rgb
from tests.vision.passers import CLOTHS, DAY, DUSK, NOISE, Light, Passer, Street, empty, shown

CLIPS = Path(__file__).parents[3] / "shared" / "media" / "videos"
START = 1_000.0


def look(
    watch: SightingWatch, picture: Street, at: float, found: tuple[Detection, ...] | None = None
) -> list[Sighting]:
    """Show a picture as a worker does: luma made small, hue as single pixels, colours when asked for."""
    part = picture[::3, ::3].astype(np.float32)
    luma = part @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    hues = np.stack((128 + 0.564 * (part[..., 2] - luma), 128 + 0.713 * (part[..., 0] - luma)))
    small = shrink(Frame(picture[..., ::-1], at).luma, WIDTH, HEIGHT)
    return list(watch.see(small, START + at, lambda: picture, lambda: found, hues.astype(np.float32)))


def watched(passers: tuple[Passer, ...], until: float, light: Light = DAY, every: float = 1.0) -> list[Sighting]:
    rng = np.random.default_rng(3)
    street, watch = empty(rng), SightingWatch()
    found = []
    for at in np.arange(0, until, every):
        found += look(watch, shown(street, passers, float(at), light, rng), float(at))
    return found


@pytest.mark.parametrize("light", [DAY, DUSK, NOISE], ids=["day", "dusk", "noise"])
def test_each_person_leaves_one_record_with_both_colours(light: Light) -> None:
    """Key frames once a second, eleven people who wear every colour of the palette, above and below.

    In noise of 9 levels one of the eleven fails: a grey jacket before grey asphalt is lost in it.
    """
    palette = list(CLOTHS)
    passers = tuple(Passer(4 + 12 * n, 8, palette[n], palette[(3 * n + 4) % 11]) for n in range(11))
    found = watched(passers, 4 + 12 * 11, light)
    assert [(one.upper, one.lower) for one in found] == [(who.upper, who.lower) for who in passers]
    for one, who in zip(found, passers, strict=True):
        assert START + who.begin <= one.began <= START + who.begin + 4
        assert who.lasts - 6 < one.ended - one.began <= who.lasts
        assert one.kind is Kind.OTHER
        assert len(one.jpeg) <= MOST_BYTES
    with av.open(io.BytesIO(found[0].jpeg)) as picture:
        size = picture.streams.video[0]
        assert 60 < max(size.width, size.height) <= SIDE


def test_two_who_pass_each_other_are_two() -> None:
    first, second = Passer(4, 14, Colour.RED, Colour.BLACK, row=180, tall=55), Passer(5, 14, Colour.BLUE, Colour.WHITE)
    found = watched((first, second), 26)
    assert sorted((one.upper, one.lower) for one in found) == [("blue", "white"), ("red", "black")]


def test_the_clock_in_the_picture_passes_nobody() -> None:
    """Its last digits change; those before them join in now and then, and the box grows to the left."""
    rng = np.random.default_rng(5)
    street, watch = empty(rng), SightingWatch()
    tall, wide = street.shape[0] // 12, street.shape[1] // 30
    found = []
    for second in range(80):
        picture = street.copy()
        for place, every in enumerate((1, 5, 15, 30)):  # from the right
            right = street.shape[1] // 3 - place * (wide + 2)
            picture[tall : 2 * tall, right - wide : right] = 255 if second // every % 2 else 40
        found += look(watch, picture, float(second))
    assert [*found, *watch.end()] == []


def test_a_car_has_its_colour_and_what_stands_for_long_is_told_once() -> None:
    car = Passer(4, 5, Colour.WHITE, Colour.RED, car=True, tall=120)
    (found,) = watched((car,), 16, every=0.5)
    assert found.lower is Colour.RED


@pytest.mark.parametrize("light", [Light(sigma=2), Light(0.4, sigma=4), Light(sigma=12)], ids=["day", "dusk", "noise"])
def test_an_empty_street_leaves_nothing(light: Light) -> None:
    assert watched((), 50, light) == []


def test_a_change_of_the_light_is_nobody() -> None:
    rng = np.random.default_rng(5)
    street, watch = empty(rng), SightingWatch()
    found = []
    for at in range(90):
        level = 1.0 if at < 30 else 0.55 if at < 60 else 0.9  # a cloud, at once
        found += look(watch, shown(street, (), at, Light(level), rng), at)
    assert found == []


def test_a_model_names_what_moves_and_what_it_sees_standing_still_always_is_no_news() -> None:
    rng = np.random.default_rng(6)
    street, watch, found = empty(rng), SightingWatch(), []
    who = Passer(4, 10, Colour.GREEN, Colour.GREY)
    statue = Detection(Kind.PERSON, 0.9, (0.05, 0.1, 0.1, 0.3))
    for at in range(22):
        part = (at - who.begin) / who.lasts
        across = (part * (480 + 150) - 75) / 480
        box = (max(0.0, across - 0.03), 160 / 270, min(1.0, across + 0.03), 235 / 270)
        seen = (statue, Detection(Kind.PERSON, 0.8, box)) if 0.0 < across < 1.0 else (statue,)
        found += look(watch, shown(street, (who,), at, DAY, rng), at, seen)
    assert [(one.kind, one.upper, one.lower) for one in found] == [(Kind.PERSON, Colour.GREEN, Colour.GREY)]


def test_late_and_repeated_pictures_are_left_out() -> None:
    watch, street = SightingWatch(), empty(np.random.default_rng(1))
    look(watch, street, 1.0)
    assert not watch.wants(START + 1.0)
    assert not watch.wants(START + 0.5)
    assert look(watch, street, 1.0) == []


def test_no_pixels_have_no_colour() -> None:
    assert dominant(np.zeros((0, 3), dtype=np.uint8), 1.0) is None


@pytest.mark.skipif(not CLIPS.is_dir(), reason="../shared/media is not there")
def test_people_of_a_known_clip_are_found_when_they_are_there() -> None:
    """Six people come one by one (frames in MANIFEST.md, 10 a second); without a model their times must cover all."""
    found = in_clip(CLIPS / "one-by-one-person-detection.mp4")
    for first, last in ((61, 196), (229, 445), (508, 695), (747, 864), (926, 1195), (1238, 1357)):
        middle = (first + last) / 20
        assert any(one.began - START - 1 <= middle <= one.ended - START + 1 for one in found), (first, last)
    assert len(found) <= 20


def in_clip(path: Path) -> list[Sighting]:
    """Watch a film as a worker does, to its end."""
    watch = SightingWatch()
    found: list[Sighting] = []
    with av.open(str(path)) as file:
        for picture in file.decode(video=0):
            at = START + float(picture.time or 0)
            if watch.wants(at):
                luma = shrink(analysed(picture), WIDTH, HEIGHT)
                found += watch.see(luma, at, partial(_rgb, picture, PORTRAIT), hues=_hues(picture))
    return found + list(watch.end())


if __name__ == "__main__":
    for clip in sorted(CLIPS.glob("*.mp4")):
        for one in in_clip(clip):
            times = f"{one.began - START:6.1f} – {one.ended - START:6.1f} s"
            sys.stdout.write(f"{clip.stem:32} {times} {one.kind:8} {one.upper:7} {one.lower:7} {len(one.jpeg)} B\n")
