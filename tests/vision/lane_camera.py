"""A drawn lane as a camera over it sees it: ground, vehicles as boxes with windows and wheels, people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Canvas = npt.NDArray[np.float32]
Point = tuple[float, float, float]

WIDTH, HEIGHT, MARGIN = 320, 180, 14
_ROWS, _COLUMNS = HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN


@dataclass(frozen=True)
class Camera:
    """Where it hangs, in metres and radians: ``side`` of the lane's middle, ``pitch`` down from the horizon."""

    side: float
    height: float
    pitch: float
    yaw: float
    focal: float

    def pixel(self, point: Point) -> tuple[float, float]:
        """Project a point (right, forward, up) to the canvas."""
        x, y, z = point[0] - self.side, point[1], point[2] - self.height
        x, y = x * np.cos(self.yaw) - y * np.sin(self.yaw), x * np.sin(self.yaw) + y * np.cos(self.yaw)
        depth = y * np.cos(self.pitch) - z * np.sin(self.pitch)
        rise = y * np.sin(self.pitch) + z * np.cos(self.pitch)
        depth = max(depth, 0.3)
        return (
            MARGIN + WIDTH / 2 + self.focal * WIDTH * x / depth,
            MARGIN + HEIGHT / 2 - self.focal * WIDTH * rise / depth,
        )

    def outline(self, points: Sequence[Point]) -> list[tuple[float, float]]:
        """Project a polygon."""
        return [self.pixel(point) for point in points]


def camera(rng: np.random.Generator) -> Camera:
    """Hang a camera somewhere sensible."""
    side = float(rng.uniform(-3.5, 3.5))
    height = float(rng.uniform(3.5, 7.0))
    return Camera(side, height, float(rng.uniform(0.30, 0.50)), side / 16, float(rng.uniform(0.75, 1.0)))


def paint(canvas: Canvas, corners: Sequence[tuple[float, float]], level: float, mix: float = 1.0) -> None:
    """Fill a convex polygon; with ``mix`` below 1 what is under it shines through."""
    found = _covered(canvas, corners)
    if found is not None:
        rows, columns, inside = found
        part = canvas[rows, columns]
        part[inside] += mix * (level - part[inside])


def shade(canvas: Canvas, corners: Sequence[tuple[float, float]], factor: float) -> None:
    """Multiply a convex polygon."""
    found = _covered(canvas, corners)
    if found is not None:
        rows, columns, inside = found
        canvas[rows, columns][inside] *= factor


def _covered(
    canvas: Canvas, corners: Sequence[tuple[float, float]]
) -> tuple[slice, slice, npt.NDArray[np.bool_]] | None:
    points = np.array(corners)
    left, top = np.maximum(np.floor(points.min(axis=0)), 0).astype(int)
    right, bottom = np.ceil(points.max(axis=0)).astype(int) + 1
    right, bottom = min(right, canvas.shape[1]), min(bottom, canvas.shape[0])
    if right <= left or bottom <= top:
        return None
    across, down = np.meshgrid(np.arange(left, right), np.arange(top, bottom))
    after = np.roll(points, -1, axis=0)
    turn = np.sign(np.sum(points[:, 0] * after[:, 1] - after[:, 0] * points[:, 1]))
    inside = np.ones(across.shape, dtype=np.bool_)
    for (x0, y0), (x1, y1) in zip(points, after, strict=True):
        inside &= ((x1 - x0) * (down - y0) - (y1 - y0) * (across - x0)) * turn >= 0
    return slice(top, bottom), slice(left, right), inside


