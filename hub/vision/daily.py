"""One picture of each day, taken in calm daylight and kept across restarts, against which slow changes are told.

The rest of camera health (hub.vision.health) follows its picture within a minute, so that a bracket that sinks or a
branch that grows is never told there; here the oldest of the last days is compared with.
"""

from __future__ import annotations

import zlib

import msgspec
import numpy as np

from hub.vision.frame import Grey
from hub.vision.health import Picture, Well, compared, sharpness
from hub.vision.lane.grid import HEIGHT, WIDTH
from hub.vision.lane.structure import structure

#: Seconds of a day and of an hour; hours of the day, on the site's clock, at which a picture may stand for its day.
DAY, HOUR, LIGHT = 86_400, 3_600, (9, 16)
#: Days that are kept; what was told for so long is taken as it is: somebody has seen it, or nobody minds.
DAYS = 7
#: Looks in a row, an hour apart, that must find the same wrong.
LOOKS = 3
#: Mean levels between which a picture shows enough.
DIM, BRIGHT = 50.0, 210.0
#: What is told: the rest is told at once by hub.vision.health, or cannot be told from weather.
TOLD = {Picture.MOVED, Picture.COVERED, Picture.BLURRED}
#: Largest kept state in bytes, packed and unpacked.
MOST = 2 * 1024 * 1024


class Day(msgspec.Struct, frozen=True):
    """The picture of one day, ``WIDTH`` × ``HEIGHT`` levels; days are counted since 1970."""

    day: int
    levels: bytes


class DailyReference:
    """The pictures of the last days. Times are in seconds since 1970; ``utc_s`` are the seconds clocks are ahead."""

    def __init__(self, utc_s: int, kept: bytes = b"") -> None:
        self._utc_s = utc_s
        self._days = _unpacked(kept)
        self._looked = 0.0
        self._wrong: list[Picture] = []
        self._since: int | None = None
        self.slowly: Picture | None = None
        """What has become wrong over days; None while nothing has."""

    def wants(self, at: float) -> bool:
        """Tell whether a calm picture of this moment would be looked at."""
        local = at + self._utc_s
        if not LIGHT[0] <= local % DAY / HOUR < LIGHT[1] or 0 <= at - self._looked < HOUR:
            return False
        return not self._days or self._days[-1].day < local // DAY or bool(self._wrong)

    def see(self, picture: Grey, at: float) -> bytes | None:
        """Look at a calm picture that is wanted; return what must be kept where that has changed."""
        if not DIM < float(picture.mean()) < BRIGHT:
            return None
        self._looked = at
        today = int((at + self._utc_s) // DAY)
        verdict = self._verdict(picture)
        if verdict in TOLD:
            self._wrong = [*self._wrong[-LOOKS:], verdict]
            if len(self._wrong) >= LOOKS and set(self._wrong[-LOOKS:]) == {verdict}:
                self.slowly, self._since = verdict, today if self._since is None else self._since
            if self._since is None or today - self._since < DAYS:
                return None
            self._days = []
        elif verdict is not Picture.WELL:
            return None  # another day may tell
        self._wrong, self._since, self.slowly = [], None, None
        if self._days and self._days[-1].day >= today:
            return None
        levels = np.clip(np.rint(picture), 0, 255).astype(np.uint8).tobytes()
        self._days = [*self._days, Day(today, levels)][-DAYS:]
        return zlib.compress(msgspec.msgpack.encode(self._days))

    def _verdict(self, picture: Grey) -> Picture:
        if not self._days:
            return Picture.WELL
        levels = np.frombuffer(self._days[0].levels, np.uint8).reshape(HEIGHT, WIDTH)
        oldest = levels.astype(np.float32)
        return compared(picture, structure(picture), Well(oldest, structure(oldest), sharpness(oldest)), 0.0)


def _unpacked(kept: bytes) -> list[Day]:
    """Read what was kept; nothing of what is damaged."""
    if not kept:
        return []
    try:
        opened = zlib.decompressobj().decompress(kept, MOST)
        days = msgspec.msgpack.decode(opened, type=list[Day])
    except (zlib.error, msgspec.MsgspecError):
        return []
    whole = [day for day in days if len(day.levels) == WIDTH * HEIGHT]
    return sorted(whole, key=lambda day: day.day)[-DAYS:]
