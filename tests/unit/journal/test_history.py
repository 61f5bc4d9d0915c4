"""The recorded past: what was known at an instant, and everything after it in the order in which it was decided."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.journal.chain import Fresh
from hub.journal.history import History
from hub.journal.migrate import migrate
from hub.journal.store import FILE, Anchor, Journal, connect
from hub.journal.writer import write
from hub.model.entry import ClockJump, Entry, ModeChange, Started, Trust, Turn
from hub.model.errors import JournalError
from hub.model.reading import Presence, Quality, Reading, State, Value
from hub.model.site import Mode
from hub.model.time import HOUR, Instant
from tests.kit.facts import at
from tests.kit.lane import CAR, DOOR, LEFT

PRESENT, ABSENT = Presence.PRESENT, Presence.ABSENT
GOOD, STALE, UNKNOWN = Quality.GOOD, Quality.STALE, Quality.UNKNOWN


class Past:
    """A journal that is written entry by entry, and read back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._db = connect(folder / FILE)
        migrate(self._db)

    def write(self, *facts: Reading | Turn) -> None:
        """Write one transaction."""
        readings = [fact for fact in facts if isinstance(fact, Reading)]
        turns = [fact for fact in facts if not isinstance(fact, Reading)]
        write(self._db, Entry(at=at(0), readings=readings, turns=turns), Fresh())

    def hear(self, seconds: float, value: Value | None, quality: Quality = GOOD) -> None:
        """Write a reading of the car's sensor."""
        self.write(Reading(CAR, value, quality, at(seconds)))

    def state(self, seconds: float) -> State | None:
        """Return what was known of the car."""
        return self.read().known((CAR,), at(seconds)).states.get(CAR)

    def read(self) -> History:
        """Open it to read."""
        self.close()
        self._history = History(self._folder)
        return self._history

    def close(self) -> None:
        """Close the reading side."""
        if hasattr(self, "_history"):
            self._history.close()


@pytest.fixture
def past(tmp_path: Path) -> Iterator[Past]:
    past = Past(tmp_path)
    yield past
    past.close()
    past._db.close()


def test_a_state_knows_since_when_and_when_it_was_last_heard(past: Past) -> None:
    for seconds, value in ((0, ABSENT), (10, PRESENT), (20, PRESENT), (30, PRESENT), (50, ABSENT)):
        past.hear(seconds, value)
    assert past.state(0) is None
    assert past.state(40) == State(PRESENT, GOOD, since=at(10), at=at(30))
    assert past.state(30) == State(PRESENT, GOOD, since=at(10), at=at(20)), "before the instant, not at it"
    assert past.state(60) == State(ABSENT, GOOD, since=at(50), at=at(50))


def test_a_state_that_the_device_doubts_keeps_its_value_and_an_unknown_one_loses_it(past: Past) -> None:
    past.hear(0, PRESENT)
    past.hear(10, None, STALE)
    past.hear(20, None, UNKNOWN)
    past.hear(30, None, UNKNOWN)
    past.hear(40, PRESENT)
    assert past.state(15) == State(PRESENT, STALE, since=at(0), at=at(0))
    assert past.state(35) == State(None, UNKNOWN, since=at(20), at=at(0))
    assert past.state(45) == State(PRESENT, GOOD, since=at(40), at=at(40)), "it began anew"


def test_trust_that_was_lost_without_a_word_is_known(past: Past) -> None:
    past.hear(0, PRESENT)
    past.write(Trust(at(10), STALE, (CAR, LEFT)))
    past.write(Trust(at(20), GOOD, (LEFT,)))
    past.write(Trust(at(30), GOOD, (CAR,)))
    assert [past.state(seconds).quality for seconds in (5, 15, 25, 35)] == [GOOD, STALE, STALE, GOOD]  # type: ignore[union-attr]
    past.hear(40, PRESENT)
    past.write(Trust(at(50), STALE, (CAR,)))
    past.hear(60, PRESENT)
    assert [past.state(seconds).quality for seconds in (45, 55, 65)] == [GOOD, STALE, GOOD]  # type: ignore[union-attr]


