"""The journal: commits entries in groups on a thread of its own, and restores what the hub remembers."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING, TypeVar

import msgspec

from hub.engine.listening import Absences, Moves, remembered
from hub.journal.chain import Fresh, begin, keep
from hub.journal.migrate import migrate
from hub.journal.soundness import MEMORY, check, trouble_of
from hub.journal.writer import write
from hub.model.activation import Slot, SlotKey
from hub.model.decision import Command, Say
from hub.model.entry import (
    Announcement,
    Bookmarked,
    ClockJump,
    Delivery,
    Entry,
    LinkBack,
    LinkLost,
    ModeChange,
    Started,
)
from hub.model.errors import JournalError, Trouble
from hub.model.found import Inboxed
from hub.model.ids import ActivationId, EntityId, RuleId, ZoneId
from hub.model.incident import CommandStatus
from hub.model.memory import Memory as EntityMemory
from hub.model.reading import Quality, State, value_from_store
from hub.model.roster import Roster
from hub.model.time import Instant

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE = "journal.sqlite3"
#: Says that there was a journal here: a hub whose journal is gone must not begin as if nobody had armed anything.
MADE = "journal.made"
Answer = TypeVar("Answer")
_UNTRUSTED = JournalError("opened anew, the journal is not what was written last", Trouble.DAMAGED)


class Anchor(msgspec.Struct, frozen=True):
    """Where the hub's clock stood at the last commit, to tell later how long the hub was away (hub.runtime.clock)."""

    at: Instant
    boot_id: str
    boot_us: int
    """Microseconds since boot, sleep included."""

    def as_tuple(self) -> tuple[Instant, str, int]:
        """Return the parts in their order."""
        return self.at, self.boot_id, self.boot_us


class Memory(msgspec.Struct):
    """What a restarted hub goes on with."""

    states: dict[EntityId, State]
    memories: dict[EntityId, EntityMemory]
    slots: dict[SlotKey, Slot]
    modes: list[ModeChange]
    outbox: list[tuple[Command, CommandStatus]]
    deliveries: list[Delivery]
    announcements: list[Announcement]
    spoken: list[Command]
    """The last voices, oldest first: what a rate is counted from."""
    anchor: Anchor | None
    found: list[Inboxed]
    left: set[ActivationId]
    """Activations that still run though a person has closed their incident: nobody is warned any more."""
    absences: Absences
    """When the hub was away: nobody was silent then."""
    roster: Roster
    roster_version: int
    """0 while nobody has written an on-call list."""
    bookmarks: list[Bookmarked]


