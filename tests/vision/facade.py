"""A facade that never was, with ground truth: what stands, what moves, what falls, at day, dusk and night.

A pinhole camera on the ground looks up at a plane. Everything follows from one seed. Frames are made fast (a third of a
millisecond each at 720p), so that hours can be run: noise is cut from one long strip at a random place.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hub.vision.falling.calibration import Click, Facade, calibrate

Luma = NDArray[np.uint8]
FPS = 25
STOREY = 3.0
GRAVITY = 9.81
#: Levels between which the picture is kept, so that noise never wraps around.
DARK, BRIGHT, NOISE_CAP = 28, 226, 27


class Light(StrEnum):
    """Time of the day: (wall, window, exposure in s, share of lit windows) below."""

    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"


LIGHTS = {Light.DAY: (150, 95, 1 / 250, 0.05), Light.DUSK: (105, 70, 1 / 100, 0.3), Light.NIGHT: (60, 45, 1 / 50, 0.4)}


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


class Mover:
    """Something that moves: returns its stamps at a time."""

    def stamps(self, at: float) -> list[Stamp]:
        raise NotImplementedError

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
            Stamp(*(rng.uniform(0, 1, 2) * (seen.width, seen.height)).tolist(), 1.0 + float(rng.uniform(0, 1.5)),
                  float(rng.uniform(8, 60)), float(rng.uniform(8, 30)))
            for _ in range(int(rng.poisson(self.streaks)))
        ]  # fmt: skip
        while len(self.drops) < self.far:
            scale = float(rng.uniform(12, 60))
            self.drops.append([float(rng.uniform(0, seen.width)), float(rng.uniform(-200, 0)),
                               scale * float(rng.uniform(5, 9)), float(rng.uniform(-0.5, 0.5)) * scale,
                               float(rng.uniform(10, 35))])  # fmt: skip
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
                Falls(self.seen, at, self.x + float(self.rng.normal(0, 0.4)), self.height, self.size, self.contrast,
                      GRAVITY / 8.5**2, float(self.rng.normal(0, 0.05)), 0.5, self.exposure, self.ends)
            )  # fmt: skip
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
        return np.clip(picture, DARK, BRIGHT).astype(np.uint8)

    # -- what can happen ---------------------------------------------------------------------------------------------

    def fall(self, at: float, size: float, contrast: float, least: float = 6.0, most: float = 60.0) -> Truth:
        """Let something fall from a window, by at least ``least`` metres and at most ``most``."""
        rng = self.rng
        high = [(x, floor) for x, floor in self.places if (floor - 1) * STOREY + 0.8 >= least]
        x, floor = high.pop(int(rng.integers(len(high))))
        self.places.remove((x, floor))  # each from another window: what falls twice from one is a drip to the detector
        height = (floor - 1) * STOREY + float(rng.uniform(0.8, 1.8))
        drop = min(height, max(least, float(rng.uniform(least, most))))
        falls = Falls(
            self.seen, at, x + float(rng.uniform(-0.5, 0.5)) * self.seen.pixels(height), height, size,
            contrast if rng.random() < 0.5 else -contrast, GRAVITY / float(rng.uniform(14, 60)) ** 2,
            float(rng.normal(0, 0.6)), float(rng.uniform(0.1, 0.6)), self.exposure, height - drop,
        )  # fmt: skip
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
                Bird(float(at), x, float(rng.uniform(50, self.height - 100)), right, swoop,
                     float(rng.uniform(6, 20)), float(rng.uniform(-70, -25)), self.width / abs(right))
            )  # fmt: skip

    def drifters(self, seconds: float, each_minute: float, cloth: bool) -> None:
        rng = self.rng
        for at in rng.uniform(0, seconds, int(rng.poisson(each_minute * seconds / 60))):
            x, floor = self.places[int(rng.integers(len(self.places)))]
            self.movers.append(
                Drifter(self.seen, float(at), x, floor * STOREY - 1.0, float(rng.uniform(1.5, 4) if cloth else rng.uniform(0.8, 2.2)),
                        float(rng.uniform(0.1, 0.8)), float(rng.uniform(2, 9)), float(rng.normal(0, 1)),
                        float(rng.uniform(12, 40) if cloth else rng.uniform(3, 7)), float(rng.choice([-1, 1]) * rng.uniform(20, 70)))
            )  # fmt: skip

    def insects(self, seconds: float, each_minute: float) -> None:
        rng = self.rng
        for at in rng.uniform(0, seconds, int(rng.poisson(each_minute * seconds / 60))):
            self.movers.append(
                Insect(np.random.default_rng(rng.integers(1 << 31)), float(at), float(rng.uniform(0, self.width)),
                       float(rng.uniform(0, self.height)), float(rng.uniform(4, 28)), float(rng.uniform(15, 60)),
                       float(rng.uniform(60, 500)), float(rng.uniform(0.5, 6)))
            )  # fmt: skip

    def rain(self, streaks: int, far: int) -> None:
        self.movers.append(Rain(np.random.default_rng(self.rng.integers(1 << 31)), self.seen, streaks, far))

    def drips(self, count: int) -> None:
        rng = self.rng
        for _ in range(count):
            x, floor = self.places[int(rng.integers(len(self.places)))]
            height = max(3.5, (floor - 1) * STOREY + 0.6)
            ends = float(rng.choice([0.0, max(0.0, height - 3.0 * int(rng.integers(1, 5)))]))
            self.movers.append(
                Drip(np.random.default_rng(rng.integers(1 << 31)), self.seen, x + 1.2 * self.seen.pixels(height), height,
                     float(rng.uniform(1, 20)), ends, float(rng.uniform(15, 45)), self.exposure, float(rng.uniform(2, 3.5)),
                     due=float(rng.uniform(0, 20)))
            )  # fmt: skip

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

    # -- frames ------------------------------------------------------------------------------------------------------

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
            yield at, canvas + noise[offset : offset + base.size].reshape(base.shape)


def _toggle(picture: Luma, window: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = window
    pane = picture[top:bottom, left:right]
    change = -80 if int(pane.mean()) > 120 else 80
    np.copyto(pane, np.clip(pane.astype(np.int16) + change, DARK, BRIGHT).astype(np.uint8))


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
