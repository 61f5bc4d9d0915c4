"""The empty lane: two residential buildings, trees, kerbs and the red marking of a fire lane, drawn once."""

from __future__ import annotations

import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from integrations.sim.lens import Lens, Pixel, Point, lay
from integrations.sim.lettering import stencil, words

Colour = tuple[int, int, int]

#: Half the width of the lane and where the buildings stand, in metres; a fire lane is at least 4 m wide (GB 50016).
LANE, FRONT = 3.0, 6.6
#: Length of the lane and height of the buildings, in metres.
LENGTH, ROOF = 62.0, 19.2
STOREY, BAY = 3.0, 3.4
RED: Colour = (196, 38, 34)


def draw_lane(lens: Lens) -> Image.Image:
    """Return the picture without any vehicle."""
    big = lens.scaled(2)
    canvas = _Canvas(big)
    canvas.sky()
    canvas.distance()
    canvas.ground()
    for side in (-1, 1):
        canvas.building(side)
    canvas.marking()
    canvas.shade()
    canvas.plants()
    small = canvas.image.resize((lens.width, lens.height), Image.Resampling.LANCZOS)
    grain = Image.merge("RGB", [Image.effect_noise(small.size, 5)] * 3)
    return ImageChops.add(small, grain, scale=1, offset=-128)


def fade(colour: Colour, depth: float) -> Colour:
    """Mix ``colour`` with haze, more of it farther away (metres)."""
    part = min(0.62, max(0.0, (depth - 8) / 95))
    red, green, blue = (round(c * (1 - part) + h * part) for c, h in zip(colour, (206, 216, 224), strict=True))
    return red, green, blue


def brighten(colour: Colour, light: float) -> Colour:
    """Add ``light`` to each part, within what a picture can hold."""
    red, green, blue = (round(min(255, max(0, part + light))) for part in colour)
    return red, green, blue


