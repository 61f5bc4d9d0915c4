"""Finding again: a month of fifty cameras, 3 million records, and the slowest of several questions."""

from __future__ import annotations

import itertools
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from hub.journal.store import connect
from hub.model.time import DAY, SECOND, Instant
from hub.seeing import sightings
from hub.seeing.sightings import Wanted, find, look_of, number_of
from hub.vision.detect.kind import Kind
from hub.vision.sighting.palette import Colour
from tests.bench.figure import Figure

#: Fifty cameras, thirty days, two thousand a day.
CAMERAS, DAYS, DAILY = 50, 30, 2_000
BEGIN = Instant(1_700_006_400 * SECOND)
END = Instant(BEGIN + DAYS * DAY)
#: Bytes of a thumbnail in the store: those of the question are read, too.
JPEG = b"\xff\xd8\xff" + bytes(2_500)
_KINDS, _SHARES = (Kind.PERSON, Kind.VEHICLE, Kind.BICYCLE, Kind.OTHER), (50, 30, 15, 5)


def figures() -> Iterator[Figure]:
    """Fill a store, and ask."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / sightings.FILE
        fill(path)
        with connect(path, read_only=True) as db:
            slowest = max(_asked(lambda one=one: find(db, one, 60)) for one in questions())
        note = "slowest of them, 3 M records, warm"
        yield Figure("vision", "vision.find_ms", round(slowest * 1_000, 1), "ms", len(questions()), note)


def fill(path: Path) -> None:
    """Write the records; people in purple above orange are one in ten thousand. One in fifty has its thumbnail."""
    luck = random.Random(1)
    count = CAMERAS * DAYS * DAILY
    common, kinds = list(Colour)[:9], luck.choices(_KINDS, _SHARES, k=997)
    looks = itertools.cycle([look_of(kind, luck.choice(common), luck.choice(common)) for kind in kinds])
    rare = look_of(Kind.PERSON, Colour.PURPLE, Colour.ORANGE)
    with sightings.made(path) as db:
        db.execute("BEGIN")
        db.executemany("INSERT INTO cameras VALUES (?, ?)", [(n + 1, name(n)) for n in range(CAMERAS)])
        first = BEGIN // DAY
        days = [(n + 1, first + day, DAILY) for n in range(CAMERAS) for day in range(DAYS)]
        db.executemany("INSERT INTO days VALUES (?, ?, ?)", days)
        numbers = (number_of(Instant(BEGIN + n * DAYS * DAY // count)) for n in range(count))
        rows = (
            (number, n * 7 % CAMERAS + 1, rare if n % 10_000 == 9_999 else next(looks), 4_500, b"\1\2\3\4")
            for n, number in enumerate(numbers)
        )
        db.executemany("INSERT INTO sightings VALUES (?, ?, ?, ?, ?)", rows)
        some = "SELECT id, ? FROM sightings WHERE id % 50 = 0 OR look = ?"
        db.execute(f"INSERT INTO thumbnails {some}", (JPEG, rare))
        db.execute("COMMIT")


def name(number: int) -> str:
    """Name a camera."""
    return f"onvif.camera_{number}"


def questions() -> tuple[Wanted, ...]:
    """Return what is asked: what is common, rare, nowhere, and what only time and cameras narrow."""
    month, blue, people = Wanted(BEGIN, END), frozenset({Colour.BLUE}), frozenset({Kind.PERSON})
    four = frozenset(name(number) for number in range(4))
    return (
        month,
        Wanted(BEGIN, END, frozenset(), people, blue),
        Wanted(BEGIN, END, four, people, frozenset({Colour.PURPLE}), frozenset({Colour.ORANGE})),
        Wanted(BEGIN, END, four, frozenset({Kind.WHEELCHAIR})),
        Wanted(BEGIN, END, frozenset({"onvif.nobody"})),
        Wanted(BEGIN, END, frozenset(name(n) for n in range(40)), people, frozenset(Colour) - blue, blue),
        Wanted(Instant(BEGIN + 15 * DAY), Instant(BEGIN + 15 * DAY + DAY // 12), four, people, blue),
    )


def _asked(ask: object) -> float:
    assert callable(ask)
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began