def texture(rng: np.random.Generator, coarse: int, sigma: float) -> Canvas:
    """Make smooth random brightness with patches of ``coarse`` pixels."""
    grid = rng.normal(0, sigma, (_ROWS // coarse + 2, _COLUMNS // coarse + 2))
    rows, columns = np.arange(_ROWS) / coarse, np.arange(_COLUMNS) / coarse
    r, c = rows.astype(int), columns.astype(int)
    fr, fc = (rows - r)[:, None], (columns - c)[None, :]
    mixed = (grid[r][:, c] * (1 - fc) + grid[r][:, c + 1] * fc) * (1 - fr)
    mixed += (grid[r + 1][:, c] * (1 - fc) + grid[r + 1][:, c + 1] * fc) * fr
    return np.asarray(mixed, dtype=np.float32)


def ground(rng: np.random.Generator, view: Camera) -> Canvas:
    """Draw the empty place: asphalt with patches and lines, kerbs, a wall with windows, a hedge."""
    canvas = np.full((_ROWS, _COLUMNS), rng.uniform(85, 125), dtype=np.float32)
    canvas += texture(rng, 24, 6) + texture(rng, 6, float(rng.uniform(1.5, 4))) + texture(rng, 2, 2)
    for x in (-2.05, 2.05):  # yellow lines of the lane, broken by wear
        for y in np.arange(4, 45, 2.0):
            if rng.random() < 0.85:
                line = [(x - 0.08, y, 0.0), (x + 0.08, y, 0.0), (x + 0.08, y + 1.8, 0.0), (x - 0.08, y + 1.8, 0.0)]
                paint(canvas, view.outline(line), 185, 0.8)
    for y in rng.uniform(6, 30, 3):  # manholes and patches
        x = float(rng.uniform(-1.5, 1.5))
        hole = [(x, y, 0.0), (x + 0.7, y, 0.0), (x + 0.7, y + 0.7, 0.0), (x, y + 0.7, 0.0)]
        paint(canvas, view.outline(hole), float(rng.uniform(50, 80)))
    for side, level in ((-1, rng.uniform(120, 190)), (1, rng.uniform(40, 80))):  # a wall, a hedge
        x = side * rng.uniform(4.6, 7)
        paint(canvas, view.outline([(x, 3, 0), (x, 60, 0), (x, 60, 5), (x, 3, 5)]), float(level))
        for y in np.arange(5, 50, 3.0):
            window = [(x, y, 1.0), (x, y + 1.4, 1.0), (x, y + 1.4, 2.4), (x, y, 2.4)]
            paint(canvas, view.outline(window), float(rng.uniform(30, 220)), 0.8)
    paint(canvas, view.outline([(-9, 60, 0), (9, 60, 0), (9, 60, 30), (-9, 60, 30)]), float(rng.uniform(90, 180)))
    return canvas + texture(rng, 3, 3)


@dataclass(frozen=True)
class Look:
    """A vehicle: metres, and grey levels."""

    width: float
    length: float
    height: float
    body: float
    windows: float
    lights: bool = False


def vehicle_look(rng: np.random.Generator, lights: bool = False) -> Look:
    """Make a car, a van or a small lorry of any colour."""
    width, length, height = [(1.8, 4.5, 1.45), (1.85, 4.8, 1.9), (2.0, 5.6, 2.4)][int(rng.integers(3))]
    body = float(rng.choice([25, 45, 70, 130, 160, 200, 235]) + rng.uniform(-8, 8))
    return Look(width, length, height, body, float(rng.uniform(15, 60)), lights)


def draw_vehicle(canvas: Canvas, view: Camera, look: Look, x: float, y: float) -> None:
    """Draw a vehicle whose rear middle stands at (x, y); it faces away."""
    half, end, waist = look.width / 2, y + look.length, look.height * 0.55
    under = [(x - half - 0.1, y - 0.1, 0.0), (x + half + 0.1, y - 0.1, 0.0)]
    shade(canvas, view.outline([*under, (x + half + 0.1, end + 0.1, 0.0), (x - half - 0.1, end + 0.1, 0.0)]), 0.45)
    near = x + half if x < view.side else x - half  # the flank that is seen
    body = look.body
    flank = [(near, y, 0.25), (near, end, 0.25), (near, end, waist), (near, y, waist)]
    paint(canvas, view.outline(flank), body * 0.75)
    for at in (0.18, 0.78):  # wheels
        a, b = y + at * look.length - 0.3, y + at * look.length + 0.3
        paint(canvas, view.outline([(near, a, 0.0), (near, b, 0.0), (near, b, 0.6), (near, a, 0.6)]), 18)
    paint(canvas, view.outline(_lying(x, half, y, end, waist)), body)
    front, back, roof = y + look.length * 0.75, y + look.length * 0.08, half * 0.85
    cabin = [(near * 0.15 + x * 0.85 + (near - x) * 0.7, at, z) for at, z in ((back, waist), (front, waist))]
    cabin += [(x + (near - x) * 0.85, front - 0.4, look.height), (x + (near - x) * 0.85, back + 0.2, look.height)]
    paint(canvas, view.outline(cabin), look.windows * 1.2)
    rear = [(x - half, y, 0.25), (x + half, y, 0.25), (x + half, y, waist), (x - half, y, waist)]
    paint(canvas, view.outline(rear), body * 0.6)
    glass = [(x - roof, back, waist), (x + roof, back, waist)]
    glass += [(x + roof, back + 0.3, look.height), (x - roof, back + 0.3, look.height)]
    paint(canvas, view.outline(glass), look.windows)
    paint(canvas, view.outline(_lying(x, roof, back + 0.3, front - 0.4, look.height)), min(250, body * 1.08))
    plate = [(x - 0.25, y, 0.45), (x + 0.25, y, 0.45), (x + 0.25, y, 0.6), (x - 0.25, y, 0.6)]
    paint(canvas, view.outline(plate), 150)
    for at in (x - half + 0.2, x + half - 0.2):
        lamp = [(at - 0.15, y, 0.6), (at + 0.15, y, 0.6), (at + 0.15, y, 0.8), (at - 0.15, y, 0.8)]
        paint(canvas, view.outline(lamp), 250 if look.lights else 90)


def draw_post(canvas: Canvas, view: Camera, x: float, y: float, width: float, height: float, level: float) -> None:
    """Draw something upright: a person, or a rider."""
    half = width / 2
    paint(
        canvas, view.outline([(x - half, y, 0), (x + half, y, 0), (x + half, y, height), (x - half, y, height)]), level
    )
    head = [(x - 0.1, y, height), (x + 0.1, y, height), (x + 0.1, y, height + 0.25), (x - 0.1, y, height + 0.25)]
    paint(canvas, view.outline(head), 150)


def draw_bicycle(canvas: Canvas, view: Camera, x: float, y: float, level: float) -> None:
    """Draw a bicycle along the lane: two wheels and a frame."""
    for at in (y, y + 1.1):
        paint(canvas, view.outline([(x, at, 0.0), (x, at + 0.6, 0.0), (x, at + 0.6, 0.6), (x, at, 0.6)]), level, 0.6)
    paint(
        canvas, view.outline([(x, y + 0.3, 0.5), (x, y + 1.4, 0.5), (x, y + 1.4, 0.95), (x, y + 0.3, 0.9)]), level, 0.8
    )
    paint(canvas, view.outline([(x - 0.3, y + 1.3, 0.9), (x + 0.3, y + 1.3, 0.9), (x, y + 1.3, 1.05)]), level)


def _lying(x: float, half: float, start: float, end: float, z: float) -> list[Point]:
    return [(x - half, start, z), (x + half, start, z), (x + half, end, z), (x - half, end, z)]
