"""The journal on a real file: what is committed comes back, a refused transaction leaves nothing."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from hub.journal.migrate import migrate
from hub.journal.queries import Queries, add_token
from hub.journal.store import FILE, Anchor, Journal, connect
from hub.model.decision import Capture, IncidentClosed, IncidentOpened, Notify, Reason, Severity
from hub.model.entry import KEPT_DELIVERIES, Announcement, Delivery, Entry, ModeChange, Outcome
from hub.model.errors import JournalError
from hub.model.incident import CommandStatus
from hub.model.reading import Quality, Reading
from hub.model.site import Mode
from tests.kit.facts import NAME, at, command, evidence, story
from tests.kit.lane import CAR, LANE, LEFT, RULE


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path)
    yield journal
    await journal.close()


@pytest.fixture
async def queries(journal: Journal) -> AsyncIterator[Queries]:
    queries = Queries(journal.path.parent)
    yield queries
    await queries.close()


@contextlib.contextmanager
def beside(journal: Journal) -> Iterator[sqlite3.Connection]:
    """Open the same file a second time."""
    with contextlib.closing(sqlite3.connect(journal.path, isolation_level=None)) as db:
        yield db


def asked(sql: str, *parameters: object) -> Callable[[sqlite3.Connection], None]:
    """Return a job that runs one statement."""

    def job(db: sqlite3.Connection) -> None:
        db.execute(sql, parameters)

    return job


async def test_everything_that_is_remembered_comes_back(journal: Journal) -> None:
    entry = story()
    await journal.commit(entry)
    memory = journal.load()
    assert memory.states == entry.states
    assert memory.memories == entry.memories
    assert memory.slots == entry.slots
    assert memory.modes == [entry.modes[0]]
    assert memory.deliveries == entry.deliveries
    assert memory.announcements == [Announcement("mqtt_discovery", "a/config", b"{}")]
    assert memory.bookmarks == entry.bookmarks[:1]
    speech, notice = command(number=1, when=2), command(Notify("guard"), "1", when=5)
    assert memory.outbox == [(speech, CommandStatus.STARTED), (notice, CommandStatus.PENDING)]


async def test_everything_that_happened_can_be_read(journal: Journal, queries: Queries) -> None:
    entry = story()
    await journal.commit(entry)
    (incident,) = await queries.incidents(is_open=None, limit=10, before=None)
    assert (incident.activation, incident.state, incident.reason) == (NAME, "closed", "cleared")
    assert (incident.opened_at, incident.closed_at) == (at(2), at(8))
    (activation,) = await queries.activations()
    assert (activation.late_by, activation.cleared_at, activation.trace[0].entity) == (7, at(8), CAR)
    events = await queries.events(NAME)
    assert [event.kind for event in events] == [
        "opened", "command", "command", "incident_opened", "escalated", "withheld", "command", "cleared",
        "incident_closed", "outcome", "outcome",
    ]  # fmt: skip
    outcome = msgspec.convert(events[-2].body, Outcome, strict=False)
    assert outcome == entry.outcomes[0]
    assert await queries.evidence(NAME) == [evidence(command(Capture()))]
    (reading,) = await queries.history(LEFT, 10)
    assert (reading.value, reading.quality, reading.retained) == (21.5, "stale", True)
    with beside(journal) as db:
        other = [kind for (kind,) in db.execute("SELECT kind FROM events WHERE activation IS NULL ORDER BY seq")]
    assert other == [
        "pending_started", "pending_dropped", "mode", "mode", "mode", "clock_jump", "hub_started", "rules_refused",
    ]  # fmt: skip


def test_the_story_has_everything_in_it() -> None:
    entry = story()
    assert not [name for name in entry.__struct_fields__ if not getattr(entry, name)]


async def test_what_ended_is_forgotten(journal: Journal) -> None:
    await journal.commit(story())
    ended = Entry(at=at(10), slots=dict.fromkeys(story().slots))
    ended.modes.append(ModeChange(Mode.MAINTENANCE, on=False, at=at(10)))
    ended.announcements.append(Announcement("mqtt_discovery", "a/config", b""))
    ended.outcomes.append(Outcome(command(number=1).key, NAME, CommandStatus.DONE, at(10)))
    ended.outcomes.append(Outcome(command(Notify("guard"), "1").key, NAME, CommandStatus.FAILED, at(10)))
    await journal.commit(ended)
    memory = journal.load()
    assert (memory.slots, memory.modes, memory.announcements, memory.outbox) == ({}, [], [], [])
    assert len(memory.states) == 3
    assert memory.spoken == [command(number=1, when=2)], "a rate is counted from what was said before a restart"


async def test_an_incident_that_was_closed_and_opened_again_is_the_same(journal: Journal, queries: Queries) -> None:
    where = {"rule": RULE, "zone": LANE, "activation": NAME}
    opened = IncidentOpened(**where, at=at(1), severity=Severity.LOW)  # type: ignore[arg-type]
    closed = IncidentClosed(**where, at=at(2), reason=Reason.CLEARED)  # type: ignore[arg-type]
    await journal.commit(Entry(at=at(3), decisions=[opened, closed, opened]))
    (incident,) = await queries.incidents(is_open=True, limit=9, before=None)
    assert (incident.state, incident.closed_at) == ("open", None)


async def test_commits_that_wait_together_share_one_transaction(journal: Journal) -> None:
    held, loop, transactions = asyncio.Event(), asyncio.get_running_loop(), []

    def slow(_db: sqlite3.Connection) -> None:
        asyncio.run_coroutine_threadsafe(held.wait(), loop).result(5)

    def anchor() -> Anchor:
        transactions.append(1)
        return Anchor(at(0), "", 0)

    journal.anchor = anchor
    waiting = [asyncio.create_task(journal.execute(slow))]
    for number in range(50):
        reading = Reading(CAR, None, Quality.STALE, at(number))
        waiting.append(asyncio.create_task(journal.commit(Entry(at=at(number), readings=[reading]))))
    await asyncio.sleep(0)
    held.set()
    await asyncio.gather(*waiting)
    assert len(transactions) <= 2
    with beside(journal) as db:
        assert db.execute("SELECT count(*) FROM readings").fetchone() == (50,)


async def test_a_refused_transaction_leaves_nothing_and_the_next_one_is_taken(journal: Journal) -> None:
    with beside(journal) as db:
        db.execute("CREATE TRIGGER full BEFORE INSERT ON announcements BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        with pytest.raises(JournalError, match="disk full"):
            await journal.commit(story())
        memory = journal.load()
        assert (memory.states, memory.slots, memory.outbox, memory.deliveries) == ({}, {}, [], [])
        assert db.execute("SELECT count(*) FROM events").fetchone() == (0,)
        db.execute("DROP TRIGGER full")
    await journal.commit(story())
    assert len(journal.load().states) == 3


@pytest.mark.parametrize("value", [1 << 70, "a\ud800"], ids=["number", "text"])
async def test_what_sqlite_cannot_take_is_refused_and_ends_nothing(journal: Journal, value: object) -> None:
    with pytest.raises(JournalError, match="refused"):
        await journal.execute(asked("INSERT INTO meta VALUES ('x', ?)", value))
    await journal.commit(story())


async def test_a_lock_held_by_another_program_refuses(journal: Journal) -> None:
    await journal.execute(asked("PRAGMA busy_timeout = 1"))
    with beside(journal) as db:
        db.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="locked"):
            await journal.commit(story())
        db.execute("ROLLBACK")
    await journal.commit(story())


async def test_the_anchor_is_written_with_every_commit(journal: Journal) -> None:
    assert journal.load().anchor is None
    journal.anchor = lambda: Anchor(at(5), "boot", 99)
    await journal.commit(Entry(at=at(5)))
    anchor = journal.load().anchor
    assert anchor is not None
    assert anchor.as_tuple() == (at(5), "boot", 99)


async def test_only_the_last_deliveries_are_kept(journal: Journal) -> None:
    deliveries = [Delivery("mqtt", number, bytes(16)) for number in range(KEPT_DELIVERIES + 10)]
    await journal.commit(Entry(at=at(0), deliveries=deliveries))
    assert journal.load().deliveries == deliveries[10:]


async def test_the_file_is_for_the_hub_alone(journal: Journal) -> None:
    await journal.commit(story())
    for path in journal.path.parent.glob(f"{FILE}*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


async def test_closing_finishes_what_is_queued(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    waiting = asyncio.create_task(journal.commit(story()))
    await asyncio.sleep(0)
    await journal.close()
    await waiting
    assert len(Journal.load(journal).states) == 3


def test_commits_are_durable(tmp_path: Path) -> None:
    with contextlib.closing(connect(tmp_path / FILE)) as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (2,), "FULL"
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_migrations_opened_twice_change_nothing(tmp_path: Path) -> None:
    with contextlib.closing(connect(tmp_path / FILE)) as db:
        version = migrate(db)
        schema = db.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
        db.execute("INSERT INTO meta VALUES ('a', 'b')")
    with contextlib.closing(connect(tmp_path / FILE)) as db:
        assert migrate(db) == version == db.execute("PRAGMA user_version").fetchone()[0]
        assert db.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall() == schema
        assert db.execute("SELECT * FROM meta").fetchall() == [("a", "b")]


def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    with contextlib.closing(connect(tmp_path / FILE)) as db:
        newer = migrate(db) + 1
        db.execute(f"PRAGMA user_version = {newer}")
    with pytest.raises(JournalError, match="start a newer hub"):
        Journal(tmp_path)


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database" * 100)
    with pytest.raises(JournalError, match="cannot open"):
        Journal(tmp_path)
    with pytest.raises(JournalError, match="cannot open"):
        connect(tmp_path / "nowhere" / FILE)


async def test_a_token_has_one_holder_and_a_name_one_token(journal: Journal, queries: Queries) -> None:
    await journal.execute(lambda db: add_token(db, "guard", "viewer", "first", at(0)))
    await journal.execute(lambda db: add_token(db, "guard", "guard", "second", at(1)))
    assert await queries.token("first") is None
    holder = await queries.token("second")
    assert holder is not None
    assert (holder.name, holder.role) == ("guard", "guard")
    for wrong in ("", "secon", "second ", "\udcff"):
        assert await queries.token(wrong) is None
    with beside(journal) as db:
        assert b"second" not in b"".join(str(row).encode() for row in db.execute("SELECT * FROM tokens"))
