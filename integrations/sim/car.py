"""A saloon that faces the camera: a small solid model, painted back to front with flat shading."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFilter

from integrations.sim.lens import Lens, Pixel, Point

Colour = tuple[int, int, int]

PAINT: Colour = (232, 234, 238)
GLASS: Colour = (38, 52, 64)
DARK: Colour = (28, 30, 33)
#: Length, wheel base from the front and wheel radius, in metres.
LENGTH = 4.6
AXLES = (0.86, 3.62)
WHEEL = 0.33
#: Stations of the body from bumper to boot: y, half width, sill z, waist z, shoulder z, half width at the shoulder.
BODY = (
    (0.00, 0.70, 0.30, 0.48, 0.62, 0.64),
    (0.10, 0.84, 0.22, 0.52, 0.72, 0.76),
    (0.45, 0.89, 0.20, 0.56, 0.80, 0.80),
    (1.25, 0.90, 0.20, 0.62, 0.93, 0.82),
    (2.60, 0.91, 0.20, 0.64, 0.96, 0.83),
    (3.80, 0.90, 0.22, 0.64, 0.98, 0.82),
    (4.45, 0.86, 0.26, 0.60, 0.94, 0.76),
    (4.60, 0.76, 0.34, 0.56, 0.84, 0.68),
)
#: The cabin: y, z and half width of windscreen foot, roof front, roof back, rear window foot.
CABIN = ((1.18, 0.92, 0.77), (1.98, 1.42, 0.57), (3.05, 1.44, 0.57), (3.98, 0.97, 0.72))


@dataclass(frozen=True)
class Face:
    """One flat piece: its corners in the world, its colour, and how much the light changes it."""

    corners: tuple[Point, ...]
    colour: Colour
    shade: float = 1.0
    nearer: float = 0.0
    """Metres by which it is painted later than its distance says: what lies on another face."""


def draw_car(picture: Image.Image, lens: Lens, x: float, y: float) -> None:
    """Paint the car with its front bumper ``y`` metres and its middle ``x`` metres from the camera's foot."""
    outline = [lens.polygon([(x + px, y + py, pz) for px, py, pz in _hull()])]
    pixels = [pixel for shape in outline for pixel in shape]
    if len(pixels) < 3:
        return
    left, top = (math.floor(min(p[axis] for p in pixels)) - 24 for axis in (0, 1))
    right, bottom = (math.ceil(max(p[axis] for p in pixels)) + 24 for axis in (0, 1))
    left, top, right, bottom = max(0, left), max(0, top), min(lens.width, right), min(lens.height, bottom)
    if right - left < 2 or bottom - top < 2:
        return
    patch = picture.crop((left, top, right, bottom))
    big = patch.resize((patch.width * 3, patch.height * 3), Image.Resampling.BILINEAR)

    def place(points: Sequence[Point]) -> list[Pixel]:
        shape = lens.polygon([(x + px, y + py, pz) for px, py, pz in points])
        return [((px - left) * 3, (py - top) * 3) for px, py in shape]

    _shadow(big, place)
    pen = ImageDraw.Draw(big)
    faces = sorted(_faces(-x), key=lambda face: face.nearer - _distance(lens, face, x, y))
    for face in faces:
        shape = place(face.corners)
        if len(shape) > 2:
            colour = tuple(min(255, round(part * face.shade)) for part in face.colour)
            pen.polygon(shape, fill=colour)
    picture.paste(big.resize(patch.size, Image.Resampling.LANCZOS), (left, top))


def _distance(lens: Lens, face: Face, x: float, y: float) -> float:
    count = len(face.corners)
    mx, my, mz = (sum(corner[axis] for corner in face.corners) / count for axis in range(3))
    return math.dist((x + mx, y + my, mz), (0.0, 0.0, lens.above))


def _hull() -> list[Point]:
    return [(side, end, z) for z in (0.0, 1.5) for end in (-0.1, LENGTH + 0.1) for side in (-1.2, 1.2)]


def _shadow(big: Image.Image, place: Callable[[Sequence[Point]], list[Pixel]]) -> None:
    mask = Image.new("L", big.size, 0)
    spot = [(1.06 * _bend(c), LENGTH / 2 + (LENGTH / 2 + 0.12) * _bend(s), 0.0) for c, s in circle(40)]
    shape = place(spot)
    if len(shape) > 2:
        ImageDraw.Draw(mask).polygon(shape, fill=215)
    big.paste((14, 15, 18), mask=mask.filter(ImageFilter.GaussianBlur(9)))


def _bend(value: float) -> float:
    """Square a circle a little, so that the shadow follows the car's corners."""
    return math.copysign(abs(value) ** 0.45, value)


