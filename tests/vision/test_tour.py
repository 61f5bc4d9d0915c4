"""Facade tours on drawn facades: new pots and lost brackets are found; light, rain, shade and a turned camera are not.

``python -m tests.vision.test_tour N`` prints the figures of N facades.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from hub.model.tour import Judged, Outcome
from hub.vision.frame import Grey, shrink
from hub.vision.lane.place import Box
from hub.vision.overlay import to_jpeg
from hub.vision.tour.compare import HEIGHT, WIDTH, compare, turned
from hub.vision.tour.judge import decoded, grey_of, judge

#: Pixels of a pot and of a bracket with its air conditioner.
POT, UNIT = (14, 11), (20, 26)


class Facade:
    """A wall with windows, sills and brackets; the same one again under other conditions."""

    def __init__(self, seed: int) -> None:
        rng = self.rng = np.random.default_rng(seed)
        wall = rng.normal(0, 1, (HEIGHT // 6, WIDTH // 6)).repeat(6, 0).repeat(6, 1) * 3
        self.wall = (wall + 150 + rng.normal(0, 2, wall.shape)).astype(np.float32)
        self.sills: list[tuple[int, int]] = []
        self.units: list[tuple[int, int]] = []
        for top in range(50, HEIGHT - 70, 62):
            for left in range(50, WIDTH - 90, 84):
                self.wall[top : top + 32, left : left + 38] = 70 + rng.normal(0, 8)
                self.wall[top : top + 32, left + 18 : left + 20] = 190
                self.wall[top + 32 : top + 36, left - 3 : left + 41] = 205
                self.sills.append((top + 32, left))
                if rng.random() < 0.4:
                    self.units.append((top + 14, left + 46))

    def shown(
        self,
        *,
        pot: int | None = None,
        without: int | None = None,
        tall: int = POT[0],
        wide: int = POT[1],
        window: int | None = None,
    ) -> Grey:
        picture = self.wall.copy()
        for number, (top, left) in enumerate(self.units):
            if number != without:
                picture[top : top + UNIT[0], left : left + UNIT[1]] = 222
                picture[top + 5 : top + 15, left + 4 : left + 14] = 120
                picture[top + UNIT[0] : top + UNIT[0] + 3, left + 2 : left + UNIT[1] - 2] = 60
        if pot is not None:
            bottom, left = self.sills[pot]
            picture[bottom - tall // 2 : bottom, left + 6 : left + 6 + wide] = 140
            picture[bottom - tall : bottom - tall // 2, left + 4 : left + 8 + wide] = 40
        if window is not None:  # one wing is open: the room is darker than the glass, the wing stands aside
            bottom, left = self.sills[window]
            picture[bottom - 32 : bottom, left : left + 18] = 35
            picture[bottom - 34 : bottom, left - 8 : left] = 120
        return picture

    def taken(self, picture: Grey, way: str) -> Grey:
        """Take a picture of it under other conditions."""
        rng = self.rng
        if way == "turned":
            picture = np.roll(turned(picture, float(rng.uniform(-2, 2))), rng.integers(-6, 7, 2), (0, 1))
        elif way == "dusk":
            picture = picture * 0.55 + 6
        elif way == "shadow":
            down, across = np.mgrid[:HEIGHT, :WIDTH]
            edge = down * 0.6 + across - rng.uniform(300, 900)
            picture = picture * (1 - 0.4 / (1 + np.exp(-edge / 6)))
        elif way == "rain":
            picture = picture.copy()
            for _ in range(150):
                top, left = int(rng.integers(0, HEIGHT - 20)), int(rng.integers(0, WIDTH))
                picture[top : top + int(rng.integers(8, 18)), left] += 22
        elif way == "pixel":
            picture = np.roll(picture, (1, -1), (0, 1))
        elif way == "clouds":
            across = np.linspace(rng.uniform(0.7, 1.0), rng.uniform(1.0, 1.25), WIDTH)
            picture = picture * across.astype(np.float32)
        noise = rng.standard_normal(picture.shape, dtype=np.float32) * (6.0 if way == "noise" else 2.5)
        return np.clip(picture + noise, 0, 255).astype(np.float32)


WAYS = ("same", "turned", "dusk", "shadow", "rain")


def hits(boxes: tuple[Box, ...], top: int, left: int, tall: int, wide: int) -> bool:
    y, x = (top + tall / 2) / HEIGHT, (left + wide / 2) / WIDTH
    return any(a - 0.01 <= x <= c + 0.01 and b - 0.015 <= y <= d + 0.015 for a, b, c, d in boxes)


def trial(seed: int, way: str) -> tuple[bool, bool, int]:
    """Return whether a new pot and a lost bracket were found, and how many false candidates an unchanged one has."""
    facade = Facade(seed)
    reference = facade.taken(facade.shown(), "same")
    pot, unit = len(facade.sills) // 2 + 3, len(facade.units) // 2
    bottom, left = facade.sills[pot]
    new = compare(facade.taken(facade.shown(pot=pot, without=unit), way), reference)
    none = compare(facade.taken(facade.shown(), way), reference)
    assert new is not None
    assert none is not None
    return (
        hits(new.boxes, bottom - POT[0], left + 4, POT[0], POT[1]),
        hits(new.boxes, *facade.units[unit], *UNIT),
        len(none.boxes),
    )


@pytest.mark.parametrize("way", WAYS)
def test_what_is_new_or_gone_is_marked_and_nothing_else(way: str) -> None:
    assert trial(7, way) == (True, True, 0)


def test_another_place_is_not_compared() -> None:
    one, other = Facade(1), np.random.default_rng(2).uniform(0, 255, (54, 96)).repeat(10, 0).repeat(10, 1)
    assert compare(other.astype(np.float32), one.shown()) is None


def jpeg(picture: Grey) -> bytes:
    return to_jpeg(np.repeat(np.clip(picture, 0, 255).astype(np.uint8)[..., None], 3, 2))


def judged(facade: Facade, now: bytes, known: tuple[Box, ...] = ()) -> Judged:
    return judge(now, "image/jpeg", jpeg(facade.taken(facade.shown(), "same")), "image/jpeg", known)


@pytest.mark.parametrize(
    ("picture", "outcome"),
    [
        (lambda wall: wall, Outcome.SAME),
        (lambda wall: wall * 0.1, Outcome.DARK),
        (lambda wall: wall * 0.25 + 140, Outcome.HAZE),
        (lambda wall: np.roll(wall, 150, 1), Outcome.ELSEWHERE),
        (lambda wall: np.roll(wall, 30, 0), Outcome.SAME),
    ],
)
def test_a_picture_that_shows_too_little_or_something_else_says_so(picture: Any, outcome: Outcome) -> None:
    facade = Facade(5)
    found = judged(facade, jpeg(facade.taken(picture(facade.shown()), "same")))
    assert (found.outcome, found.cuts) == (outcome, ())


def test_what_is_no_picture_says_so() -> None:
    assert judged(Facade(5), b"\xff\xd8\xff and no more").outcome is Outcome.NONE


def test_a_picture_that_would_fill_the_memory_is_not_decoded() -> None:
    small = bytearray(jpeg(np.zeros((16, 16), np.float32)))
    size = small.index(b"\xff\xc0") + 5  # of the frame header: height and width (ITU-T T.81, B.2.2)
    for side in (7_000, 65_500):
        small[size : size + 4] = side.to_bytes(2, "big") * 2
        assert judge(bytes(small), "image/jpeg", None, "", ()).outcome is Outcome.NONE


def test_what_is_known_is_counted_and_not_cut_out_again() -> None:
    facade = Facade(5)
    new = jpeg(facade.taken(facade.shown(pot=20), "turned"))
    (cut,) = judged(facade, new).cuts
    again = judged(facade, new, ((0.0, 0.0, 0.01, 0.01), cut.box))
    assert (again.outcome, again.found, again.again, again.cuts) == (Outcome.DIFFERS, 1, (1,), ())


def test_both_cut_outs_show_the_same_place_though_the_camera_was_turned() -> None:
    facade = Facade(5)
    wall = facade.shown(pot=len(facade.sills) // 2 + 3)
    (cut,) = judged(facade, jpeg(turned(np.roll(wall, (9, -14), (0, 1)), -1.6))).cuts
    after, before = (
        shrink(np.asarray(decoded(data, "image/jpeg").to_ndarray(format="gray"), dtype=np.uint8), 24, 24).ravel()
        for data in (cut.after, cut.before)
    )
    assert np.corrcoef(after, before)[0, 1] > 0.8


#: Ways in which nothing on the facade differs, and sides of a pot in pixels of the compared picture.
INNOCENT, SIDES = (*WAYS, "pixel", "clouds", "noise"), (6, 8, 10, 12, 16, 20)


def compared(facade: Facade, reference: Grey, picture: Grey, way: str) -> tuple[Box, ...]:
    """Compare as a tour does, through JPEG; a picture that cannot be compared has no boxes."""
    found = compare(grey_of(decoded(jpeg(facade.taken(picture, way)), "image/jpeg")), reference)
    return () if found is None else found.boxes


def figures(count: int) -> Iterator[str]:
    """Yield the figures of docs/tour.md."""
    false, opened = dict.fromkeys(INNOCENT, 0), 0
    found = {(side, way): 0 for side in SIDES for way in ("same", "shadow")}
    for seed in range(100, 100 + count):
        facade = Facade(seed)
        reference = grey_of(decoded(jpeg(facade.taken(facade.shown(), "same")), "image/jpeg"))
        for way in INNOCENT:
            false[way] += len(compared(facade, reference, facade.shown(), way))
        place = int(facade.rng.integers(len(facade.sills)))
        opened += len(compared(facade, reference, facade.shown(window=place), "same")) > 0
        for side, way in found:
            bottom, left = facade.sills[place]
            boxes = compared(facade, reference, facade.shown(pot=place, tall=side, wide=side - 2), way)
            found[side, way] += hits(boxes, bottom - side, left + 4, side, side)
    for way in INNOCENT:
        yield f"{way:8} {false[way]} candidates in {count} innocent pictures"
    for (side, way), hit in found.items():
        yield f"pots of {side:2} px, {way:6} {hit} of {count}"
    yield f"an opened window is a candidate in {opened} of {count}"


if __name__ == "__main__":
    for line in figures(int(sys.argv[1]) if len(sys.argv) > 1 else 5):
        sys.stdout.write(f"{line}\n")
