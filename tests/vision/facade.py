"""A facade that never was, with ground truth: what stands, what moves, what falls, at day, dusk and night.

A pinhole camera on the ground looks up at a plane. Everything follows from one seed. Frames are made fast (a third of a
millisecond each at 720p), so that hours can be run: noise is cut from one long strip at a random place.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hub.vision.falling.calibration import Click, Facade, calibrate
from tests.vision.movers import (
    BRIGHT,
    DARK,
    FPS,
    GRAVITY,
    STOREY,
    Bird,
    Drifter,
    Drip,
    Falls,
    Insect,
    Luma,
    Mover,
    Rain,
    Tree,
    Truth,
    View,
    draw,
    tree,
)

#: Noise is cut here, in levels: less than what ``DARK`` and ``BRIGHT`` leave at both ends.
NOISE_CAP = 27


class Light(StrEnum):
    """Time of the day: (wall, window, exposure in s, share of lit windows) below."""

    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"


LIGHTS = {Light.DAY: (150, 95, 1 / 250, 0.05), Light.DUSK: (105, 70, 1 / 100, 0.3), Light.NIGHT: (60, 45, 1 / 50, 0.4)}


def view(rng: np.random.Generator, width: int, height: int) -> View:
    """Return a camera that sees 8 to 16 storeys from the ground to the roof."""
    storeys = int(rng.integers(8, 17))
    top = storeys * STOREY + 1.5
    distance = float(rng.uniform(0.8, 1.5)) * top
    low, high = math.atan2(-2.5, distance), math.atan2(top - 2.0, distance)
    up = (low + high) / 2
    return View(width, height, distance, up, height / 2 / math.tan((high - low) / 2), storeys)


def clicks(rng: np.random.Generator, seen: View) -> tuple[Click, ...]:
    """Click the slabs of six floors as a person does: within about two pixels."""
    floors = sorted(rng.choice(np.arange(1, seen.storeys + 1), size=6, replace=False).tolist())
    rows = [seen.row((floor - 1) * STOREY) + float(rng.normal(0, 1.2)) for floor in floors]
    x = float(rng.uniform(0.4, 0.6))
    return tuple(
        Click(x, min(1.0, max(0.0, row / seen.height)), floor) for row, floor in zip(rows, floors, strict=True)
    )


@lru_cache(maxsize=4)
def strip(sigma: float, seed: int) -> NDArray[np.uint8]:
    """Return a strip of noise as differences modulo 256."""
    found = np.random.default_rng(seed).standard_normal(1 << 24, dtype=np.float32)
    found *= sigma
    np.clip(np.rint(found, out=found), -NOISE_CAP, NOISE_CAP, out=found)
    return found.astype(np.int8).view(np.uint8)


@dataclass
class Scene:
    """A facade for some seconds; ``movers`` and what else happens is added before ``frames`` is run."""

    seed: int
    light: Light = Light.DAY
    width: int = 1280
    height: int = 720
    sigma: float = 3.0

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.seen = view(self.rng, self.width, self.height)
        self.clicks = clicks(self.rng, self.seen)
        self.exposure = LIGHTS[self.light][2]
        self.movers: list[Mover] = []
        self.trees: list[Tree] = []
        self.gust = 0.0
        self.switches: list[tuple[float, int]] = []
        """(time, window) at which a light changes, ascending."""
        self.gains: list[tuple[float, float]] = []
        """(time, gain) of steps of the exposure, ascending."""
        self.truths: list[Truth] = []
        self.windows: list[tuple[int, int, int, int]] = []
        """(left, top, right, bottom) in pixels."""
        self.places: list[tuple[float, int]] = []
        """(x, floor) of each window."""
        self.base = self._paint()

    def facade(self) -> Facade:
        """Return the map that the clicks give."""
        return calibrate(self.clicks, STOREY)

    def _paint(self) -> Luma:
        rng, seen = self.rng, self.seen
        wall, dark, _, lit = LIGHTS[self.light]
        picture = np.full((self.height, self.width), float(wall))
        picture += np.kron(rng.normal(0, 3, (self.height // 40 + 1, self.width // 40 + 1)), np.ones((40, 40)))[
            : self.height, : self.width
        ]
        picture[: max(0, int(seen.row(seen.storeys * STOREY)))] = min(BRIGHT, wall * 1.3)
        for floor in range(1, seen.storeys + 1):
            base = (floor - 1) * STOREY
            slab = int(seen.row(base))
            picture[max(0, slab - 1) : slab + 1] -= 12
            scale = seen.pixels(base + 1.5)
            top, bottom = int(seen.row(base + 2.4)), int(seen.row(base + 0.9))
            half = 0.75 * scale
            for place in np.arange(self.width / 2 % (3.6 * scale), self.width - half, 3.6 * scale):
                if place < half + 4 or top < 2:
                    continue
                left, right = int(place - half), int(place + half)
                level = dark + float(rng.normal(0, 8)) + (90 if rng.random() < lit else 0)
                picture[top:bottom, left:right] = level
                picture[top:bottom, left : left + 2] = wall * 1.1
                self.windows.append((left, top, right, bottom))
                self.places.append((float(place), floor))
        ground = int(seen.row(0.0))
        picture[ground:] = wall * 0.7
        painted: Luma = np.clip(picture, DARK, BRIGHT).astype(np.uint8)
        return painted

    # -- what can happen -----------------------------------------------------------------------------------------------

    def fall(self, at: float, size: float, contrast: float, least: float = 6.0, most: float = 60.0) -> Truth:
        """Let something fall from a window, by at least ``least`` metres and at most ``most``."""
        rng = self.rng
        high = [(x, floor) for x, floor in self.places if (floor - 1) * STOREY + 0.8 >= least]
        x, floor = high.pop(int(rng.integers(len(high))))
        self.places.remove((x, floor))  # each from another window: what falls twice from one is a drip to the detector
        height = (floor - 1) * STOREY + float(rng.uniform(0.8, 1.8))
        drop = min(height, max(least, float(rng.uniform(least, most))))
        falls = Falls(
            self.seen,
            at,
            x + float(rng.uniform(-0.5, 0.5)) * self.seen.pixels(height),
            height,
            size,
            contrast if rng.random() < 0.5 else -contrast,
            GRAVITY / float(rng.uniform(14, 60)) ** 2,
            float(rng.normal(0, 0.6)),
            float(rng.uniform(0.1, 0.6)),
            self.exposure,
            height - drop,
        )
        self.movers.append(falls)
        self.truths.append(falls.truth())
        return self.truths[-1]

    def birds(self, seconds: float, each_minute: float) -> None:
        rng = self.rng
        for at in rng.uniform(0, seconds, int(rng.poisson(each_minute * seconds / 60))):
            scale = float(rng.uniform(12, 35))
            right = scale * float(rng.uniform(5, 14)) * (1 if rng.random() < 0.5 else -1)
            x = 0.0 if right > 0 else float(self.width)
            swoop = scale * float(rng.choice([0, 1.5, 3, 4.5])) * float(rng.choice([-1, 1]))  # up to 13 m/s²
            self.movers.append(
                Bird(
                    float(at),
                    x,
                    float(rng.uniform(50, self.height - 100)),
                    right,
                    swoop,
                    float(rng.uniform(6, 20)),
                    float(rng.uniform(-70, -25)),
                    self.width / abs(right),
                )
            )

    def drifters(self, seconds: float, each_minute: float, cloth: bool) -> None:
        rng = self.rng
        for at in rng.uniform(0, seconds, int(rng.poisson(each_minute * seconds / 60))):
            x, floor = self.places[int(rng.integers(len(self.places)))]
            self.movers.append(
                Drifter(
                    self.seen,
                    float(at),
                    x,
                    floor * STOREY - 1.0,
                    float(rng.uniform(1.5, 4) if cloth else rng.uniform(0.8, 2.2)),
                    float(rng.uniform(0.1, 0.8)),
                    float(rng.uniform(2, 9)),
                    float(rng.normal(0, 1)),
                    float(rng.uniform(12, 40) if cloth else rng.uniform(3, 7)),
                    float(rng.choice([-1, 1]) * rng.uniform(20, 70)),
                )
            )

    def insects(self, seconds: float, each_minute: float) -> None:
        rng = self.rng
        for at in rng.uniform(0, seconds, int(rng.poisson(each_minute * seconds / 60))):
            self.movers.append(
                Insect(
                    np.random.default_rng(rng.integers(1 << 31)),
                    float(at),
                    float(rng.uniform(0, self.width)),
                    float(rng.uniform(0, self.height)),
                    float(rng.uniform(4, 28)),
                    float(rng.uniform(15, 60)),
                    float(rng.uniform(60, 500)),
                    float(rng.uniform(0.5, 6)),
                )
            )

    def rain(self, streaks: int, far: int) -> None:
        self.movers.append(Rain(np.random.default_rng(self.rng.integers(1 << 31)), self.seen, streaks, far))

    def drips(self, count: int) -> None:
        rng = self.rng
        for _ in range(count):
            x, floor = self.places[int(rng.integers(len(self.places)))]
            height = max(3.5, (floor - 1) * STOREY + 0.6)
            ends = float(rng.choice([0.0, max(0.0, height - 3.0 * int(rng.integers(1, 5)))]))
            self.movers.append(
                Drip(
                    np.random.default_rng(rng.integers(1 << 31)),
                    self.seen,
                    x + 1.2 * self.seen.pixels(height),
                    height,
                    float(rng.uniform(1, 20)),
                    ends,
                    float(rng.uniform(15, 45)),
                    self.exposure,
                    float(rng.uniform(2, 3.5)),
                    due=float(rng.uniform(0, 20)),
                )
            )

    def plant(self, count: int, gust: float = 0.5) -> None:
        self.gust = gust
        self.trees += [tree(self.rng, self.seen, LIGHTS[self.light][0]) for _ in range(count)]

    def lights(self, seconds: float, each_minute: float) -> None:
        times = sorted(self.rng.uniform(0, seconds, int(self.rng.poisson(each_minute * seconds / 60))).tolist())
        self.switches = [(at, int(self.rng.integers(len(self.windows)))) for at in times]

    def exposures(self, seconds: float, each_minute: float) -> None:
        """Steps of the exposure, each within two to six frames."""
        gain, times = 1.0, sorted(self.rng.uniform(0, seconds, int(self.rng.poisson(each_minute * seconds / 60))))
        for at in times:
            new = float(self.rng.uniform(0.8, 1.2))
            steps = int(self.rng.integers(1, 7))
            self.gains += [(float(at) + i / FPS, gain + (new - gain) * (i + 1) / steps) for i in range(steps)]
            gain = new
        self.gains.sort()

    # -- frames --------------------------------------------------------------------------------------------------------

    def frames(self, seconds: float, begin: float = 0.0) -> Iterator[tuple[float, Luma]]:
        """Yield (stream time, frame); the array is new each time."""
        noise = strip(self.sigma, 1)
        rng = np.random.default_rng(self.seed + 1_000_003)
        base, gain, lit = self.base, 1.0, self.base.copy()
        canvas = np.empty_like(base)
        switches, gains, pending = (
            list(self.switches),
            list(self.gains),
            sorted(self.movers, key=lambda mover: getattr(mover, "begins", getattr(mover, "released", 0.0))),
        )
        movers: list[Mover] = []
        for number in range(round(begin * FPS), round((begin + seconds) * FPS)):
            at = number / FPS
            changed = False
            while switches and switches[0][0] <= at:
                _toggle(lit, self.windows[switches.pop(0)[1]])
                changed = True
            while gains and gains[0][0] <= at:
                gain, changed = gains.pop(0)[1], True
            if changed:
                base = np.clip(np.rint(lit * np.float32(gain)), DARK, BRIGHT).astype(np.uint8)
            while pending and getattr(pending[0], "begins", getattr(pending[0], "released", 0.0)) <= at:
                movers.append(pending.pop(0))
            np.copyto(canvas, base)
            for one in self.trees:
                one.draw(canvas, at, self.gust)
            for mover in movers:
                for stamp in mover.stamps(at):
                    draw(canvas, stamp)
            movers = [mover for mover in movers if not mover.over(at)]
            offset = int(rng.integers(len(noise) - base.size))
            frame: Luma = canvas + noise[offset : offset + base.size].reshape(base.shape)
            yield at, frame


def _toggle(picture: Luma, window: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = window
    pane = picture[top:bottom, left:right]
    change = -80 if int(pane.mean()) > 120 else 80
    np.copyto(pane, np.clip(pane.astype(np.int16) + change, DARK, BRIGHT).astype(np.uint8))
