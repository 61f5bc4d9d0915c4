"""What moves before a facade: things that fall, birds, leaves, insects, rain, drips, trees; drawn into a frame."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
FPS = 25
STOREY = 3.0
GRAVITY = 9.81
#: Levels between which the picture is kept, so that noise never wraps around.
DARK, BRIGHT = 28, 226


@dataclass(frozen=True)
class View:
    """A camera ``distance`` metres before the wall, ``up`` radians tilted, ``focal`` pixels."""

    width: int
    height: int
    distance: float
    up: float
    focal: float
    storeys: int
    eye: float = 2.0

    def row(self, metres: float) -> float:
        """Return the row of a height on the wall."""
        return self.height / 2 - self.focal * math.tan(math.atan2(metres - self.eye, self.distance) - self.up)

    def pixels(self, metres: float) -> float:
        """Return the pixels of a metre upwards at a height."""
        return (self.row(metres - 0.05) - self.row(metres + 0.05)) * 10

    def before(self, metres: float, depth: float) -> float:
        """Return the row of something ``depth`` metres before the wall."""
        return self.row(self.eye + (metres - self.eye) * self.distance / (self.distance - depth))


@dataclass
class Stamp:
    """A soft rectangle in one frame: centre, sides, contrast in levels, motion during the exposure in pixels."""

    x: float
    y: float
    wide: float
    tall: float
    contrast: float
    dx: float = 0.0
    dy: float = 0.0


@dataclass(frozen=True)
class Truth:
    """One fall: seconds of the stream, the ground floor is 1, where it was at each frame (time, x, y)."""

    released: float
    ended: float
    floor: int
    size: float
    contrast: float
    track: tuple[tuple[float, float, float], ...]
    drop: float


class Mover(ABC):
    """Something that moves: returns its stamps at a time."""

    @abstractmethod
    def stamps(self, at: float) -> list[Stamp]: ...

    def over(self, at: float) -> bool:
        return False


@dataclass
class Falls(Mover):
    """A thing that falls: ``k`` is gravity by the square of the terminal speed, 1/m."""

    seen: View
    released: float
    x: float
    height: float
    size: float
    contrast: float
    k: float
    sideways: float
    depth: float
    exposure: float
    ends: float = 0.0
    """Metres above the ground at which it ends."""
    aspect: float = 1.0

    def fallen(self, since: float) -> tuple[float, float]:
        """Return metres and metres a second."""
        z = since * math.sqrt(GRAVITY * self.k)
        return math.log(math.cosh(z)) / self.k, math.sqrt(GRAVITY / self.k) * math.tanh(z)

    def where(self, at: float) -> tuple[float, float, float, float] | None:
        """Return x, y, metres above the ground and speed, or None before and after the fall."""
        since = at - self.released
        if since < -1e-6:
            return None
        metres, speed = self.fallen(since)
        height = self.height - metres
        if height < self.ends:
            return None
        scale = self.seen.pixels(height)
        return self.x + self.sideways * since * scale, self.seen.before(height, self.depth), height, speed

    def stamps(self, at: float) -> list[Stamp]:
        place = self.where(at)
        if place is None:
            return []
        x, y, height, speed = place
        blur = speed * self.seen.pixels(height) * self.exposure
        return [Stamp(x, y, self.size, self.size * self.aspect, self.contrast, 0.0, blur)]

    def over(self, at: float) -> bool:
        return at > self.released + 0.1 and self.where(at) is None

    def truth(self) -> Truth:
        first = math.ceil(self.released * FPS)
        track = []
        for number in range(first, first + 20 * FPS):
            place = self.where(number / FPS)
            if place is None:
                break
            track.append((number / FPS, place[0], place[1]))
        floor = int(self.height // STOREY) + 1
        return Truth(
            self.released, track[-1][0], floor, self.size, self.contrast, tuple(track), self.height - self.ends
        )


@dataclass
class Bird(Mover):
    """Flies across; swoops where ``swoop`` is not zero."""

    begins: float
    x: float
    y: float
    right: float
    swoop: float
    size: float
    contrast: float
    lasts: float

    def stamps(self, at: float) -> list[Stamp]:
        since = at - self.begins
        if not 0 <= since < self.lasts:
            return []
        y = self.y + self.swoop * math.sin(since * 1.7) + 6 * math.sin(since * 5)
        flap = 0.7 + 0.3 * math.sin(since * 40)
        return [
            Stamp(self.x + self.right * since, y, self.size, self.size * 0.5 * flap, self.contrast, self.right / 250)
        ]

    def over(self, at: float) -> bool:
        return at > self.begins + self.lasts


@dataclass
class Drifter(Mover):
    """Leaf, bag or cloth: falls at its small terminal speed and sways."""

    seen: View
    begins: float
    x: float
    height: float
    terminal: float
    sway: float
    turn: float
    wind: float
    size: float
    contrast: float

    def stamps(self, at: float) -> list[Stamp]:
        since = at - self.begins
        k = GRAVITY / self.terminal**2
        height = self.height - math.log(math.cosh(min(300.0, since * math.sqrt(GRAVITY * k)))) / k
        height += 0.2 * self.sway * math.sin(2 * self.turn * since)
        if since < 0 or height < 0:
            return []
        scale = self.seen.pixels(height)
        x = self.x + (self.wind * since + self.sway * math.sin(self.turn * since)) * scale
        wide = self.size * (0.6 + 0.4 * abs(math.cos(self.turn * since)))
        return [Stamp(x, self.seen.row(height), wide, self.size, self.contrast)]

    def over(self, at: float) -> bool:
        return at > self.begins + 1 and not self.stamps(at)


@dataclass
class Insect(Mover):
    """Near the lens: large, soft, fast, turns as it likes."""

    rng: np.random.Generator
    begins: float
    x: float
    y: float
    size: float
    contrast: float
    speed: float
    lasts: float
    right: float = 0.0
    down: float = 0.0
    at: float = 0.0

    def stamps(self, at: float) -> list[Stamp]:
        if not self.begins <= at < self.begins + self.lasts:
            return []
        step = min(0.5, at - max(self.at, self.begins))
        self.at = at
        keep = math.exp(-step / 0.25)
        kick = self.speed * math.sqrt(max(0.0, 1 - keep * keep))
        self.right = self.right * keep + kick * float(self.rng.normal())
        self.down = self.down * keep + kick * float(self.rng.normal())
        self.x += self.right * step
        self.y += self.down * step
        blur = 1 / 100
        return [Stamp(self.x, self.y, self.size, self.size, self.contrast, self.right * blur, self.down * blur)]

    def over(self, at: float) -> bool:
        return at > self.begins + self.lasts


@dataclass
class Rain(Mover):
    """Streaks near the lens, new in each frame, and drops far away that fall steadily."""

    rng: np.random.Generator
    seen: View
    streaks: int
    far: int
    drops: list[list[float]] = field(default_factory=list)
    at: float = 0.0

    def stamps(self, at: float) -> list[Stamp]:
        rng, seen = self.rng, self.seen
        step, self.at = min(0.5, at - self.at), at
        out = [
            Stamp(
                float(rng.uniform(0, seen.width)),
                float(rng.uniform(0, seen.height)),
                1.0 + float(rng.uniform(0, 1.5)),
                float(rng.uniform(8, 60)),
                float(rng.uniform(8, 30)),
            )
            for _ in range(int(rng.poisson(self.streaks)))
        ]
        while len(self.drops) < self.far:
            scale = float(rng.uniform(12, 60))
            self.drops.append(
                [
                    float(rng.uniform(0, seen.width)),
                    float(rng.uniform(-200, 0)),
                    scale * float(rng.uniform(5, 9)),
                    float(rng.uniform(-0.5, 0.5)) * scale,
                    float(rng.uniform(10, 35)),
                ]
            )
        for drop in self.drops:
            drop[0] += drop[3] * step
            drop[1] += drop[2] * step
            out.append(Stamp(drop[0], drop[1], 1.5, 2.5, drop[4], 0.0, drop[2] / 250))
        self.drops = [drop for drop in self.drops if drop[1] < seen.height]
        return out


@dataclass
class Drip(Mover):
    """An air conditioner: a drop every few seconds from one place, down to another one or to the ground."""

    rng: np.random.Generator
    seen: View
    x: float
    height: float
    period: float
    ends: float
    contrast: float
    exposure: float
    size: float
    drops: list[Falls] = field(default_factory=list)
    due: float = 0.0

    def stamps(self, at: float) -> list[Stamp]:
        if at >= self.due:
            self.drops.append(
                Falls(
                    self.seen,
                    at,
                    self.x + float(self.rng.normal(0, 0.4)),
                    self.height,
                    self.size,
                    self.contrast,
                    GRAVITY / 8.5**2,
                    float(self.rng.normal(0, 0.05)),
                    0.5,
                    self.exposure,
                    self.ends,
                )
            )
            self.due = at + self.period * float(self.rng.uniform(0.7, 1.3))
        self.drops = [drop for drop in self.drops if not drop.over(at)]
        return [stamp for drop in self.drops for stamp in drop.stamps(at)]


@dataclass
class Tree:
    """A crown in the lower part that sways: its own texture, moved by a few pixels, branch by branch."""

    phases: NDArray[np.uint8]
    """(phase, row, column)."""
    x: int
    y: int
    turn: float
    shape: NDArray[np.bool_]

    def draw(self, canvas: Luma, at: float, gust: float) -> None:
        phase = int((math.sin(self.turn * at) + gust * math.sin(2.7 * self.turn * at) + 2) / 4 * len(self.phases))
        height, width = self.shape.shape
        target = canvas[self.y : self.y + height, self.x : self.x + width]
        np.copyto(target, self.phases[min(len(self.phases) - 1, max(0, phase))], where=self.shape)


def tree(rng: np.random.Generator, seen: View, level: int) -> Tree:
    """Return a crown of leaves of a few pixels."""
    width, height = int(rng.integers(80, 220)), int(rng.integers(80, 200))
    leaves = np.kron(rng.normal(0, 22, (height // 4 + 8, width // 4 + 8)), np.ones((4, 4)))
    rows, columns = np.mgrid[:height, :width]
    sway = 5 * np.sin(columns / 23) * (1 - rows / height) + 3
    phases = []
    for phase in np.linspace(-1, 1, 16):
        shifted = leaves[rows + 8, np.clip(columns + 8 + np.rint(phase * sway).astype(int), 0, leaves.shape[1] - 1)]
        phases.append(np.clip(level * 0.6 + shifted, DARK, BRIGHT).astype(np.uint8))
    shape = ((columns - width / 2) / (width / 2)) ** 2 + ((rows - height / 2) / (height / 2)) ** 2 < 1
    x = int(rng.choice([rng.integers(0, seen.width // 5), rng.integers(4 * seen.width // 5, seen.width - width)]))
    return Tree(np.array(phases), max(0, x), seen.height - height, float(rng.uniform(1.5, 4)), shape)


def draw(canvas: Luma, stamp: Stamp) -> None:
    """Add a stamp to the picture, its edges and its motion smoothed."""
    height, width = canvas.shape
    left, right = stamp.x - (stamp.wide + abs(stamp.dx)) / 2, stamp.x + (stamp.wide + abs(stamp.dx)) / 2
    top, bottom = stamp.y - (stamp.tall + abs(stamp.dy)) / 2, stamp.y + (stamp.tall + abs(stamp.dy)) / 2
    x0, x1 = max(0, math.floor(left)), min(width, math.ceil(right) + 1)
    y0, y1 = max(0, math.floor(top)), min(height, math.ceil(bottom) + 1)
    if x0 >= x1 or y0 >= y1:
        return
    weight = np.outer(_cover(y0, y1, stamp.y, stamp.tall, stamp.dy), _cover(x0, x1, stamp.x, stamp.wide, stamp.dx))
    patch = canvas[y0:y1, x0:x1]
    np.copyto(patch, np.clip(np.rint(patch + stamp.contrast * weight), DARK, BRIGHT).astype(np.uint8))


def _cover(first: int, last: int, middle: float, side: float, moved: float) -> NDArray[np.float64]:
    """Return how much of each pixel is covered, and for how much of the exposure."""
    pixels = np.arange(first, last)
    steps = 1 if abs(moved) < 0.3 else 6
    covered = np.zeros(last - first)
    for step in range(steps):
        centre = middle + ((step + 0.5) / steps - 0.5) * moved
        covered += np.clip(np.minimum(pixels + 1, centre + side / 2) - np.maximum(pixels, centre - side / 2), 0, 1)
    return covered / steps
