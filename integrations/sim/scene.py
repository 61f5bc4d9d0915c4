"""What the camera sees now: the lane, the vehicle on its way in or out, and the text that cameras burn in."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from PIL import Image, ImageDraw

from integrations.sim.car import draw_car
from integrations.sim.lane import draw_lane
from integrations.sim.lens import Lens
from integrations.sim.lettering import font, has_chinese

#: 1280 x 720 pixels, 65 degrees wide, on a lamp post 4 m high.
VIEW = Lens(width=1280, height=720, focal=1000.0, above=4.0, tilt=16.0)
#: Where the vehicle appears, stands and is out of the picture, in metres from the camera; and how far left it keeps.
ENTERS, STANDS, GONE, KEEPS = 52.0, 9.0, -3.0, -1.2
JPEG_QUALITY = 82
WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True)
class Turn:
    """A change of the scene: since when (monotonic seconds) a vehicle has been there or not."""

    vehicle: bool
    at: float


@lru_cache(maxsize=1)
def lane() -> tuple[Image.Image, Image.Image]:
    """Return the lane without and with a vehicle; drawing them takes a second, and all scenes share them."""
    empty = draw_lane(VIEW)
    parked = empty.copy()
    draw_car(parked, VIEW, KEEPS, STANDS)
    return empty, parked


class Scene:
    """One lane. ``put`` is called by the event loop, the drawing by one worker thread at a time."""

    def __init__(self, name: str, zone: tzinfo | None = None, glide: float = 2.0) -> None:
        self.name = name
        self._zone = zone
        self._glide = glide
        self._turn = Turn(vehicle=False, at=float("-inf"))
        self._empty, self._parked = lane()
        self._last: tuple[tuple[float | None, int], Image.Image] | None = None

    @property
    def vehicle(self) -> bool:
        """Whether a vehicle is there, or on its way in."""
        return self._turn.vehicle

    def put(self, *, vehicle: bool) -> None:
        """Let a vehicle arrive or leave; a repeat changes nothing."""
        if vehicle != self._turn.vehicle:
            self._turn = Turn(vehicle, time.monotonic())

    def image(self) -> Image.Image:
        """Return the present picture; the same object while nothing has changed."""
        wall = datetime.now(tz=UTC)
        place = self._place(time.monotonic())
        key = (place, int(wall.timestamp()))
        if self._last is None or self._last[0] != key:
            self._last = key, self._draw(place, wall.astimezone(self._zone))
        return self._last[1]

    def jpeg(self) -> bytes:
        """Return the present picture as a JPEG file."""
        buffer = io.BytesIO()
        self.image().save(buffer, "JPEG", quality=JPEG_QUALITY)
        return buffer.getvalue()

    def _place(self, now: float) -> float | None:
        """Return how far away the vehicle is, in metres; None when there is none."""
        turn = self._turn
        part = 1.0 if self._glide <= 0 else min(1.0, (now - turn.at) / self._glide)
        if turn.vehicle:
            return STANDS + (ENTERS - STANDS) * (1 - part) ** 2
        return None if part >= 1 else STANDS + (GONE - STANDS) * part**2

    def _draw(self, place: float | None, wall: datetime) -> Image.Image:
        picture = (self._parked if place == STANDS else self._empty).copy()
        if place is not None and place != STANDS:
            draw_car(picture, VIEW, KEEPS, place)
        pen = ImageDraw.Draw(picture)
        day = f"星期{WEEKDAYS[wall.weekday()]}" if has_chinese() else wall.strftime("%a")
        _burn(pen, (28, 20), wall.strftime("%Y-%m-%d ") + day + wall.strftime(" %H:%M:%S"), "la")
        _burn(pen, (VIEW.width - 28, VIEW.height - 18), self.name, "rd")
        return picture


def _burn(pen: ImageDraw.ImageDraw, place: tuple[int, int], text: str, anchor: str) -> None:
    """Write as cameras do: white with a black edge."""
    pen.text(place, text, fill="white", font=font(30), anchor=anchor, stroke_width=2, stroke_fill="black")
