"""Keeps what passed the cameras, so that it is found again: a file of its own beside the journal, which stays small.

A row is numbered by its time, so that rows lie in the order in which they are asked for; class and colours are one
number, its look, by which an index finds what is rare. Thumbnails lie apart. It is no evidence: no incident holds it,
and no backup has it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import msgspec
import structlog

from hub.journal.store import connect
from hub.model.errors import JournalError, Trouble
from hub.model.proof import Retention
from hub.model.time import DAY, SECOND, Instant
from hub.vision.detect.kind import Kind
from hub.vision.sighting.palette import Colour
from hub.vision.sighting.record import Sighting

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


log = structlog.get_logger()
Answer = TypeVar("Answer")

FILE = "sightings.sqlite3"
#: Most of one camera in a day; most bytes of the file.
DAILY, MOST_BYTES = 2_000, 10 * 1024**3
#: Largest thumbnail that is taken from a worker, in bytes; rows erased in one transaction; seconds between two looks.
THUMBNAIL, CHUNK, LOOK = 8_192, 5_000, 3_600.0
#: Rows of one millisecond that can be told apart: the low bits of a number.
_BITS = 10
_KINDS, _COLOURS = tuple(Kind), tuple(Colour)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS cameras (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS days (camera INTEGER, day INTEGER, count INTEGER NOT NULL, PRIMARY KEY (camera, day))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sightings (id INTEGER PRIMARY KEY, camera INTEGER NOT NULL, look INTEGER NOT NULL,
    lasts INTEGER NOT NULL, box BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS looks ON sightings (look, id, camera);
CREATE TABLE IF NOT EXISTS thumbnails (id INTEGER PRIMARY KEY, jpeg BLOB NOT NULL);
"""


class Wanted(msgspec.Struct, frozen=True):
    """What is looked for; an empty set asks for nothing in particular. From ``begin``, before ``end``."""

    begin: Instant
    end: Instant
    cameras: frozenset[str] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    upper: frozenset[Colour] = frozenset()
    lower: frozenset[Colour] = frozenset()


class Found(msgspec.Struct, frozen=True):
    """One record; ``id`` grows with its time."""

    id: int
    camera: str
    what: Sighting


class Sightings:
    """The records of all cameras. Reads and writes are on threads of their own; the file is made with the first one."""

    def __init__(self, data: Path, retention: Callable[[], Retention] = Retention) -> None:
        self._retention = retention
        self._path = data / FILE
        self._writes = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sightings-write")
        self._reads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sightings-read")
        self._writing: sqlite3.Connection | None = None
        self._reading: sqlite3.Connection | None = None

    async def close(self) -> None:
        """End the threads."""
        for threads, job in ((self._writes, self._close_writing), (self._reads, self._close_reading)):
            await asyncio.get_running_loop().run_in_executor(threads, job)
            threads.shutdown()

    async def add(self, camera: str, what: Sighting) -> bool:
        """Keep a record; False where none are wanted, the camera has had its day's share, or it is not fit.

        Raises JournalError.
        """
        if not self._days():
            return False
        return await self._on(self._writes, lambda: _add(self._to_write(), camera, what))

    async def find(self, wanted: Wanted, limit: int, after: int = 0) -> list[Found]:
        """Return records with numbers above ``after``, the oldest first. Raises JournalError."""
        if self._writing is None and not self._path.exists():
            return []
        await self._on(self._writes, self._to_write)  # a file that is being made is waited for, a damaged one put aside
        return await self._on(self._reads, lambda: find(self._to_read(), wanted, limit, after))

    async def erase(self, before: Instant) -> int:
        """Erase what began before an instant, and the oldest of what is too much. Raises JournalError."""
        total = 0
        while self._writing is not None or self._path.exists():
            count = await self._on(self._writes, lambda: _erase(self._to_write(), before))
            total += count
            if count < CHUNK:
                break
        return total

    async def erase_in_time(self, now: Callable[[], Instant]) -> None:
        """Erase what was kept long enough, every hour, until cancelled."""
        while True:
            try:
                count = await self.erase(Instant(now() - self._days() * DAY))
                if count:
                    log.info("vision.sightings_erased", count=count)
            except JournalError as error:
                log.error("vision.sightings_not_erased", reason=str(error))
            await asyncio.sleep(LOOK)

    def _days(self) -> int:
        wanted = self._retention()
        return min(wanted.sightings, wanted.pictures)

    async def _on(self, threads: ThreadPoolExecutor, job: Callable[[], Answer]) -> Answer:
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, job)
        except (sqlite3.Error, OSError) as error:
            raise JournalError(f"{FILE}: {error}") from error

    def _to_write(self) -> sqlite3.Connection:
        if self._writing is None:
            try:
                self._writing = made(self._path)
            except (JournalError, sqlite3.DatabaseError) as error:
                if isinstance(error, JournalError) and error.trouble is not Trouble.DAMAGED:
                    raise
                log.error("vision.sightings_damaged", reason=str(error))
                self._path.replace(self._path.with_suffix(".damaged"))  # it is no evidence: begun anew
                for end in ("-wal", "-shm"):
                    self._path.with_name(FILE + end).unlink(missing_ok=True)
                self._writing = made(self._path)
        return self._writing

    def _to_read(self) -> sqlite3.Connection:
        if self._reading is None:
            self._reading = connect(self._path, read_only=True)
        return self._reading

    def _close_writing(self) -> None:
        if self._writing is not None:
            self._writing.close()

    def _close_reading(self) -> None:
        if self._reading is not None:
            self._reading.close()