def circle(parts: int) -> list[Pixel]:
    """Return points on the unit circle."""
    return [(math.cos(2 * math.pi * k / parts), math.sin(2 * math.pi * k / parts)) for k in range(parts)]


def _faces(eye: float) -> Iterator[Face]:
    """Return what can be seen by an eye ``eye`` metres to the right of the car's middle."""
    yield from _shell()
    yield from _cabin()
    yield from _front()
    for side in (-1, 1):
        for axle in AXLES:
            yield from _wheel(side, axle, seen=side * eye > 0.9)
        mirror = [(0.82, 1.42), (1.06, 1.44), (1.06, 1.56), (0.82, 1.54)]
        yield Face(tuple((side * px, py, 1.12) for px, py in mirror), PAINT, 1.0, 1.8)
        yield Face(
            (
                (side * 0.84, 1.42, 0.96),
                (side * 1.06, 1.44, 0.98),
                (side * 1.06, 1.44, 1.12),
                (side * 0.84, 1.42, 1.12),
            ),
            PAINT,
            0.8,
            1.8,
        )


def _shell() -> Iterator[Face]:
    """Loft the lower body through its stations."""
    for (y0, w0, s0, m0, t0, h0), (y1, w1, s1, m1, t1, h1) in pairwise(BODY):
        bonnet = 1.0 if y1 < 1.5 else 0.98
        ridge = 0.03
        for side, tint in ((-1, 1.0), (1, 0.975)):
            yield Face(
                ((0, y0, t0 + ridge), (0, y1, t1 + ridge), (side * h1, y1, t1), (side * h0, y0, t0)),
                PAINT,
                bonnet * tint,
            )
        for side, light in ((-1, 0.74), (1, 0.62)):
            yield Face(
                ((side * w0, y0, m0), (side * w1, y1, m1), (side * h1, y1, t1), (side * h0, y0, t0)), PAINT, light + 0.1
            )
            yield Face(
                ((side * w0, y0, s0), (side * w1, y1, s1), (side * w1, y1, m1), (side * w0, y0, m0)),
                PAINT,
                light - 0.06,
            )
    for y in (2.38, 3.3):  # the shut lines of the doors
        for side in (-1, 1):
            yield Face(
                (
                    (side * 0.915, y, 0.3),
                    (side * 0.915, y + 0.02, 0.3),
                    (side * 0.835, y + 0.02, 0.94),
                    (side * 0.835, y, 0.94),
                ),
                DARK,
                1.6,
                0.8,
            )
    for x in (-0.5, 0.5):  # the creases of the bonnet
        yield Face(
            ((x, 0.2, 0.79), (x + 0.015, 0.2, 0.79), (x * 1.16 + 0.015, 1.16, 0.95), (x * 1.16, 1.16, 0.95)),
            PAINT,
            0.82,
            0.5,
        )


def _cabin() -> Iterator[Face]:
    (fy, fz, fw), (ry, rz, rw), (by, bz, bw), (ty, tz, tw) = CABIN
    later = 1.2  # over the bonnet, also from near
    yield Face(((-rw, ry, rz), (rw, ry, rz), (bw, by, bz), (-bw, by, bz)), PAINT, 1.03, later)
    yield Face(((-fw, fy, fz), (fw, fy, fz), (rw, ry, rz), (-rw, ry, rz)), PAINT, 0.86, later)
    inset = 0.05
    yield Face(
        (
            (-fw + inset, fy + 0.03, fz + 0.01),
            (fw - inset, fy + 0.03, fz + 0.01),
            (rw - inset, ry - 0.03, rz - 0.02),
            (-rw + inset, ry - 0.03, rz - 0.02),
        ),
        GLASS,
        1.0,
        later + 0.1,
    )
    yield Face(  # the sky in the windscreen
        (
            (-fw + 0.16, fy + 0.1, fz + 0.06),
            (-0.12, fy + 0.1, fz + 0.06),
            (0.1, ry - 0.06, rz - 0.04),
            (-rw + 0.1, ry - 0.06, rz - 0.04),
        ),
        (92, 112, 128),
        1.0,
        later + 0.9,
    )
    yield Face(
        (
            (0.1, fy + 0.2, fz + 0.14),
            (0.2, fy + 0.2, fz + 0.14),
            (0.12, ry - 0.1, rz - 0.06),
            (0.06, ry - 0.1, rz - 0.06),
        ),
        GLASS,
        0.7,
        later + 0.95,
    )
    yield Face(((-tw, ty, tz), (tw, ty, tz), (bw, by, bz), (-bw, by, bz)), GLASS, 1.1, 0.0)
    for side, light in ((-1, 1.15), (1, 0.85)):
        yield Face(
            ((side * fw, fy, fz), (side * tw, ty, tz), (side * bw, by, bz), (side * rw, ry, rz)),
            PAINT,
            light * 0.7,
            later - 0.1,
        )
        for front, back in ((0.1, 0.5), (0.54, 0.93)):  # two side windows with a pillar between
            low = _edge(CABIN[0], CABIN[3], front), _edge(CABIN[0], CABIN[3], back)
            high = _edge(CABIN[1], CABIN[2], back), _edge(CABIN[1], CABIN[2], front)
            if front < 0.2:
                high = high[0], _edge(CABIN[1], CABIN[2], 0.06)
            corners = tuple(
                (side * (w + 0.01), y, z + lift)
                for (y, z, w), lift in zip((*low, *high), (0.05, 0.05, -0.06, -0.06), strict=True)
            )
            yield Face(corners, GLASS, light, later)


