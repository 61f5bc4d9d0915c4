"""Heads are stamped by a real authority (OpenSSL); one that is away is asked again, and nothing waits for it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from hub.journal.keeper import stamp_next
from hub.journal.stamp import StampError
from hub.journal.store import FILE, Anchor, Journal
from hub.journal.verify import verify_folder
from hub.model.time import DAY, Instant
from hub.runtime.authority import ask_authority
from tests.kit.facts import at
from tests.kit.tsa import Authority, authority
from tests.unit.journal.test_verify import live


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with authority(tmp_path_factory.mktemp("tsa")) as running:
        yield running


async def stamped(data: Path, tsa: Authority) -> int:
    """Have everything stamped that waits; return how many were."""
    journal, count = Journal(data), 0
    journal.anchor = lambda: Anchor(Instant(at(0) + 2 * DAY), "boot", 0)
    try:
        async with aiohttp.ClientSession() as http:

            async def post(url: str, asked: bytes) -> bytes:
                return await ask_authority(http, url, asked)

            while await stamp_next(journal, tsa.url, post):
                count += 1
    finally:
        await journal.close()
    return count


async def test_heads_are_stamped_and_the_verifier_says_up_to_where(tmp_path: Path, tsa: Authority) -> None:
    data = tmp_path / "data"
    await live(data)
    assert await stamped(data, tsa) == 2
    report = verify_folder(data, root=tsa.root)
    assert report.breaks == []
    assert [stamp.trusted for stamp in report.stamps] == [True, True]
    assert [stamp.trusted for stamp in verify_folder(data).stamps] == [False, False]


async def test_an_authority_that_is_away_leaves_the_queue(tmp_path: Path, tsa: Authority) -> None:
    data = tmp_path / "data"
    await live(data)
    tsa.up = False
    with pytest.raises(OSError, match="authority"):
        await stamped(data, tsa)
    assert verify_folder(data).holds
    tsa.up = True
    assert await stamped(data, tsa) == 2


async def test_stamps_that_do_not_hold_are_found(tmp_path: Path, tsa: Authority) -> None:
    data, other = tmp_path / "data", tmp_path / "other"
    await live(data)
    await stamped(data, tsa)
    other.mkdir()
    stranger = Authority(other).root
    assert {found.where for found in verify_folder(data, root=stranger).breaks} == {"stamps"}
    with contextlib.closing(sqlite3.connect(data / FILE, isolation_level=None)) as db:
        (first,), (second,) = db.execute("SELECT token FROM stamps ORDER BY link")
        assert first != second
        db.execute("UPDATE stamps SET token = ?", (first,))
    assert {found.where for found in verify_folder(data).breaks} == {"stamps"}


async def test_an_answer_to_another_question_is_refused(tmp_path: Path, tsa: Authority) -> None:
    from hub.journal.stamp import question

    data = tmp_path / "data"
    await live(data)
    journal = Journal(data)
    old = tsa.stamp(question(b"x" * 32))

    async def post(_url: str, _asked: bytes) -> bytes:
        return old

    with pytest.raises(StampError, match="another question"):
        await stamp_next(journal, tsa.url, post)
    await journal.close()
