"""Drawn streets in colour, for finding again: people in two colours and cars that pass, by day and dusk, with noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hub.vision.sighting.colour import Colour

Street = npt.NDArray[np.uint8]
WIDTH, HEIGHT = 480, 270

#: What a person would call so; none of them is a reference of the palette.
CLOTHS: dict[Colour, tuple[int, int, int]] = {
    Colour.BLACK: (30, 29, 33),
    Colour.GREY: (122, 124, 126),
    Colour.WHITE: (236, 234, 228),
    Colour.RED: (190, 32, 40),
    Colour.ORANGE: (236, 122, 30),
    Colour.YELLOW: (232, 206, 40),
    Colour.GREEN: (40, 132, 62),
    Colour.BLUE: (38, 74, 176),
    Colour.PURPLE: (122, 52, 158),
    Colour.PINK: (238, 130, 170),
    Colour.BROWN: (112, 72, 42),
}


@dataclass(frozen=True)
class Light:
    """How the scene is lit: factor of the brightness, its colour, and the noise of the camera (levels)."""

    level: float = 1.0
    cast: tuple[float, float, float] = (1.0, 1.0, 1.0)
    sigma: float = 2.0


DAY, DUSK, NOISE = Light(), Light(0.42, (1.06, 1.0, 0.92), 3.0), Light(0.85, (0.97, 1.0, 1.04), 6.0)


@dataclass(frozen=True)
class Passer:
    """Who walks or drives through: from ``begin`` for ``lasts`` seconds from the left to the right."""

    begin: float
    lasts: float
    upper: Colour
    lower: Colour
    car: bool = False
    row: int = 235
    tall: int = 75


def empty(rng: np.random.Generator) -> Street:
    """Draw a street: wall with windows, hedge, kerb and asphalt, with a sky to say what is white."""
    picture = np.empty((HEIGHT, WIDTH, 3), dtype=np.float32)
    picture[:30] = (226, 232, 238)
    picture[30:125] = (176, 168, 156)
    for left in range(20, WIDTH - 30, 60):
        picture[50:90, left : left + 30] = (84, 96, 108)
    picture[115:135] = (74, 102, 58)
    picture[135:142] = (168, 168, 166)
    picture[142:] = (104, 104, 106)
    picture += rng.normal(0, 5, (HEIGHT, WIDTH, 1)).astype(np.float32)
    return np.clip(picture, 0, 255).astype(np.uint8)


def shown(street: Street, passers: tuple[Passer, ...], at: float, light: Light, rng: np.random.Generator) -> Street:
    """Draw one moment."""
    picture = street.astype(np.float32)
    for passer in passers:
        part = (at - passer.begin) / passer.lasts
        if -0.05 < part < 1.05:
            _draw(picture, passer, int(part * (WIDTH + 2 * passer.tall)) - passer.tall, at)
    picture *= np.array(light.cast, dtype=np.float32) * light.level
    picture += rng.standard_normal(picture.shape, dtype=np.float32) * light.sigma
    return np.clip(picture, 0, 255).astype(np.uint8)


def _draw(picture: npt.NDArray[np.float32], passer: Passer, across: int, at: float) -> None:
    tall, foot = passer.tall, passer.row
    if passer.car:
        body, roof = CLOTHS[passer.lower], CLOTHS[passer.upper]
        _fill(picture, foot - tall // 3, foot - tall // 12, across - tall // 2, across + tall // 2, body)
        _fill(picture, foot - tall // 2, foot - tall // 3, across - tall // 4, across + tall // 4, roof)
        for wheel in (-tall // 3, tall // 4):
            _fill(picture, foot - tall // 8, foot, across + wheel, across + wheel + tall // 12, (26, 26, 28))
        return
    half = tall // 8
    _fill(picture, foot - tall, foot - int(0.85 * tall), across - half // 2, across + half // 2, (196, 150, 124))
    _fill(picture, foot - int(0.85 * tall), foot - tall // 2, across - half, across + half, CLOTHS[passer.upper])
    swing = int(half * 0.4 * np.sin(at * 6))
    for leg in (swing - half // 2, -swing + half // 4):
        _fill(picture, foot - tall // 2, foot, across + leg, across + leg + half // 2 + 2, CLOTHS[passer.lower])


def _fill(
    picture: npt.NDArray[np.float32], top: int, bottom: int, left: int, right: int, colour: tuple[int, int, int]
) -> None:
    left, right = max(0, left), min(WIDTH, right)
    if left < right:
        fold = 1 + 0.12 * np.sin(np.linspace(0, 7, right - left, dtype=np.float32))[None, :, None]  # cloth is not even
        picture[max(0, top) : bottom, left:right] = np.array(colour, dtype=np.float32) * fold