def test_since_when_a_source_is_doubted(past: Past) -> None:
    past.hear(0, PRESENT)
    past.write(Trust(at(10), STALE, (CAR,)))
    past.write(Trust(at(20), STALE, (CAR,)))
    history = past.read()
    assert history.doubted((CAR, DOOR), at(15)) == {CAR: at(10)}
    assert history.doubted((CAR,), at(25)) == {CAR: at(10)}
    assert history.doubted((CAR,), at(5)) == {}
    past.write(Trust(at(30), GOOD, (CAR,)))
    past.hear(40, None, STALE)
    past.hear(50, None, UNKNOWN)
    history = past.read()
    assert history.doubted((CAR,), at(35)) == {}
    assert history.doubted((CAR,), at(60)) == {CAR: at(40)}


def test_modes_are_as_they_were_and_end_by_themselves(past: Past) -> None:
    past.write(ModeChange(Mode.TEST, True, at(0)), ModeChange(Mode.TYPHOON, True, at(1), until=at(20)))
    past.write(ModeChange(Mode.TEST, False, at(10)))
    history = past.read()
    assert set(history.known((), at(5)).modes) == {Mode.TEST, Mode.TYPHOON}
    assert set(history.known((), at(15)).modes) == {Mode.TYPHOON}
    assert set(history.known((), at(25)).modes) == set()


def test_inputs_come_in_the_order_in_which_they_were_decided(past: Past) -> None:
    past.hear(0, ABSENT)
    past.write(
        Reading(CAR, PRESENT, GOOD, at(10)),
        ModeChange(Mode.TEST, True, at(11)),
        Reading(LEFT, PRESENT, GOOD, at(12)),
        Reading(CAR, ABSENT, GOOD, at(13)),
        Trust(at(14), STALE, (LEFT, CAR)),
    )
    past.hear(20, PRESENT)
    found = list(past.read().inputs((CAR,), at(5), at(20)))
    assert [item[4] if isinstance(item, tuple) else item.at for item in found] == [at(10), at(11), at(13), at(14)]
    assert isinstance(found[-1], Trust)
    assert found[-1].entities == (CAR,), "the others are no business of this rule"


def test_the_order_holds_when_the_clock_goes_back(past: Past) -> None:
    past.hear(0, ABSENT)
    past.hear(HOUR / 1e6, PRESENT)
    past.write(ClockJump(at(10), -HOUR))
    past.hear(20, ABSENT)
    past.write(Started(at(30), at(20)))
    found = list(past.read().inputs((CAR,), at(0), at(HOUR)))
    kinds = [item[2] if isinstance(item, tuple) else type(item).__name__ for item in found]
    assert kinds == ["absent", "present", "ClockJump", "absent", "Started"]
    later = past.read()
    assert [item[2] for item in later.inputs((CAR,), at(15), at(HOUR)) if isinstance(item, tuple)] == ["absent"]
    assert later.known((CAR,), at(15)).states[CAR] == State(PRESENT, GOOD, since=at(0), at=at(0)), "moved with it"


def test_kept_instants_move_with_the_clock(past: Past) -> None:
    past.hear(0, PRESENT)
    past.write(ClockJump(at(HOUR / 1e6), HOUR))
    assert past.state(HOUR / 1e6 + 5) == State(PRESENT, GOOD, since=at(HOUR / 1e6), at=at(HOUR / 1e6))


async def test_when_the_hub_last_wrote(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    history = History(tmp_path)
    assert (history.written(), history.first((CAR,))) == (None, None)
    journal.anchor = lambda: Anchor(Instant(77), "", 0)
    await journal.commit(Entry(at=at(0), readings=[Reading(CAR, PRESENT, GOOD, at(3))]))
    await journal.close()
    assert (history.written(), history.first((CAR, DOOR))) == (77, at(3))
    history.close()


def test_a_folder_without_a_journal_or_with_an_old_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot open"):
        History(tmp_path)
    sqlite3.connect(tmp_path / FILE).close()
    with pytest.raises(JournalError, match="another version"):
        History(tmp_path)


def test_a_reader_changes_nothing(past: Past) -> None:
    past.hear(0, PRESENT)
    history = past.read()
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        history._db.execute("DELETE FROM readings")


def test_one_entity_is_read_by_the_index_alone(past: Past) -> None:
    question = (
        "EXPLAIN QUERY PLAN SELECT seq, entity, value, quality, at FROM readings "
        "WHERE entity IN (?) AND at >= ? AND at < ? ORDER BY seq"
    )
    plan = past.read()._db.execute(question, ("a", 0, 1)).fetchall()
    assert any("COVERING INDEX readings_by_entity" in str(row) for row in plan), plan