def number_of(at: Instant) -> int:
    """Return the least number of a record of this time."""
    return at * 1000 // SECOND << _BITS


def find(db: sqlite3.Connection, wanted: Wanted, limit: int, after: int = 0) -> list[Found]:
    """Search: one stretch of the table in its order, ended by ``limit``."""
    sql, values = question(db, wanted, limit, after)
    rows = db.execute(sql, values).fetchall()
    names = dict(db.execute("SELECT id, name FROM cameras"))
    marks = ",".join("?" * len(rows))
    jpegs = dict(db.execute(f"SELECT id, jpeg FROM thumbnails WHERE id IN ({marks})", [row[0] for row in rows]))  # noqa: S608 - question marks only
    return [
        Found(number, names[camera], _sighting(number, look, lasts, box, jpegs.get(number, b"")))
        for number, camera, look, lasts, box in rows
    ]


def question(db: sqlite3.Connection, wanted: Wanted, limit: int, after: int) -> tuple[str, list[int]]:
    """Return the SQL of a search and its values: by the index where something of a look is asked for, else by time."""
    begin, end = max(number_of(wanted.begin), after + 1), number_of(wanted.end)
    where, values = ["id >= ?", "id < ?"], [begin, end]
    source = "sightings NOT INDEXED"
    if wanted.cameras:
        known = dict(db.execute("SELECT name, id FROM cameras"))
        cameras = sorted(known[name] for name in wanted.cameras if name in known)
        marks = ",".join("?" * len(cameras))
        first, last = db.execute(f"SELECT min(day), max(day) FROM days WHERE camera IN ({marks})", cameras).fetchone()  # noqa: S608 - question marks only
        if first is None:
            end = 0
        else:  # nobody need look at days on which none of them saw anything
            begin = max(begin, number_of(Instant(first * DAY)))
            end = min(end, number_of(Instant((last + 1) * DAY)))
        where.append(f"camera IN ({marks})")
        values = [begin, end, *cameras]
    if wanted.kinds or wanted.upper or wanted.lower:
        source = "sightings INDEXED BY looks"
        looks = [
            look_of(kind, upper, lower)
            for kind in wanted.kinds or _KINDS
            for upper in wanted.upper or _COLOURS
            for lower in wanted.lower or _COLOURS
        ]
        where.append(f"look IN ({','.join('?' * len(looks))})")
        values += looks
    sql = f"SELECT id, camera, look, lasts, box FROM {source} WHERE {' AND '.join(where)} ORDER BY id LIMIT ?"  # noqa: S608 - words of this module
    return sql, [*values, limit]


def look_of(kind: Kind, upper: Colour, lower: Colour) -> int:
    """Return class and colours as one number."""
    return (_KINDS.index(kind) * len(_COLOURS) + _COLOURS.index(upper)) * len(_COLOURS) + _COLOURS.index(lower)


