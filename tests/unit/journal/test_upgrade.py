"""Journals of every earlier version open with this one, lose nothing, and are written to as if they were new (F18)."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hub.journal.migrate import newest
from hub.journal.queries import Queries
from hub.journal.store import FILE, Journal
from hub.model.entry import Entry, Note
from hub.model.errors import JournalError
from hub.model.time import Instant

JOURNALS = Path(__file__).parents[2] / "golden" / "journals"
VERSIONS = sorted(int(path.name[1:].split(".")[0]) for path in JOURNALS.glob("v*.sql.gz"))
#: What no migration may lose a row of.
KEPT = ("readings", "states", "activations", "incidents", "commands", "evidence", "events", "audit")


def old_journal(folder: Path, version: int) -> dict[str, int]:
    """Write the journal of a version as that version left it; return how many rows its tables have."""
    with closing(sqlite3.connect(folder / FILE)) as db:
        db.executescript(gzip.decompress((JOURNALS / f"v{version}.sql.gz").read_bytes()).decode())
        return {table: db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in KEPT}  # noqa: S608


def test_there_is_one_of_every_version() -> None:
    assert VERSIONS[:7] == [1, 2, 3, 4, 5, 6, 7]
    assert newest() >= VERSIONS[-1]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_journal_of_that_version(version: int, tmp_path: Path) -> None:
    counts = old_journal(tmp_path, version)
    journal = Journal(tmp_path)
    memory = journal.load()
    assert len(memory.states) == counts["states"]
    assert memory.anchor is not None
    await journal.commit(Entry(at=Instant(1), notes=[Note("hub_started", Instant(1))]))
    await journal.close()
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (newest(),)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        after = {table: db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in KEPT}  # noqa: S608
    assert after == counts | {"events": counts["events"] + 1}


@pytest.mark.parametrize("version", VERSIONS)
async def test_its_incident_is_told_as_before(version: int, tmp_path: Path) -> None:
    old_journal(tmp_path, version)
    await Journal(tmp_path).close()
    queries = Queries(tmp_path)
    try:
        (incident,) = await queries.incidents(is_open=None, limit=10, before=None)
        assert (incident.rule, incident.zone, incident.state) == ("fire_lane_blocked", "lane_3_north", "closed")
        kinds = [event.kind for event in await queries.events(incident.activation)]
        assert kinds.count("outcome") >= 4
        pictures = (await queries.evidence_of([incident.activation]))[incident.activation]
        assert {"image/jpeg"} <= {picture.media_type for picture in pictures}
    finally:
        await queries.close()


def test_a_journal_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    old_journal(tmp_path, VERSIONS[-1])
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.execute(f"PRAGMA user_version = {newest() + 1}")
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(JournalError, match="start a newer hub"):
        Journal(tmp_path)
    assert (tmp_path / FILE).read_bytes()[100:] == before[100:]
