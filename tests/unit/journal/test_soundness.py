"""What the journal believes of its disk: errors by their kind, damaged pages, and a commit that was not refused."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from hub.journal.migrate import migrate
from hub.journal.queries import Queries
from hub.journal.soundness import MEMORY, check, trouble_of
from hub.journal.store import FILE, Anchor, Journal, Memory, connect
from hub.model.errors import JournalError, Trouble
from hub.model.time import Instant
from tests.kit.facts import story

PAGE = 4096


def error(code: int) -> sqlite3.OperationalError:
    found = sqlite3.OperationalError("disk I/O error")
    found.sqlite_errorcode = code
    return found


@pytest.mark.parametrize(
    ("cause", "trouble"),
    [
        (error(sqlite3.SQLITE_FULL), Trouble.FULL),
        (error(sqlite3.SQLITE_IOERR_FSYNC), Trouble.DISK),
        (error(sqlite3.SQLITE_READONLY), Trouble.DISK),
        (error(sqlite3.SQLITE_NOTADB), Trouble.DAMAGED),
        (error(sqlite3.SQLITE_BUSY), Trouble.REFUSED),
        (OverflowError(), Trouble.REFUSED),
        (JournalError("no", Trouble.FULL), Trouble.FULL),
    ],
    ids=str,
)
def test_an_error_is_known_by_its_kind(cause: Exception, trouble: Trouble) -> None:
    assert trouble_of(cause) is trouble


async def damage_found(folder: Path, before: Memory) -> bool:
    """Open the journal as a start does, then check it whole; a start that goes on has all of its memory.

    But for the outbox and the hub's absences: they lie among all commands and turns there ever were, which a start
    cannot afford to look through.
    """
    try:
        opened = Journal(folder)
        try:
            now = msgspec.structs.replace(opened.load(), outbox=before.outbox, absences=before.absences)
            assert now == before, "begins with another memory, and says nothing"
        finally:
            await opened.close()
        with contextlib.closing(sqlite3.connect(folder / FILE)) as db:
            check(db)
    except (JournalError, sqlite3.DatabaseError):
        return True
    return False


def rubbish(page: bytes, number: int) -> bytes:
    """Return a page that is none."""
    return b"\xa5" * len(page)


def one_bit(page: bytes, number: int) -> bytes:
    """Flip one bit of the number of rows in a page (sqlite.org/fileformat2.html#b_tree_pages)."""
    at = (100 if number == 0 else 0) + 4
    return page[:at] + bytes([page[at] ^ 1]) + page[at + 1 :]


@pytest.mark.parametrize("hurt", [rubbish, one_bit])
async def test_a_damaged_page_is_found_wherever_it_lies(tmp_path: Path, hurt: Callable[[bytes, int], bytes]) -> None:
    """Found by the start or by the check, and never a start that has forgotten what it guards."""
    (tmp_path / "whole").mkdir()
    journal = Journal(tmp_path / "whole")
    await journal.commit(story())
    before = journal.load()
    await journal.close()
    whole = (tmp_path / "whole" / FILE).read_bytes()
    folder = tmp_path / "hurt"
    for number in range(len(whole) // PAGE):
        folder.mkdir()
        start, end = number * PAGE, (number + 1) * PAGE
        (folder / FILE).write_bytes(whole[:start] + hurt(whole[start:end], number) + whole[end:])
        assert await damage_found(folder, before), f"page {number}"
        shutil.rmtree(folder)


async def test_a_question_that_meets_a_damaged_page_is_told_as_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    await journal.commit(story())
    await journal.close()
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[:PAGE] + b"\xa5" * (len(whole) - PAGE))
    queries = Queries(tmp_path)
    with pytest.raises(JournalError, match="cannot be read") as caught:
        await queries.incidents(is_open=None, limit=1, before=None)
    assert caught.value.trouble is Trouble.DAMAGED
    await queries.close()


def test_the_memory_of_a_sound_journal_passes(tmp_path: Path) -> None:
    with contextlib.closing(connect(tmp_path / FILE)) as db:
        migrate(db)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as db:
        check(db, MEMORY)
        check(db)


class LyingDisk(sqlite3.Connection):
    """Brings the first real commit to the disk and says that it has failed, as after a failed fsync."""

    lies = 0

    def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:
        found = super().execute(sql, *parameters)  # type: ignore[arg-type]
        if sql == "COMMIT" and LyingDisk.lies:
            LyingDisk.lies -= 1
            raise error(sqlite3.SQLITE_IOERR_FSYNC)
        return found


async def test_a_commit_that_is_on_the_disk_though_it_failed_is_not_written_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: real(*a, **{**k, "factory": LyingDisk}))
    journal = Journal(tmp_path)
    clock = itertools.count(1)
    journal.anchor = lambda: Anchor(Instant(next(clock)), "boot", 0)
    await journal.execute(lambda _: None)
    entry = story()
    LyingDisk.lies = 1
    with pytest.raises(JournalError) as refused:
        await journal.commit(entry)
    assert refused.value.trouble is Trouble.DISK
    await journal.execute(lambda _: None)  # something else comes first
    await journal.commit(entry)
    await journal.close()
    with contextlib.closing(real(tmp_path / FILE)) as db:
        assert db.execute("SELECT COUNT(*) FROM readings").fetchone()[0] == len(entry.readings) > 0