def _sighting(number: int, look: int, lasts: int, box: bytes, jpeg: bytes) -> Sighting:
    began = (number >> _BITS) / 1000
    rest, lower = divmod(look, len(_COLOURS))
    kind, upper = divmod(rest, len(_COLOURS))
    return Sighting(began, began + lasts / 1000, _KINDS[kind], _unpacked(box), _COLOURS[upper], _COLOURS[lower], jpeg)


def made(path: Path) -> sqlite3.Connection:
    """Open the store, made where it is not. Raises JournalError."""
    db = connect(path)
    with suppress(sqlite3.OperationalError):  # only for a new file
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA synchronous = NORMAL")  # the last seconds may be lost with the power: it is no evidence
    db.executescript(_SCHEMA)
    return db


def _add(db: sqlite3.Connection, camera: str, what: Sighting) -> bool:
    if not _is_fit(what):
        return False
    db.execute("BEGIN IMMEDIATE")
    try:
        kept = _insert(db, camera, what)
        db.execute("COMMIT")
    except sqlite3.Error:
        db.execute("ROLLBACK")
        raise
    return kept


def _is_fit(what: Sighting) -> bool:
    """A worker decodes what strangers' devices send: its word is checked like theirs."""
    left, top, right, bottom = what.box
    return (
        0 < len(what.jpeg) <= THUMBNAIL
        and what.jpeg.startswith(b"\xff\xd8\xff")
        and 0 < what.began <= what.ended < what.began + DAY / SECOND
        and what.began < 1 << 33
        and 0 <= left <= right <= 1
        and 0 <= top <= bottom <= 1
    )


def _insert(db: sqlite3.Connection, camera: str, what: Sighting) -> bool:
    db.execute("INSERT OR IGNORE INTO cameras (name) VALUES (?)", (camera,))
    (of,) = db.execute("SELECT id FROM cameras WHERE name = ?", (camera,)).fetchone()
    sql = (
        "INSERT INTO days VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1 WHERE count < ? RETURNING count"
    )
    if not db.execute(sql, (of, int(what.began // (DAY / SECOND)), DAILY)).fetchall():
        return False
    first = int(what.began * 1000) << _BITS
    last = first + (1 << _BITS) - 1
    (taken,) = db.execute("SELECT max(id) FROM sightings WHERE id BETWEEN ? AND ?", (first, last)).fetchone()
    number = first if taken is None else min(taken + 1, last)
    lasts = round((what.ended - what.began) * 1000)
    row = (number, of, look_of(what.kind, what.upper, what.lower), lasts, _packed(what.box))
    db.execute("INSERT OR REPLACE INTO sightings VALUES (?, ?, ?, ?, ?)", row)
    db.execute("INSERT OR REPLACE INTO thumbnails VALUES (?, ?)", (number, what.jpeg))
    return True


def _erase(db: sqlite3.Connection, before: Instant) -> int:
    """Erase a chunk; too much is counted without the pages that are free already."""
    upto = number_of(before)
    (size,) = db.execute(
        "SELECT (page_count - freelist_count) * page_size "
        "FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
    ).fetchone()
    if size > MOST_BYTES:
        upto = 1 << 62
    db.execute("BEGIN IMMEDIATE")
    try:
        chosen = db.execute("SELECT id FROM sightings WHERE id < ? ORDER BY id LIMIT ?", (upto, CHUNK)).fetchall()
        for table in ("sightings", "thumbnails"):
            db.executemany(f"DELETE FROM {table} WHERE id = ?", chosen)  # noqa: S608 - words of this module
        db.execute("DELETE FROM days WHERE day < ?", (before // DAY,))
        db.execute("COMMIT")
    except sqlite3.Error:
        db.execute("ROLLBACK")
        raise
    db.execute("PRAGMA incremental_vacuum(2000)").fetchall()
    return len(chosen)


def _packed(box: tuple[float, float, float, float]) -> bytes:
    return bytes(round(part * 255) for part in box)


def _unpacked(box: bytes) -> tuple[float, float, float, float]:
    left, top, right, bottom = (part / 255 for part in box)
    return left, top, right, bottom