class _Canvas:
    def __init__(self, lens: Lens) -> None:
        self.lens = lens
        self.size = (lens.width, lens.height)
        self.image = Image.new("RGB", self.size)
        self.pen = ImageDraw.Draw(self.image)
        self.dice = random.Random(8)  # noqa: S311 - a drawing that is the same every time

    def flat(self, colour: Colour, *points: Point) -> None:
        """Fill one polygon of the world."""
        pixels = self.lens.polygon(points)
        if len(pixels) > 2:
            self.pen.polygon(pixels, fill=fade(colour, min(max(self.lens.depth(p), 0) for p in points)))

    def strip(self, colour: Colour, left: float, right: float, z: float = 0.0) -> None:
        """Fill a strip of ground along the lane, in pieces so that haze grows with distance."""
        near = 1.0
        while near < LENGTH:
            far = min(LENGTH, near * 1.25 + 1)
            self.flat(colour, (left, near, z), (right, near, z), (right, far, z), (left, far, z))
            near = far

    def sky(self) -> None:
        """Fill a bright overcast sky."""
        width, height = self.size
        for row in range(height):
            part = min(1.0, row / (height * 0.3))
            colour = tuple(round(a + (b - a) * part) for a, b in zip((150, 188, 222), (224, 232, 236), strict=True))
            self.pen.line([(0, row), (width, row)], fill=colour)

    def distance(self) -> None:
        """Draw a tower and trees beyond the end of the lane."""
        for x, y, width, height, colour in (
            (-9.0, 120.0, 15.0, 26.0, (176, 168, 160)),
            (9.0, 140.0, 17.0, 34.0, (168, 170, 176)),
        ):
            self.flat(colour, (x, y, 0), (x + width, y, 0), (x + width, y, height), (x, y, height))
            for level in range(2, int(height) - 2, 3):
                for column in range(1, int(width) - 1, 3):
                    left, low = x + column, float(level)
                    self.flat(
                        (120, 128, 140),
                        (left, y, low),
                        (left + 1.6, y, low),
                        (left + 1.6, y, low + 1.5),
                        (left, y, low + 1.5),
                    )
        for _ in range(60):
            self._leaf(self.dice.uniform(-14, 14), LENGTH + 4, self.dice.uniform(0.4, 3.6), self.dice.uniform(0.8, 1.6))

    def ground(self) -> None:
        """Draw grass, pavement, kerb and asphalt."""
        self.strip((104, 128, 78), -30, 30)
        self.flat((150, 150, 148), (-30, LENGTH - 3, 0), (30, LENGTH - 3, 0), (30, LENGTH + 3, 0), (-30, LENGTH + 3, 0))
        for side in (-1, 1):
            self.strip((172, 168, 160), side * (LANE + 0.2), side * (LANE + 1.5))
            for step in range(2, 55):
                y = step * 1.1
                self.flat(
                    (150, 146, 140),
                    *(
                        (side * x, yy, 0.0)
                        for x, yy in ((LANE + 0.2, y), (LANE + 1.5, y), (LANE + 1.5, y + 0.04), (LANE + 0.2, y + 0.04))
                    ),
                )
            self.strip((205, 203, 198), side * LANE, side * (LANE + 0.22))
        self.strip((98, 100, 104), -LANE, LANE)
        self._wear()

    def _wear(self) -> None:
        """Roughen the asphalt: fine grain, two worn wheel tracks, a manhole."""
        for x in (-1.1, 1.1):
            pixels = self.lens.polygon(
                [(x - 0.35, 3, 0), (x + 0.35, 3, 0), (x + 0.35, LENGTH, 0), (x - 0.35, LENGTH, 0)]
            )
            mask = Image.new("L", self.size, 0)
            ImageDraw.Draw(mask).polygon(pixels, fill=34)
            self.image.paste((128, 130, 134), mask=mask.filter(ImageFilter.GaussianBlur(18)))
        mask = Image.new("L", self.size, 0)
        ImageDraw.Draw(mask).polygon(self._lane_shape(), fill=255)
        grain = Image.effect_noise((self.size[0] // 2, self.size[1] // 2), 26).resize(self.size)
        rough = ImageChops.add(self.image, Image.merge("RGB", [grain] * 3), scale=1, offset=-128)
        self.image.paste(Image.blend(self.image, rough, 0.38), mask=mask)
        disc = [self.lens.pixel((1.9 + 0.36 * c, 19 + 0.36 * s, 0)) for c, s in _circle(28)]
        self.pen.polygon(disc, fill=(80, 80, 82), outline=(120, 120, 120))

    def _lane_shape(self) -> list[Pixel]:
        return self.lens.polygon([(-LANE, 2, 0), (LANE, 2, 0), (LANE, LENGTH, 0), (-LANE, LENGTH, 0)])

    def building(self, side: int) -> None:
        """Draw one facade with its storeys, windows, air conditioners and a unit door."""
        x = side * FRONT
        wall: Colour = (214, 196, 170) if side < 0 else (196, 178, 160)
        base: Colour = (150, 132, 118)
        y = 1.7
        bay = 0
        while y < 56:
            far = y + BAY
            self.flat(wall, (x, y, 0), (x, far, 0), (x, far, ROOF), (x, y, ROOF))
            self.flat(base, (x, y, 0), (x, far, 0), (x, far, 0.9), (x, y, 0.9))
            for level in range(6):
                z = level * STOREY
                self.flat(
                    (232, 226, 214) if side < 0 else (218, 210, 200),
                    (x, y, z + 2.92),
                    (x, far, z + 2.92),
                    (x, far, z + 3.1),
                    (x, y, z + 3.1),
                )
                if level == 0 and bay % 5 == 3:
                    self._door(x, y, side)
                else:
                    self._window(x, y, z, side)
            self.flat((160, 146, 130), (x, y, 0), (x, y + 0.07, 0), (x, y + 0.07, ROOF), (x, y, ROOF))
            y, bay = far, bay + 1

    def _window(self, x: float, y: float, z: float, side: int) -> None:
        near, far, low, high = y + 0.8, y + 2.7, z + 0.95, z + 2.5
        sill = x - side * 0.12
        self.flat((240, 240, 238), *_upright(x, near - 0.09, far + 0.09, low - 0.09, high + 0.09))
        glass = self.dice.choice(((92, 112, 130), (104, 124, 140), (82, 100, 118), (120, 136, 148)))
        self.flat(glass, *_upright(x, near, far, low, high))
        self.flat(brighten(glass, 34), *_upright(x, near, far, high - 0.5, high))
        if self.dice.random() < 0.45:  # curtain
            self.flat((214, 206, 190), *_upright(x, near, near + 0.5, low, high))
        middle = (near + far) / 2
        self.flat((240, 240, 238), *_upright(x, middle - 0.04, middle + 0.04, low, high))
        self.flat((226, 222, 214), *_upright(sill, near - 0.15, far + 0.15, low - 0.2, low - 0.08))
        if self.dice.random() < 0.4:  # outdoor unit of an air conditioner
            box = x - side * 0.34
            start = far + 0.12
            self.flat((206, 206, 204), *_upright(box, start, start + 0.8, low - 0.62, low - 0.05))
            self.flat(
                (226, 226, 224),
                (x, start, low - 0.62),
                (box, start, low - 0.62),
                (box, start, low - 0.05),
                (x, start, low - 0.05),
            )
            fan = [(box, start + 0.4 + 0.2 * c, low - 0.33 + 0.2 * s) for c, s in _circle(18)]
            self.flat((120, 122, 124), *fan)

    def _door(self, x: float, y: float, side: int) -> None:
        """Draw the unit's door under its canopy, with a plate above."""
        out = x - side * 1.1
        self.flat((120, 112, 104), *_upright(x, y + 0.55, y + 2.85, 0.0, 2.6))
        self.flat((66, 84, 92), *_upright(x, y + 0.75, y + 1.66, 0.05, 2.3))
        self.flat((66, 84, 92), *_upright(x, y + 1.74, y + 2.65, 0.05, 2.3))
        self.flat((196, 200, 202), *_upright(x - side * 0.05, y + 1.55, y + 1.6, 0.9, 1.4))
        self.flat((176, 172, 166), (x, y + 0.2, 2.75), (out, y + 0.2, 2.75), (out, y + 3.2, 2.75), (x, y + 3.2, 2.75))
        self.flat((206, 202, 196), *_upright(out, y + 0.2, y + 3.2, 2.75, 3.0))
        self.flat((190, 186, 180), (x, y + 0.2, 2.75), (out, y + 0.2, 2.75), (out, y + 0.2, 3.0), (x, y + 0.2, 3.0))

    def marking(self) -> None:
        """Paint the border lines, the hatching and the words of the fire lane."""
        paint = Image.new("L", self.size, 0)
        pen = ImageDraw.Draw(paint)
        for side in (-1, 1):
            for inner, outer in ((2.72, 2.86),):
                shape = self.lens.polygon(
                    [(side * inner, 3, 0), (side * outer, 3, 0), (side * outer, 46, 0), (side * inner, 46, 0)]
                )
                pen.polygon(shape, fill=255)
            step = 3.0
            while step < 46:
                shape = self.lens.polygon(
                    [
                        (side * 2.86, step, 0),
                        (side * 2.86, step + 0.2, 0),
                        (side * 2.3, step + 0.75, 0),
                        (side * 2.3, step + 0.55, 0),
                    ]
                )
                pen.polygon(shape, fill=235)
                step += 1.0
        first, second = words("消防车道", "FIRE LANE"), words("禁止占用", "KEEP CLEAR")
        for text, near, far in ((second, 5.75, 7.0), (first, 7.35, 8.9), (second, 21.0, 24.2), (first, 25.2, 29.0)):
            self._letters(paint, text, near, far)
        wear = Image.effect_noise((self.size[0] // 3, self.size[1] // 3), 60).resize(self.size)
        worn = ImageChops.multiply(paint, wear.point(lambda value: min(255, 150 + value)))
        self.image.paste(RED, mask=worn)

    def _letters(self, paint: Image.Image, text: str, near: float, far: float) -> None:
        half = 1.95
        corners = [self.lens.pixel(p) for p in ((-half, far, 0), (half, far, 0), (half, near, 0), (-half, near, 0))]
        paint.paste(255, mask=lay(stencil(text), corners, self.size))

    def shade(self) -> None:
        """Cast the right building's soft shadow over the pavement and part of the lane."""
        mask = Image.new("L", self.size, 0)
        shape = self.lens.polygon([(1.7, 1.5, 0), (FRONT, 1.5, 0), (FRONT, LENGTH, 0), (1.7, LENGTH, 0)])
        ImageDraw.Draw(mask).polygon(shape, fill=74)
        self.image.paste((26, 30, 44), mask=mask.filter(ImageFilter.GaussianBlur(7)))

    def plants(self) -> None:
        """Draw hedges before the buildings and trees on the grass."""
        for y in range(52, 6, -1):
            for side in (-1, 1):
                if y % 17 in (11, 12, 13) and y > 9:  # a gap before the unit doors
                    continue
                for _ in range(26):
                    self._leaf(
                        side * self.dice.uniform(4.9, 6.0),
                        y + self.dice.uniform(0, 1),
                        self.dice.uniform(0.08, 0.72),
                        0.15,
                    )
        for side, foot in ((1, 44.0), (-1, 37.0), (1, 30.0), (-1, 23.0), (1, 17.5)):
            x = side * 5.3
            self.flat(
                (92, 74, 58), (x - 0.12, foot, 0), (x + 0.12, foot, 0), (x + 0.08, foot, 2.6), (x - 0.08, foot, 2.6)
            )
            for _ in range(420):
                dx, dy, dz = (max(-1.2, min(1.2, self.dice.gauss(0, 0.6))) for _ in range(3))
                self._leaf(x + dx, foot + dy, 3.5 + dz, self.dice.uniform(0.1, 0.26), lift=dz)

    def _leaf(self, x: float, y: float, z: float, radius: float, lift: float | None = None) -> None:
        centre = self.lens.pixel((x, y, max(z, radius * 0.4)))
        depth = self.lens.depth((x, y, z))
        reach = self.lens.focal * radius / depth
        light = self.dice.uniform(-14, 14) + (26 * lift if lift is not None else 34 * (z - 0.5))
        green = brighten((70, 108, 58), light)
        box = [centre[0] - reach, centre[1] - reach * 0.8, centre[0] + reach, centre[1] + reach * 0.8]
        self.pen.ellipse(box, fill=fade(green, depth))


def _upright(x: float, near: float, far: float, low: float, high: float) -> tuple[Point, ...]:
    """Return a rectangle parallel to a facade."""
    return (x, near, low), (x, far, low), (x, far, high), (x, near, high)


def _circle(parts: int) -> list[Pixel]:
    """Return points on the unit circle."""
    return [(math.cos(2 * math.pi * k / parts), math.sin(2 * math.pi * k / parts)) for k in range(parts)]