#: Seconds between two notes that the hub is there; its absence is known to within as much.
BEAT = 60.0
#: Memory for pages in KiB, and pages of 4 KiB in the write-ahead log before they are moved into the file: with the
#: defaults (2 MiB, 1,000) the sustained rate is a seventh lower (python -m tests.bench pipeline). The pages that 1,000
#: entities write to again and again have room in 8 MiB; with 4 a reading costs 8 % more, with 16 nothing less.
CACHE, CHECKPOINT = 8_000, 8_000
#: Commands looked through for the last voices after a restart: an hour of a community that never rests.
LAST_DONE = 500
_LEFT = (
    "SELECT i.activation FROM incidents i JOIN activations a ON a.id = i.activation "
    "WHERE i.verdict IS NOT NULL AND i.state = 'closed' AND a.cleared_at IS NULL"
)
_MOVES: dict[str, type[Moves]] = {kind.__name__: kind for kind in (Started, LinkLost, LinkBack, ClockJump)}
_AWAY = f"SELECT kind, body FROM turns WHERE kind IN ({', '.join('?' * len(_MOVES))}) ORDER BY seq"  # noqa: S608
_LAST_DONE = "SELECT body FROM (SELECT * FROM commands ORDER BY rowid DESC LIMIT ?) WHERE status = 'done'"


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open the store. Raises JournalError."""
    try:
        mode = "ro" if read_only else "rwc"
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=5)
        db.execute("PRAGMA busy_timeout = 5000")
        if not read_only:
            path.chmod(0o600)
            db.execute("PRAGMA journal_mode = WAL")
            # FULL: a commit that was acknowledged survives power loss; NORMAL may roll it back (sqlite.org/pragma.html)
            db.execute("PRAGMA synchronous = FULL")
            db.execute(f"PRAGMA cache_size = -{CACHE}")
            db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}")
    except (sqlite3.Error, OSError) as error:
        trouble = trouble_of(error)
        advice = ": restore a backup" if trouble is Trouble.DAMAGED else ""
        raise JournalError(f"cannot open {path.name}: {error}{advice}", trouble) from error
    return db


async def keep_anchor(journal: Journal) -> None:
    """Write until cancelled that the hub is there: while no device speaks it commits nothing else, but listens."""
    while True:
        await asyncio.sleep(BEAT)
        with suppress(JournalError):  # a commit that matters is tried again and shown (hub.runtime.core)
            await journal.execute(lambda _: None)


class Journal:
    """The writing side. Open it once per data folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        made = folder / MADE
        if made.exists() and not (self.path.exists() and self.path.stat().st_size):
            raise JournalError(f"{FILE} is gone: restore a backup, or remove {MADE} to begin anew", Trouble.DAMAGED)
        self.anchor: Callable[[], Anchor] | None = None
        """Set once the clock runs; written with every commit."""
        self._db = connect(self.path)
        self._db.close()  # the thread opens its own: SQLite connections stay on theirs
        self._jobs: queue.SimpleQueue[tuple[Callable[[sqlite3.Connection], None], asyncio.Future[None]] | None]
        self._jobs = queue.SimpleQueue()
        with closing(connect(self.path)) as db:
            try:
                migrate(db)
                db.execute("BEGIN IMMEDIATE")
                begin(db)
                db.execute("COMMIT")
                check(db, MEMORY)
            except sqlite3.Error as error:
                raise JournalError(f"{FILE} is damaged ({error}): restore a backup", trouble_of(error)) from error
        made.touch(mode=0o600)
        self._suspect = False
        """A write to the disk has failed: what the system's cache shows of the file may not be on the disk."""
        self._last = ""
        """The anchor of the last commit that succeeded."""
        self.fresh = Fresh()
        """What the transaction that runs has to chain; of the writing thread alone."""
        self._doubtful: tuple[str, list[Entry]] | None = None
        """The anchor and the entries of a commit that was refused, though the disk may hold it."""
        self._landed: list[Entry] = []
        """Entries of such a commit that were found on the disk: not written again when they are tried again."""
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    async def commit(self, entry: Entry) -> None:
        """Write ``entry`` and return once it is on the disk. Raises JournalError; then nothing of it was kept."""
        await self.execute(_Writing(entry, self))

    async def execute(self, job: Callable[[sqlite3.Connection], None]) -> None:
        """Run ``job`` inside the next transaction."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._jobs.put((job, done))
        await done

    async def answer(self, job: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Run ``job`` inside the next transaction and return what it answered. A job that raises undoes others' too."""
        answers: list[Answer] = []
        await self.execute(lambda db: answers.append(job(db)))
        return answers[0]

    async def close(self) -> None:
        """Finish what is queued and end the thread."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def load(self) -> Memory:
        """Restore what the hub remembers. Called once, before the first commit. Raises JournalError."""
        db = connect(self.path, read_only=True)
        try:
            return _load(db)
        except (sqlite3.Error, msgspec.MsgspecError, ValueError, KeyError) as error:
            raise JournalError(f"the journal in {self.path} cannot be read ({error}): restore a backup") from error
        finally:
            db.close()

    def landed(self, entry: Entry) -> bool:
        """Tell whether ``entry``, whose commit was refused, was found on the disk nevertheless."""
        return any(found is entry for found in self._landed)

    def _run(self) -> None:
        db: sqlite3.Connection | None = None
        with suppress(JournalError):  # the first job tries again, and its writer is told
            db = connect(self.path)
        stop = False
        while not stop:
            group = [self._jobs.get()]
            while not self._jobs.empty():
                group.append(self._jobs.get())
            stop = None in group
            jobs = [job for job in group if job is not None]
            if jobs:
                db = self._trusted(db)
                error = _UNTRUSTED if db is None else self._commit(db, jobs)
                for _, done in jobs:
                    done.get_loop().call_soon_threadsafe(_resolve, done, error)
        if db is not None:
            db.close()

    def _trusted(self, db: sqlite3.Connection | None) -> sqlite3.Connection | None:
        """Return a connection that can be trusted, opened anew and checked after a fault; None while there is none."""
        if db is not None and not self._suspect:
            return db
        if db is not None:
            with suppress(sqlite3.Error):
                db.close()
        try:
            db = connect(self.path)
        except JournalError:
            return None
        try:
            check(db)
            kept = db.execute("SELECT value FROM meta WHERE key = 'anchor'").fetchone()
        except sqlite3.Error:
            with suppress(sqlite3.Error):
                db.close()
            return None
        if self._doubtful is not None and kept is not None and kept[0] == self._doubtful[0]:
            self._last = self._doubtful[0]
            self._landed += self._doubtful[1]
        if self._last and (kept is None or kept[0] != self._last):
            db.close()
            return None
        self._suspect, self._doubtful = False, None
        return db

    def _commit(
        self, db: sqlite3.Connection, jobs: list[tuple[Callable[[sqlite3.Connection], None], asyncio.Future[None]]]
    ) -> JournalError | None:
        """One transaction for the whole group: all of it is on the disk, or none and the error is returned."""
        text = ""
        self.fresh.clear()
        try:
            db.execute("BEGIN IMMEDIATE")
            for job, _ in jobs:
                job(db)
            anchor = None if self.anchor is None else self.anchor()
            if anchor is not None:
                text = msgspec.json.encode(anchor).decode()
                db.execute("INSERT OR REPLACE INTO meta VALUES ('anchor', ?)", (text,))
            ends = keep(db, None if anchor is None else anchor.at, self.fresh)
            entries = [job.entry for job, _ in jobs if isinstance(job, _Writing)]
            self._doubtful = (text, entries)
            db.execute("COMMIT")
            self.fresh.ends = ends
            self._last, self._doubtful = text or self._last, None
            self._landed = [found for found in self._landed if not any(found is entry for entry in entries)]
        except Exception as cause:  # noqa: BLE001 - a number or text that SQLite cannot take must not end the thread
            trouble = trouble_of(cause)
            self._suspect |= trouble in {Trouble.DISK, Trouble.DAMAGED}
            if db.in_transaction:
                try:
                    db.rollback()
                except sqlite3.Error:
                    self._suspect = True
            return JournalError(f"the journal refused a transaction: {cause}", trouble)
        return None


class _Writing:
    """Writes one entry; does nothing when a commit that was taken for refused has brought it to the disk already."""

    def __init__(self, entry: Entry, journal: Journal) -> None:
        self.entry = entry
        self._journal = journal

    def __call__(self, db: sqlite3.Connection) -> None:
        """Write the entry once. Raises what SQLite raises."""
        if not self._journal.landed(self.entry):
            write(db, self.entry, self._journal.fresh)


def _resolve(done: asyncio.Future[None], error: JournalError | None) -> None:
    if done.cancelled():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)


def _load(db: sqlite3.Connection) -> Memory:
    anchor = db.execute("SELECT value FROM meta WHERE key = 'anchor'").fetchone()
    roster = db.execute("SELECT version, body FROM rosters ORDER BY version DESC LIMIT 1").fetchone()
    return Memory(
        states={
            EntityId(entity): State(
                value=value_from_store(value), quality=Quality(quality), since=Instant(since), at=Instant(at)
            )
            for entity, value, quality, since, at in db.execute("SELECT * FROM states")
        },
        memories={
            EntityId(entity): msgspec.json.decode(body, type=EntityMemory)
            for entity, body in db.execute("SELECT * FROM memories")
        },
        slots={
            SlotKey(RuleId(rule), ZoneId(zone)): msgspec.json.decode(body, type=Slot)
            for rule, zone, body in db.execute("SELECT * FROM slots")
        },
        modes=[msgspec.json.decode(body, type=ModeChange) for _, body in db.execute("SELECT * FROM modes")],
        outbox=[
            (msgspec.json.decode(body, type=Command), CommandStatus(status))
            for status, body in db.execute(
                "SELECT status, body FROM commands WHERE status IN ('pending', 'started') ORDER BY at, rowid"
            )
        ],
        spoken=[
            command
            for (body,) in reversed(db.execute(_LAST_DONE, (LAST_DONE,)).fetchall())
            if isinstance((command := msgspec.json.decode(body, type=Command)).action, Say)
        ],
        deliveries=[
            Delivery(link=link, mid=mid, digest=digest)
            for link, mid, digest in db.execute("SELECT link, mid, digest FROM deliveries ORDER BY seq")
        ],
        announcements=[Announcement(*row) for row in db.execute("SELECT * FROM announcements")],
        anchor=None if anchor is None else msgspec.json.decode(anchor[0], type=Anchor),
        found=[msgspec.json.decode(body, type=Inboxed) for (body,) in db.execute("SELECT body FROM found")],
        left={ActivationId(name) for (name,) in db.execute(_LEFT)},
        absences=remembered(
            msgspec.json.decode(body, type=_MOVES[kind]) for kind, body in db.execute(_AWAY, tuple(_MOVES))
        ),
        roster=Roster() if roster is None else msgspec.json.decode(roster[1], type=Roster),
        roster_version=0 if roster is None else roster[0],
        bookmarks=[Bookmarked(*row) for row in db.execute("SELECT domain, device, key, value FROM bookmarks")],
    )
