"""What was kept long enough goes, provably; open and held cases stay (S24)."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from hub.journal import retention
from hub.journal.retention import erase, hold, release
from hub.journal.store import FILE, Anchor, Journal
from hub.journal.verify import verify_folder
from hub.model.proof import Retention
from hub.model.time import DAY, HOUR, Instant
from tests.kit.facts import NAME, at
from tests.kit.store import rows
from tests.unit.journal.test_verify import live

KEPT = Retention(readings=30, pictures=30, incidents=90)


def day(number: float) -> Instant:
    return Instant(at(0) + round(number * DAY) + 4 * HOUR)


def count(data: Path, table: str) -> int:
    return int(rows(data, f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608 - a table of this test


@pytest.fixture
async def old(tmp_path: Path) -> Path:
    """A journal with one closed incident, its picture, and some hours of readings."""
    data = tmp_path / "data"
    await live(data)
    return data


async def erased(data: Path, now: Instant, *jobs: object) -> int:
    journal = Journal(data)
    journal.anchor = lambda: Anchor(now, "boot", 0)
    for job in jobs:
        await journal.execute(job)  # type: ignore[arg-type]
    try:
        return await erase(journal, data, KEPT, now)
    finally:
        await journal.close()


async def test_nothing_goes_before_its_time(old: Path) -> None:
    before = {table: count(old, table) for table in ("readings", "events", "evidence", "incidents")}
    assert await erased(old, day(29)) == 0
    assert {table: count(old, table) for table in before} == before


async def test_each_kind_goes_when_its_time_is_over(old: Path) -> None:
    assert await erased(old, day(31)) > 0
    assert count(old, "readings") == 1, "the last keeps its number"
    assert count(old, "evidence") == 0
    assert [path for path in (old / "evidence").rglob("*") if path.is_file()] == []
    assert count(old, "incidents") == 1
    assert await erased(old, day(100)) > 0
    assert (count(old, "incidents"), count(old, "activations"), count(old, "commands")) == (0, 0, 2)
    report = verify_folder(old)
    assert report.breaks == []
    assert report.erased["pictures"] == 1
    assert report.erased["readings"] > 10
    assert count(old, "audit") == 12
    assert await erased(old, day(100)) == 0


async def test_a_held_incident_keeps_everything_of_it(old: Path) -> None:
    await erased(old, day(200), lambda db: hold(db, NAME, day(1), "wang", "police"))
    assert (count(old, "incidents"), count(old, "evidence")) == (1, 1)
    assert rows(old, "SELECT count(*) FROM events WHERE activation = ?", NAME)[0][0] > 3
    assert count(old, "readings") >= 2, "those around it"
    report = verify_folder(old)
    assert (report.breaks, report.files) == ([], 1)
    await erased(old, day(201), lambda db: release(db, NAME))
    assert (count(old, "incidents"), count(old, "evidence")) == (0, 0)
    assert verify_folder(old).breaks == []


async def test_an_open_incident_is_held_by_itself(old: Path) -> None:
    with contextlib.closing(sqlite3.connect(old / FILE, isolation_level=None)) as db:
        db.execute("UPDATE incidents SET state = 'open', closed_at = NULL")
    await erased(old, day(200))
    assert (count(old, "incidents"), count(old, "evidence")) == (1, 1)


async def test_what_is_taken_away_beside_an_erasure_is_found(old: Path) -> None:
    await erased(old, day(31))
    with contextlib.closing(sqlite3.connect(old / FILE, isolation_level=None)) as db:
        db.execute("DELETE FROM events WHERE seq <= 4")
    assert "events" in {found.where for found in verify_folder(old).breaks}


async def test_chunks_are_links_of_their_own_and_hold_together(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "CHUNK", 3)
    await erased(old, day(31))
    assert verify_folder(old).breaks == []


async def test_files_left_by_a_crash_go_with_the_next_run(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(*_: object) -> None:
        raise OSError("power")

    with monkeypatch.context() as broken:
        broken.setattr(retention, "_remove_files", crash)
        with pytest.raises(OSError, match="power"):
            await erased(old, day(31))
    assert verify_folder(old).breaks == []
    assert count(old, "removals") == 1
    await erased(old, day(32))
    assert (count(old, "removals"), list((old / "evidence").rglob("*.jpg"))) == (0, [])
