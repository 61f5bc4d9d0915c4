"""Looks after the evidence while the hub runs: erases what was kept long enough, and has heads stamped by others.

Nothing waits for it: an authority that is away is asked again later, and the links stand in the queue meanwhile.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from hub.journal.retention import erase
from hub.journal.stamp import StampError, answered, question
from hub.model.errors import JournalError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from hub.journal.store import Journal
    from hub.model.proof import Retention
    from hub.model.time import Instant

    Post = Callable[[str, bytes], Awaitable[bytes]]
    """Send a request to an authority and return its answer. Raises OSError."""

log = structlog.get_logger()

#: Seconds between two looks for what to erase; between two tries of an authority, the first and the longest.
LOOK, FIRST_WAIT, LONGEST_WAIT = 3_600.0, 60.0, 3_600.0


async def erase_in_time(
    journal: Journal, data: Path, wanted: Callable[[], Retention], now: Callable[[], Instant]
) -> None:
    """Erase what was kept long enough, every hour."""
    while True:
        try:
            count = await erase(journal, data, wanted(), now())
            if count:
                log.info("evidence.erased", count=count)
        except (JournalError, OSError) as error:
            log.error("evidence.not_erased", reason=str(error))
        await asyncio.sleep(LOOK)


async def stamp_heads(journal: Journal, authority: Callable[[], str | None], post: Post) -> None:
    """Have the head of each day stamped, the oldest first; wait longer after each try that failed."""
    wait = FIRST_WAIT
    while True:
        url = authority()
        if url is not None:
            try:
                while await stamp_next(journal, url, post):
                    pass
                wait = FIRST_WAIT
            except (StampError, OSError, TimeoutError, JournalError) as error:
                log.warning("evidence.not_stamped", reason=str(error), again_s=wait)
                wait = min(wait * 2, LONGEST_WAIT)
        await asyncio.sleep(wait)


async def stamp_next(journal: Journal, url: str, post: Post) -> bool:
    """Have the next head that waits stamped; False where none waits. Raises StampError, OSError, JournalError."""
    waiting = await journal.answer(
        lambda db: db.execute(
            "SELECT s.link, l.hash FROM stamps s JOIN links l ON l.seq = s.link WHERE s.token IS NULL "
            "ORDER BY s.link LIMIT 1"
        ).fetchone()
    )
    if waiting is None:
        return False
    link, digest = waiting
    asked = question(digest)
    token = await post(url, asked)
    at = answered(asked, token, digest, None)
    await journal.execute(lambda db: _keep(db, link, token))
    log.info("evidence.stamped", link=link, at=at)
    return True


def _keep(db: sqlite3.Connection, link: int, token: bytes) -> None:
    db.execute("UPDATE stamps SET token = ? WHERE link = ?", (token, link))
