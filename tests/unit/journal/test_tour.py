"""The records of facade tours: what differs is told and judged once and erased in time; pictures are in the chain."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from hub.journal import tour
from hub.journal.retention import erase
from hub.journal.store import Anchor, Journal
from hub.journal.tickets import change_ticket, ticket
from hub.journal.tour import Difference, Seen, Shot
from hub.journal.verify import verify_folder
from hub.model.proof import Retention
from hub.model.time import DAY, Instant
from hub.model.tour import Mark, Outcome
from tests.kit.facts import at
from tests.kit.store import rows

Answer = TypeVar("Answer")
STOP = "onvif.roof#南侧"
POT, PLANK = (0.1, 0.1, 0.12, 0.13), (0.5, 0.5, 0.6, 0.52)


class Tours:
    """A journal in which one stop is looked at; each look is a minute after the one before."""

    def __init__(self, data: Path) -> None:
        self.data, self.clock = data, 0
        self.journal = Journal(data)
        self.journal.anchor = lambda: Anchor(self.now, "boot", 0)

    @property
    def now(self) -> Instant:
        return at(self.clock)

    def shot(self, name: str) -> Shot:
        path = Path("tour", f"{name}-{self.clock}.jpg")
        (self.data / "tour").mkdir(exist_ok=True)
        (self.data / path).write_bytes(f"{name} {self.clock}".encode())
        digest = hashlib.sha256((self.data / path).read_bytes()).hexdigest()
        return Shot(path.as_posix(), "image/jpeg", digest, 9)

    async def on(self, job: Any, *more: Any) -> Any:
        self.clock += 60
        return await self.journal.answer(lambda db: job(db, *more))

    async def look(self, outcome: Outcome, *boxes: Any, again: tuple[int, ...] = (), beyond: int = 0) -> int:
        self.clock += 60
        new = tuple(Difference(box, self.shot(f"before{place}"), self.shot(f"after{place}"))
                    for place, box in enumerate(boxes))  # fmt: skip
        found = len(boxes) + len(again) + beyond
        seen = Seen(STOP, self.now, outcome, "", found, self.shot("whole"), new, again)
        await self.journal.execute(lambda db: tour.add_look(db, 1, seen))
        return int(await self.on(lambda db: tour.last_picture(db, STOP).id))  # type: ignore[union-attr]

    async def judge(self, number: int, mark: Mark) -> Any:
        self.clock += 60
        return await self.journal.answer(lambda db: tour.judge(db, number, mark, "花盆", "王师傅", self.now))

    async def accepted(self) -> int | None:
        found = await self.on(tour.reference_of, STOP)
        return None if found is None else int(found.picture)

    async def states(self) -> dict[int, Mark]:
        return {one.id: one.state for one in await self.on(tour.candidates, STOP)}


@pytest.fixture
async def tours(tmp_path: Path) -> AsyncIterator[Tours]:
    found = Tours(tmp_path)
    first = await found.look(Outcome.FIRST)
    assert await found.accepted() is None, "a person accepts the first one"
    assert await found.on(lambda db: tour.accept(db, STOP, first, "王师傅", found.now))
    yield found
    await found.journal.close()


async def test_when_all_is_judged_the_newest_picture_is_the_accepted_one(tours: Tours) -> None:
    first = await tours.accepted()
    await tours.look(Outcome.DIFFERS, POT, PLANK)
    assert (await tours.judge(1, Mark.FINE)).judged_by == "王师傅"
    assert await tours.accepted() == first, "one is still open"
    standing = [one.id for one in await tours.on(tour.standing, STOP)]
    assert standing == [2, 1], "what was judged is no news while its picture is not accepted"
    newest = await tours.look(Outcome.DIFFERS, again=(2, 1))
    judged = await tours.judge(2, Mark.TICKET)
    assert await tours.accepted() == newest
    assert await tours.on(tour.standing, STOP) == []
    kept = await tours.on(ticket, judged.ticket)
    assert (kept.candidate, kept.note, kept.opened_by) == (2, "花盆", "王师傅")
    assert await tours.judge(2, Mark.FALSE) is None, "once"
    trail = rows(tours.data, "SELECT action, target FROM audit")
    assert trail == [("accept_picture", STOP), ("judge_candidate", "1"), ("judge_candidate", "2")]


async def test_what_is_not_seen_again_is_gone_but_only_if_it_could_have_been_seen(tours: Tours) -> None:
    await tours.look(Outcome.DIFFERS, POT)
    for blind in (Outcome.HAZE, Outcome.DARK, Outcome.ELSEWHERE, Outcome.NONE):
        await tours.look(blind)
    assert await tours.states() == {1: Mark.OPEN}
    await tours.look(Outcome.DIFFERS, again=(1,))
    assert await tours.states() == {1: Mark.OPEN}
    await tours.look(Outcome.SAME)
    assert await tours.states() == {1: Mark.GONE}


async def test_what_nobody_has_seen_is_not_accepted_with_the_rest(tours: Tours) -> None:
    first = await tours.accepted()
    await tours.look(Outcome.DIFFERS, POT, beyond=3)
    await tours.judge(1, Mark.FINE)
    assert await tours.accepted() == first


async def test_only_the_newest_picture_can_be_accepted(tours: Tours) -> None:
    old = await tours.look(Outcome.ELSEWHERE)
    new = await tours.look(Outcome.DIFFERS, POT)
    assert not await tours.on(lambda db: tour.accept(db, STOP, old, "x", tours.now))
    assert not await tours.on(lambda db: tour.accept(db, STOP, new - 1, "x", tours.now)), "a cut-out is no picture"
    assert await tours.on(lambda db: tour.accept(db, STOP, new, "x", tours.now))
    assert await tours.states() == {1: Mark.GONE}


async def test_pictures_are_in_the_chain(tours: Tours) -> None:
    await tours.look(Outcome.DIFFERS, POT)
    report = verify_folder(tours.data)
    assert (report.breaks, report.files) == ([], 4)
    (path,) = (path for path in (tours.data / "tour").iterdir() if path.name.startswith("after"))
    path.write_bytes(b"another pot")
    assert [broken.what for broken in verify_folder(tours.data).breaks] == [f"tour/{path.name} was altered"]


async def test_one_that_replaces_record_and_file_is_found(tours: Tours) -> None:
    def swap(db: sqlite3.Connection) -> None:
        db.execute("UPDATE tour_pictures SET sha256 = ?", (hashlib.sha256(b"x").hexdigest(),))

    await tours.on(swap)
    (path,) = (tours.data / "tour").iterdir()
    path.write_bytes(b"x")
    assert "was altered" in verify_folder(tours.data).breaks[0].what


async def test_pictures_go_in_time_but_not_those_that_somebody_needs(tours: Tours) -> None:
    await tours.look(Outcome.DIFFERS, POT)
    await tours.look(Outcome.DIFFERS, PLANK, again=(1,))
    judged = await tours.judge(2, Mark.TICKET)
    tours.clock += 86_400 * 31
    kept = Retention(readings=30, pictures=30, incidents=60)
    await erase(tours.journal, tours.data, kept, tours.now)
    there = {path.name.split("-")[0] for path in (tours.data / "tour").iterdir()}
    assert len(list((tours.data / "tour").iterdir())) == 5, "the accepted one, and two cut-outs each"
    assert there == {"whole", "before0", "after0"}
    assert verify_folder(tours.data).breaks == []
    done = await tours.on(ticket, judged.ticket)
    await change_ticket(tours.journal, msgspec.structs.replace(done, done_at=tours.now, done_by="x"), "x", tours.now)
    await erase(tours.journal, tours.data, kept, tours.now)
    assert len(list((tours.data / "tour").iterdir())) == 3
    tours.clock += 86_400 * 61
    await erase(tours.journal, tours.data, kept, Instant(tours.now + DAY))
    assert await tours.states() == {1: Mark.OPEN}, "what is open stays"


async def test_a_check_is_ticked_line_by_line_once(tours: Tours) -> None:
    number = await tours.on(tour.begin_check, "王师傅", tours.now)
    assert await tours.on(tour.tick, number, STOP, "李师傅", tours.now)
    assert not await tours.on(tour.tick, number, STOP, "王师傅", tours.now)
    assert (await tours.on(tour.ticks, number))[STOP][1] == "李师傅"
    again = await tours.on(tour.begin_check, "王师傅", tours.now)
    assert await tours.on(tour.ticks, again) == {}