def _edge(
    start: tuple[float, float, float], end: tuple[float, float, float], part: float
) -> tuple[float, float, float]:
    """Return the point a part of the way along an edge."""
    a, b, c = (p + (q - p) * part for p, q in zip(start, end, strict=True))
    return a, b, c


def _front() -> Iterator[Face]:
    """Draw bumper, grille, lamps and a plate without a number."""
    yield Face(((-0.70, 0, 0.30), (0.70, 0, 0.30), (0.70, 0, 0.48), (-0.70, 0, 0.48)), PAINT, 0.78)
    yield Face(((-0.70, 0, 0.48), (0.70, 0, 0.48), (0.64, 0, 0.62), (-0.64, 0, 0.62)), PAINT, 0.88)
    yield Face(((-0.64, 0, 0.62), (0.64, 0, 0.62), (0.76, 0.1, 0.72), (-0.76, 0.1, 0.72)), PAINT, 0.97, 0.1)
    yield Face(((-0.62, -0.01, 0.24), (0.62, -0.01, 0.24), (0.56, -0.01, 0.36), (-0.56, -0.01, 0.36)), DARK, 1.2, 0.3)
    yield Face(((-0.34, -0.01, 0.47), (0.34, -0.01, 0.47), (0.42, -0.01, 0.61), (-0.42, -0.01, 0.61)), DARK, 1.0, 0.3)
    for z in (0.505, 0.54, 0.575):
        yield Face(
            ((-0.38, -0.02, z), (0.38, -0.02, z), (0.38, -0.02, z + 0.009), (-0.38, -0.02, z + 0.009)),
            (150, 154, 158),
            1.0,
            0.4,
        )
    yield Face(tuple((0.055 * c, -0.03, 0.595 + 0.045 * s) for c, s in circle(18)), (214, 218, 222), 1.0, 0.5)
    for side in (-1, 1):
        lamp = ((0.45, -0.01, 0.52), (0.69, 0.01, 0.53), (0.80, 0.18, 0.66), (0.70, 0.12, 0.70), (0.47, 0.0, 0.63))
        yield Face(tuple((side * px, py, pz) for px, py, pz in lamp), (70, 78, 86), 1.0, 0.4)
        for cx, cy, cz, radius in ((0.56, -0.02, 0.585, 0.045), (0.68, 0.05, 0.62, 0.035)):
            yield Face(
                tuple((side * (cx + radius * c), cy, cz + radius * s) for c, s in circle(16)), (250, 252, 246), 1.0, 0.6
            )
        yield Face(
            tuple((side * px, -0.02, pz) for px, pz in ((0.47, 0.30), (0.62, 0.31), (0.62, 0.38), (0.49, 0.37))),
            (60, 64, 68),
            1.0,
            0.4,
        )
    yield Face(
        ((-0.23, -0.03, 0.335), (0.23, -0.03, 0.335), (0.23, -0.03, 0.465), (-0.23, -0.03, 0.465)),
        (24, 88, 190),
        1.0,
        0.5,
    )
    yield Face(
        ((-0.19, -0.04, 0.385), (0.19, -0.04, 0.385), (0.19, -0.04, 0.415), (-0.19, -0.04, 0.415)),
        (226, 232, 240),
        1.0,
        0.6,
    )


def _wheel(side: int, axle: float, *, seen: bool) -> Iterator[Face]:
    x = side * 0.915
    discs = (
        (WHEEL + 0.05, DARK, 0.85),
        (WHEEL, (20, 20, 22), 0.9),
        (WHEEL * 0.62, (156, 160, 164), 0.95),
        (WHEEL * 0.5, (110, 114, 118), 0.97),
    )
    for radius, colour, later in discs if seen else ():
        disc = tuple((x, axle + radius * c, WHEEL + radius * s) for c, s in circle(30))
        yield Face(disc, colour, 1.0, later)
    inner = side * 0.66  # the tread seen from ahead
    front = axle - WHEEL
    yield Face(((inner, front, 0.0), (x, front, 0.0), (x, front, 0.3), (inner, front, 0.3)), (20, 20, 22), 1.0, -0.2)
