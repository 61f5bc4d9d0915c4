"""Whoever touches the journal or a picture is found: altered, deleted, inserted, swapped, rolled back (F25)."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.journal.chain import COLUMNS, begin, extend, seal
from hub.journal.dossier import note_export
from hub.journal.migrate import migrate
from hub.journal.queries import add_audit
from hub.journal.store import FILE, Anchor, Journal, connect
from hub.journal.verify import grouped, latest, plain_head, verify_folder
from hub.journal.versions import Version, add_version, versions
from hub.model.entry import Entry, Note
from hub.model.errors import JournalError
from hub.model.ids import EntityId
from hub.model.proof import Link, Occasion
from hub.model.reading import Presence, Quality, Reading, Value
from hub.model.time import DAY, HOUR, Instant
from tests.kit.facts import at, story
from tests.unit.journal.test_upgrade import old_journal

PICTURE = b"\xff\xd8 a picture"


def pictured(data: Path) -> Entry:
    """Return the entry with everything in it, its picture on the disk."""
    entry, digest = story(), hashlib.sha256(PICTURE).hexdigest()
    replace = msgspec.structs.replace
    for number, outcome in enumerate(entry.outcomes):
        if outcome.evidence is not None:
            path = data / outcome.evidence.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(PICTURE)
            entry.outcomes[number] = replace(outcome, evidence=replace(outcome.evidence, sha256=digest))
    return entry


async def live(data: Path, hours: int = 3) -> str:
    """Let a journal live through some hours; return the head that somebody writes down at the end of the second."""
    data.mkdir()  # noqa: ASYNC240 - a test's own loop
    journal, kept = Journal(data), ""
    await journal.commit(pictured(data))
    for number, author in enumerate(("", "wang")):  # noticed in the folder before the save of the page was written down
        version = Version(0, "a.yaml", "a", Instant(at(0) + number), author, author and "太短", "rule: a")
        await journal.execute(lambda db, version=version: add_version(db, version))  # type: ignore[misc]
    for hour in range(1, hours + 1):
        now = Instant(at(0) + hour * HOUR)
        journal.anchor = lambda now=now: Anchor(now, "boot", 0)
        for number in range(4):
            readings = [Reading(EntityId(f"a.{number}"), float(number), Quality.GOOD, Instant(now + number))]
            await journal.commit(Entry(at=now, readings=readings))
            await journal.execute(lambda db, now=now: add_audit(db, now, "wang", "evidence", {}, target="x"))  # type: ignore[misc]
        if hour == 2:
            kept = await journal.answer(lambda db: latest(db)[2])  # type: ignore[index]
    await journal.close()
    return kept


@pytest.fixture
async def held(tmp_path: Path) -> tuple[Path, str]:
    data = tmp_path / "data"
    return data, await live(data)


def touched(data: Path, *statements: str) -> None:
    """Do what somebody with the file could do."""
    with contextlib.closing(sqlite3.connect(data / FILE, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


def test_what_nobody_touched_holds(held: tuple[Path, str]) -> None:
    data, head = held
    report = verify_folder(data, grouped(head))
    assert (report.breaks, report.strays, report.files) == ([], [], 1)
    assert report.links == 4
    assert report.rows["audit"] == 12
    assert report.rows["rule_versions"] == 2
    assert sum(report.before.values()) == 0


#: An altered row, whatever its column: every column of every table is in the chain.
ALTERED = [(table, column) for table, columns in COLUMNS.items() for column in columns.split(", ")[1:]]


@pytest.mark.parametrize(("table", "column"), ALTERED)
def test_an_altered_value_is_found(held: tuple[Path, str], table: str, column: str) -> None:
    new = "coalesce(%s, 0) + 1" if column in {"at", "device_at", "retained", "reading"} else "coalesce(%s, '') || 'x'"
    if column == "body":
        new = "replace(%s, '{', '{ ')"
    data, _ = held
    touched(data, f"UPDATE {table} SET {column} = {new % column} WHERE seq = 1")  # noqa: S608 - a table of this test
    assert any(found.where == table for found in verify_folder(data).breaks)


TOUCHED = {
    "a row deleted": ("DELETE FROM readings WHERE seq = 5",),
    "the first rows deleted": ("DELETE FROM readings WHERE seq <= 5",),
    "the last rows deleted": ("DELETE FROM readings WHERE seq > (SELECT max(seq) - 2 FROM readings)",),
    "a whole table emptied": ("DELETE FROM audit",),
    "a row inserted at the end": ("INSERT INTO audit (at, actor, action, body) VALUES (1, 'wang', 'export', '{}')",),
    "a row inserted before": (
        "INSERT INTO audit (seq, at, actor, action, body) VALUES (0, 1, 'wang', 'export', '{}')",
        "INSERT INTO audit (seq, at, actor, action, body) VALUES (-7, 1, 'wang', 'export', '{}')",
    ),
    "a row inserted between": (
        "UPDATE audit SET seq = -seq WHERE seq > 5",
        "UPDATE audit SET seq = 1 - seq WHERE seq < 0",
        "INSERT INTO audit (seq, at, actor, action, body) VALUES (6, 1, 'wang', 'export', '{}')",
    ),
    "two rows reordered": (
        "UPDATE events SET seq = -1 WHERE seq = 3",
        "UPDATE events SET seq = 3 WHERE seq = 4",
        "UPDATE events SET seq = 4 WHERE seq = -1",
    ),
    "the last two swapped": (
        "UPDATE readings SET seq = 1000 WHERE seq = (SELECT max(seq) FROM readings)",
        "UPDATE readings SET seq = seq + 1 WHERE seq = (SELECT max(seq) FROM readings WHERE seq < 1000)",
        "UPDATE readings SET seq = (SELECT max(seq) - 1 FROM readings WHERE seq < 1000) WHERE seq = 1000",
    ),
    "a number of another type": ("UPDATE readings SET value = CAST(value AS INTEGER) WHERE typeof(value) = 'real'",),
    "a text of a rule taken away": ("UPDATE rule_versions SET text = NULL WHERE seq = 2",),
    "the first text of a rule deleted": ("DELETE FROM rule_versions WHERE seq = 1",),
    "a link altered": ("UPDATE links SET body = replace(body, 'hour', 'asked') WHERE seq = 3",),
    "a link deleted": ("DELETE FROM links WHERE seq = 2",),
    "the last link deleted": ("DELETE FROM links WHERE seq = (SELECT max(seq) FROM links)",),
    "all links deleted": ("DELETE FROM links",),
    "a head altered": ("UPDATE heads SET hash = zeroblob(32) WHERE name = 'audit'",),
    "a head deleted": ("DELETE FROM heads WHERE name = 'audit'",),
    "rows erased without a link": (
        "INSERT INTO erased SELECT 'readings', seq, zeroblob(32) FROM readings WHERE seq = 4",
        "DELETE FROM readings WHERE seq = 4",
    ),
    "a record of a picture altered": ("UPDATE evidence SET sha256 = 'x'",),
    "a record of a picture deleted": ("DELETE FROM evidence",),
    "a record of a picture added": (
        "INSERT INTO evidence SELECT 'y', activation, 'y', path, 'x/y', 'z', 1, 1 FROM evidence",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", TOUCHED)
def test_a_touched_journal_is_found(held: tuple[Path, str], how: str) -> None:
    data, head = held
    touched(data, *TOUCHED[how])
    report = verify_folder(data, head)
    assert report.breaks, how


@pytest.mark.parametrize(
    "touch",
    [
        lambda path: path.write_bytes(PICTURE[:-1] + b"X"),
        lambda path: path.write_bytes(PICTURE + b"."),
        lambda path: path.write_bytes(b""),
        Path.unlink,
    ],
)
def test_a_touched_picture_is_found(held: tuple[Path, str], touch: Callable[[Path], object]) -> None:
    data, _ = held
    touch(next((data / "evidence").rglob("*.jpg")))
    assert [found.where for found in verify_folder(data).breaks] == ["evidence"]


async def test_rows_in_hand_and_rows_read_back_make_one_chain(tmp_path: Path) -> None:
    odd: list[Any] = [True, "门\u2028\x85\r\n\x0b"]  # no values of the hub's own, but the store takes them
    values: list[Value | None] = [None, 0.0, -0.0, 1, 1e22, 0.1, float("nan"), Presence.PRESENT, *odd]
    readings = [
        Reading(EntityId(f"a.{number}"), value, Quality.GOOD, at(number), retained=number % 2 == 0)
        for number, value in enumerate(values)
    ]
    entry = Entry(at=at(1), readings=readings, notes=[Note("link_lost", at(1))])
    journal = Journal(tmp_path)
    journal.anchor = lambda: Anchor(at(1), "boot", 0)
    await journal.commit(entry)  # opened just now: read back
    await journal.commit(entry)  # in hand
    assert journal.fresh.ends["readings"] == 2 * len(values)

    def sealed(db: sqlite3.Connection) -> None:
        seal(db, at(1), Occasion.ASKED)

    def other(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO events (at, kind, body) VALUES (0, 'x', '{}')")

    await asyncio.gather(journal.execute(other), journal.commit(entry))
    jobs: list[Awaitable[None]] = [journal.commit(entry), journal.execute(sealed), journal.execute(other)]
    await asyncio.gather(*jobs, journal.commit(entry))  # one transaction: a link in the middle, and somebody else's row
    with pytest.raises(JournalError):
        await asyncio.gather(journal.commit(entry), journal.execute(lambda db: db.execute("no SQL")))  # type: ignore[arg-type]
    with contextlib.closing(connect(tmp_path / FILE)) as beside:  # another process
        beside.execute("INSERT INTO events (at, kind, body) VALUES (0, 'y', '{}')")
        extend(beside)
    await journal.commit(entry)
    await journal.close()
    report = verify_folder(tmp_path)
    assert (report.breaks, report.rows["readings"], report.rows["events"]) == ([], 6 * len(values), 9)


async def test_the_day_has_its_own_link_when_an_export_came_first(tmp_path: Path) -> None:
    await live(tmp_path / "data", hours=1)
    journal, tomorrow = Journal(tmp_path / "data"), Instant((at(0) // DAY + 1) * DAY + 1)
    journal.anchor = lambda: Anchor(tomorrow, "boot", 0)
    await journal.execute(lambda db: note_export(db, tomorrow, "wang", 1))
    await journal.execute(lambda db: add_audit(db, tomorrow, "wang", "handle", {}))
    bodies = await journal.answer(lambda db: db.execute("SELECT body FROM links ORDER BY seq").fetchall())
    waiting = await journal.answer(lambda db: db.execute("SELECT link FROM stamps").fetchall())
    await journal.close()
    occasions = [msgspec.json.decode(body, type=Link).occasion for (body,) in bodies]
    assert occasions == [Occasion.BEGIN, Occasion.DAY, Occasion.EXPORT, Occasion.DAY]
    assert waiting == [(2,), (4,)]
    assert verify_folder(tmp_path / "data").breaks == []


def test_a_save_that_was_noticed_in_the_folder_first_is_one_version_of_its_author(held: tuple[Path, str]) -> None:
    with contextlib.closing(connect(held[0] / FILE, read_only=True)) as db:
        assert [(one.author, one.reason) for one in versions(db, "a.yaml")] == [("wang", "太短")]


def test_a_file_that_nobody_knows_is_named(held: tuple[Path, str]) -> None:
    data, _ = held
    (data / "evidence" / "planted.jpg").write_bytes(PICTURE)
    report = verify_folder(data)
    assert (report.holds, report.strays) == (True, ["evidence/planted.jpg"])


async def test_a_rolled_back_file_is_found_by_who_holds_a_head(tmp_path: Path) -> None:
    data, old = tmp_path / "data", tmp_path / "old"
    await live(data, hours=1)
    shutil.copytree(data, old)
    journal = Journal(data)
    journal.anchor = lambda: Anchor(Instant(at(0) + 9 * HOUR), "boot", 0)
    await journal.execute(lambda db: add_audit(db, at(1), "wang", "handle", {}))
    head = await journal.answer(lambda db: latest(db)[2])  # type: ignore[index]
    await journal.close()
    assert verify_folder(data, head).holds
    assert verify_folder(old).holds  # a chain alone cannot know
    assert [found.where for found in verify_folder(old, head).breaks] == ["head"]


async def test_a_journal_written_anew_is_found_by_who_holds_a_head(held: tuple[Path, str], tmp_path: Path) -> None:
    _, head = held
    await live(tmp_path / "forged", hours=4)
    assert [found.where for found in verify_folder(tmp_path / "forged", head).breaks] in ([], ["head"])
    forged = tmp_path / "other"
    forged.mkdir()
    journal = Journal(forged)
    await journal.commit(Entry(at=at(1), readings=[Reading(EntityId("a.b"), 1.0, Quality.GOOD, at(1))]))
    await journal.close()
    assert [found.where for found in verify_folder(forged, head).breaks] == ["head"]


def test_a_damaged_file_is_a_finding(held: tuple[Path, str]) -> None:
    data, _ = held
    file = data / FILE
    with file.open("r+b") as opened:
        opened.seek(4096)
        opened.write(b"\xff" * (file.stat().st_size - 4096))
    assert verify_folder(data).breaks[0].where == "file"


def test_an_old_journal_begins_its_chain_where_it_stands(tmp_path: Path) -> None:
    old_journal(tmp_path, 7)
    with contextlib.closing(connect(tmp_path / FILE)) as db:
        migrate(db)
        before = dict(db.execute("SELECT name, seq FROM heads"))
        begin(db)
    report = verify_folder(tmp_path)
    assert {broken.where for broken in report.breaks} == {"evidence"}  # its pictures are not among the fixtures
    assert all("No such file" in broken.what for broken in report.breaks)
    assert report.before == before
    assert before["events"] > 0


def test_a_head_is_read_as_it_was_printed() -> None:
    digest = "0123456789abcdef" * 4
    assert plain_head(grouped(digest).upper()) == digest
    for wrong in ("0123", "xyz" * 20, digest + "0"):
        with pytest.raises(ValueError, match="hexadecimal"):
            plain_head(wrong)
