"""What is carried into a lift car: cars of our own making, with people, prams, wheelchairs, e-bikes and no model."""

from __future__ import annotations

import numpy as np
import pytest

from hub.vision.detect.box import Detection, Kind
from hub.vision.frame import Frame
from hub.vision.lift.watch import NOTICE, LiftNow, LiftWatch

FLOOR = ((0.2, 0.4), (0.8, 0.4), (0.95, 0.98), (0.05, 0.98))
KNOWS = frozenset({Kind.EBIKE, Kind.WHEELCHAIR, Kind.PRAM})
BOX = (0.3, 0.4, 0.8, 0.9)


def car(at: float, seed: int, things: tuple[tuple[float, float, float, float], ...] = (), light: float = 1.0) -> Frame:
    """Draw a car from above its door with dark things in it, and noise of sigma 3."""
    chance = np.random.default_rng(seed * 1000 + round(at * 10))
    picture = np.full((180, 320), 120.0)
    picture[80:] = 150 + 6 * (np.indices((100, 320)).sum(0) // 12 % 2)
    for left, top, right, bottom in things:
        picture[round(top * 180) : round(bottom * 180), round(left * 320) : round(right * 320)] = 60
    noisy = picture * light + chance.normal(0, 3, picture.shape)
    return Frame(np.clip(noisy, 0, 255).astype(np.uint8), at)


def thing(kind: Kind, score: float = 0.8, box: tuple[float, float, float, float] = BOX) -> Detection:
    return Detection(kind, score, box)


def run(watch: LiftWatch, seed: int, found: list[tuple[Detection, ...] | None], *things: object) -> list[LiftNow]:
    """Show an empty car, then things for as many looks as ``found`` has."""
    boxes = tuple(things)
    said = [watch.see(car(look * 0.4, seed), () if found[0] is not None else None) for look in range(6)]
    for look, one in enumerate(found):
        said.append(watch.see(car(2.4 + look * 0.4, seed, boxes), one))  # type: ignore[arg-type]
    return [one for one in said if one is not None]


def test_three_of_five_pictures_name_an_ebike() -> None:
    watch = LiftWatch(FLOOR, KNOWS)
    bike = (thing(Kind.EBIKE),)
    assert run(watch, 1, [bike, ()]) == []
    assert watch.now.ebike is False
    said = run(LiftWatch(FLOOR, KNOWS), 1, [bike, (), bike, (), bike], BOX)
    assert [(one.ebike, one.confidence) for one in said if one.ebike] == [(True, 0.8)]


def test_pictures_far_apart_do_not_add_up() -> None:
    watch = LiftWatch(FLOOR, KNOWS)
    for look in range(10):
        watch.see(car(look * 1.5, 1), (thing(Kind.EBIKE),))
    assert watch.now.ebike is False, "2 pictures in 2 s at the most"


def test_it_leaves_once() -> None:
    bike = (thing(Kind.EBIKE),)
    said = run(LiftWatch(FLOOR, KNOWS), 2, [bike] * 5 + [()] * 8, BOX)
    assert [one.ebike for one in said] == [True, False]


@pytest.mark.parametrize("kind", [Kind.WHEELCHAIR, Kind.PRAM])
def test_a_wheelchair_or_pram_never_holds(kind: Kind) -> None:
    alone = run(LiftWatch(FLOOR, KNOWS), 3, [(thing(kind),)] * 20, BOX)
    both = run(LiftWatch(FLOOR, KNOWS), 3, [(thing(kind), thing(Kind.EBIKE, 0.9))] * 20, BOX)
    assert not any(one.ebike for one in (*alone, *both))


@pytest.mark.parametrize("knows", [frozenset(), frozenset({Kind.PERSON, Kind.VEHICLE})])
def test_without_a_model_that_can_there_is_only_a_notice(knows: frozenset[Kind]) -> None:
    watch = LiftWatch(FLOOR, knows)
    said = run(watch, 4, [(thing(Kind.EBIKE, 0.99),) if knows else None] * 10, BOX)
    assert [(one.ebike, one.bulky, one.confidence) for one in said] == [(None, True, NOTICE)]


def test_forty_innocent_cars_and_forty_bulky_things() -> None:
    """Two people and the light switched; and a thing of a bicycle's size, at places and lights of chance."""
    false = found = 0
    for seed in range(40):
        chance = np.random.default_rng(seed)
        watch = LiftWatch(FLOOR)
        people = tuple((x, 0.5, x + 0.11, 0.8) for x in (0.2 + 0.15 * chance.random(), 0.6 + 0.15 * chance.random()))
        left = 0.1 + 0.2 * chance.random()
        light = 0.7 + 0.5 * chance.random()
        for look in range(16):
            things = () if look < 6 else people
            watch.see(car(look * 0.4, seed, things, 1.0 if look < 9 else light), None)
        false += watch.now.bulky
        for look in range(16, 26):
            watch.see(car(look * 0.4, seed, ((left, 0.45, left + 0.5, 0.9),), light), None)
        found += watch.now.bulky
    print(f"lift: {false} of 40 innocent cars noticed, {found} of 40 bulky things (seeds 0 to 39)")  # noqa: T201
    assert (false, found) == (0, 40)


def test_a_detector_that_fails_leaves_it_open() -> None:
    said = run(LiftWatch(FLOOR, KNOWS), 5, [(thing(Kind.EBIKE),)] * 4 + [None] * 8, BOX)
    assert [one.ebike for one in said][:2] == [True, None]
