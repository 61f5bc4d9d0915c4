"""The loop: decide, commit, then acknowledge and act; and what it does while the journal refuses."""

from __future__ import annotations

import asyncio

import pytest

from hub.engine.program import Program
from hub.engine.state import FEW, EngineState
from hub.engine.step import step
from hub.model.decision import Cleared, Command, Opened
from hub.model.entry import Entry, ModeChange, Note
from hub.model.ids import RuleId
from hub.model.reading import Presence, Quality, Reading
from hub.model.site import Mode
from hub.model.time import HOUR, Instant
from hub.runtime import batch as batch_module
from hub.runtime import core
from hub.runtime.batch import Batch
from tests.kit.clock import settle
from tests.kit.lane import CAR, LEFT, Plan, seconds, site
from tests.kit.loop import IMPATIENT, Loop

PRESENT, ABSENT = Presence.PRESENT, Presence.ABSENT
GOOD = Quality.GOOD
AT_ONCE = Plan(hold=0, clear_hold=0, steps=())


async def test_nothing_is_acknowledged_or_done_before_the_commit_and_all_in_order() -> None:
    loop, order = Loop(AT_ONCE.rule()), []
    loop.runtime.dispatch_to(lambda command: order.append(f"do {command.step}"))
    loop.runtime.listen(lambda entry: order.append("tell"))

    def work(batch: Batch) -> None:
        batch.feed(Reading(CAR, PRESENT, GOOD, batch.now))
        batch.when_committed(lambda: order.append("acknowledge"))

    async with loop.running():
        loop.journal.gate.clear()
        loop.runtime.post(work)
        await settle()
        assert (loop.journal.tries, order) == (1, [])
        loop.journal.gate.set()
        await settle()
        assert order == ["acknowledge", "do open", "do open", "tell"]


async def test_while_the_journal_refuses_nothing_is_acknowledged_and_it_tries_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(*IMPATIENT)
    loop, acknowledged, done = Loop(AT_ONCE.rule()), [], []
    loop.runtime.dispatch_to(lambda command: done.append(command))
    async with loop.running():
        loop.journal.refuses = True

        def work(batch: Batch) -> None:
            batch.feed(Reading(CAR, PRESENT, GOOD, batch.now))
            batch.when_committed(lambda: acknowledged.append(1))

        loop.runtime.post(work)
        await settle()
        assert loop.journal.tries > 3
        assert (acknowledged, done, loop.journal.entries) == ([], [], [])
        assert "journal" in loop.problems
        loop.journal.refuses = False
        await settle()
        assert (len(acknowledged), len(done), len(loop.journal.entries)) == (1, 2, 1)
        assert "journal" not in loop.problems
        assert len(loop.journal.of(Opened)) == 1, "decided once, however often it was tried"


async def test_while_the_journal_refuses_it_goes_on_deciding_and_names_what_is_not_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(*IMPATIENT)
    loop, order = Loop(AT_ONCE.rule()), list[str]()
    async with loop.running():
        loop.journal.refuses = True
        for name, value in (("first", ABSENT), ("second", PRESENT)):

            def work(batch: Batch, name: str = name, value: Presence = value) -> None:
                batch.feed(Reading(CAR, value, GOOD, batch.now))
                batch.when_committed(lambda: order.append(name))

            loop.runtime.post(work)
            await settle()
        assert loop.runtime.state.states[CAR].value is PRESENT
        (problem,) = loop.problems.texts()
        assert "Not yet recorded" in problem.en
        assert "未记录的警情" in problem.zh
        assert order == []
        loop.journal.refuses = False
        await settle()
        assert order == ["first", "second"]
        assert loop.problems.texts() == []
        assert len(loop.journal.of(Opened)) == 1


async def test_a_disk_that_answers_nothing_does_not_hold_up_deciding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*IMPATIENT)
    monkeypatch.setattr(core, "SLOW", 0)
    loop, order = Loop(AT_ONCE.rule()), list[str]()
    async with loop.running():
        loop.journal.gate.clear()
        for name, value in (("first", ABSENT), ("second", PRESENT)):

            def work(batch: Batch, name: str = name, value: Presence = value) -> None:
                batch.feed(Reading(CAR, value, GOOD, batch.now))
                batch.when_committed(lambda: order.append(name))

            loop.runtime.post(work)
            await settle()
        assert loop.runtime.state.states[CAR].value is PRESENT
        assert (loop.journal.tries, order) == (1, []), "asked once: the disk may still do it"
        (problem,) = loop.problems.texts()
        assert "does not answer" in problem.en
        assert "Not yet recorded" in problem.en
        monkeypatch.setattr(core, "SLOW", 3)
        loop.journal.gate.set()
        await settle()
        assert order == ["first", "second"]
        assert (len(loop.journal.entries), loop.problems.texts()) == (2, [])


async def test_what_waits_for_the_disk_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*IMPATIENT)
    monkeypatch.setattr(core, "FULL", 4)
    loop, done = Loop(AT_ONCE.rule()), list[int]()
    async with loop.running():
        loop.journal.refuses = True
        for number in range(20):

            def work(batch: Batch, number: int = number) -> None:
                batch.feed(Reading(CAR, ABSENT, GOOD, batch.now))
                batch.when_committed(lambda: done.append(number))

            loop.runtime.post(work)
            await settle()
        assert loop.runtime.full
        assert done == []
        loop.journal.refuses = False
        await settle()
        assert done == list(range(20))
        assert not loop.runtime.full


async def test_what_arrives_together_is_committed_together() -> None:
    loop = Loop(Plan().rule())
    async with loop.running():
        for value in (PRESENT, ABSENT, PRESENT):
            loop.runtime.post(lambda batch, value=value: batch.feed(Reading(CAR, value, GOOD, batch.now)))  # type: ignore[misc]
        await settle()
    assert [len(entry.readings) for entry in loop.journal.entries] == [3]


async def test_an_empty_batch_is_acknowledged_without_a_commit() -> None:
    loop, acknowledged = Loop(), []
    async with loop.running():
        loop.runtime.post(lambda batch: batch.when_committed(lambda: acknowledged.append(1)))
        await settle()
    assert (acknowledged, loop.journal.tries) == ([1], 0)


async def test_a_timer_fires_when_it_is_due() -> None:
    loop = Loop(Plan(hold=10).rule())
    async with loop.running():
        await loop.hear(CAR, PRESENT)
        await loop.clock.run(seconds(10) - 1)
        assert loop.journal.of(Opened) == []
        await loop.clock.run(1)
        (opened,) = loop.journal.of(Opened)
        assert isinstance(opened, Opened)
        assert opened.late_by == 0


async def test_a_storm_of_timers_leaves_room_for_what_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_module, "DUE", 2)
    rules = tuple(Plan(hold=10, steps=()).rule(RuleId(f"r{number}")) for number in range(5))
    loop = Loop(*rules)
    async with loop.running():
        await loop.hear(CAR, PRESENT)
        loop.journal.entries.clear()
        await loop.clock.run(seconds(10))
        opened = [sum(isinstance(found, Opened) for found in entry.decisions) for entry in loop.journal.entries]
        assert [count for count in opened if count] == [2, 2, 1]
        assert len({found.rule for found in loop.journal.of(Opened)}) == 5  # type: ignore[union-attr]


def test_a_contact_that_bounces_all_day_does_not_fill_the_memory() -> None:
    program, state = Program((Plan(hold=3600).rule(),), site()), EngineState()
    for turn in range(3 * FEW):
        at = Instant(seconds(1 + turn))
        state.apply(step(program, state, Reading(CAR, ABSENT if turn % 2 else PRESENT, GOOD, at), at))
    assert len(state._wakes) <= FEW + 1
    at = Instant(seconds(10_000))
    state.apply(step(program, state, Reading(CAR, PRESENT, GOOD, at), at))
    assert state.next_wake() == at + seconds(3600)


async def test_two_activations_of_one_batch_have_names_of_their_own() -> None:
    """Without ``for``, a button pressed twice while the link was away comes as one batch."""
    loop = Loop(AT_ONCE.rule())
    async with loop.running():

        def work(batch: Batch) -> None:
            for value in (PRESENT, ABSENT, PRESENT, ABSENT):
                batch.feed(Reading(CAR, value, GOOD, batch.now))

        loop.runtime.post(work)
        await settle()
        await loop.hear(CAR, PRESENT)
    names = [made.activation for made in loop.journal.of(Opened) if isinstance(made, Opened)]
    keys = [made.key for made in loop.journal.of(Command) if isinstance(made, Command)]
    assert len(names) == len(set(names)) == 3
    assert len(keys) == len(set(keys))


async def test_inputs_never_share_an_instant() -> None:
    loop, times = Loop(), []
    async with loop.running():
        for _ in range(5):
            await loop.hear(CAR, PRESENT)
            await loop.hear(LEFT, PRESENT)
        times = [reading.at for entry in loop.journal.entries for reading in entry.readings]
    assert times == sorted(set(times))
    assert len(times) == 10


@pytest.mark.parametrize("by", [HOUR, -HOUR, -50 * 365 * 24 * HOUR])
async def test_a_jump_of_the_clock_is_decided_before_what_is_waiting(by: int) -> None:
    loop = Loop(Plan(hold=10).rule())
    async with loop.running():
        await loop.hear(CAR, PRESENT)
        await loop.clock.run(seconds(4))
        loop.runtime.post(lambda batch: batch.feed(Reading(CAR, PRESENT, GOOD, batch.now)))
        loop.clock.jump(by)
        loop.runtime.clock_jumped(by)
        await settle()
        assert loop.journal.of(Opened) == [], "six seconds are left, whatever the clock on the wall says"
        await loop.clock.run(seconds(6) - 10)
        assert loop.journal.of(Opened) == []
        await loop.clock.run(10)
        (opened,) = loop.journal.of(Opened)
        assert isinstance(opened, Opened)
        assert opened.at - opened.since == seconds(10)
    assert [jump.by for entry in loop.journal.entries for jump in entry.jumps] == [by]


async def test_backpressure_begins_when_full_and_ends_at_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "FULL", 8)
    monkeypatch.setattr(core, "BATCH", 2)
    loop = Loop()
    for number in range(8):
        assert not loop.runtime.full
        loop.runtime.post(lambda batch, number=number: batch.record(Note(str(number), batch.now)))  # type: ignore[misc]
    assert loop.runtime.full
    waiting = asyncio.create_task(loop.runtime.room())
    loop.journal.gate.clear()
    async with loop.running():
        assert not waiting.done(), "six are left, more than half"
        loop.journal.gate.set()
        await settle()
        assert waiting.done()
        assert not loop.runtime.full
    assert [note.kind for note in loop.journal.of(Note) if isinstance(note, Note)] == [*"01234567"], "in order"
    assert len(loop.journal.entries) == 4


async def test_done_waits_for_the_commit() -> None:
    loop = Loop()
    async with loop.running():
        loop.journal.gate.clear()
        change = ModeChange(Mode.TEST, on=True, at=loop.clock.now())
        waiting = asyncio.create_task(loop.runtime.done(lambda batch: batch.feed(change)))
        await settle()
        assert not waiting.done()
        loop.journal.gate.set()
        await waiting
        assert Mode.TEST in loop.runtime.state.modes


async def test_a_fault_of_one_input_does_not_stop_the_others() -> None:
    loop, told = Loop(AT_ONCE.rule()), []

    def fault(entry: Entry) -> None:
        told.append(entry)
        raise ZeroDivisionError

    loop.runtime.listen(fault)
    async with loop.running():
        loop.runtime.post(lambda batch: 1 // 0)  # type: ignore[arg-type]
        await loop.hear(CAR, PRESENT)
        await loop.hear(CAR, ABSENT)
    assert len(loop.journal.of(Opened)) == len(loop.journal.of(Cleared)) == 1
    assert len(told) == 2
    assert "fault" in loop.problems


async def test_who_waits_for_an_input_hears_of_its_fault() -> None:
    loop = Loop()
    async with loop.running():
        with pytest.raises(ZeroDivisionError):
            await loop.runtime.done(lambda batch: 1 // 0)  # type: ignore[arg-type]


async def test_new_rules_take_over_between_two_inputs() -> None:
    loop = Loop(Plan(hold=10).rule())
    async with loop.running():
        await loop.hear(CAR, PRESENT)
        loop.runtime.change_rules(Program((AT_ONCE.rule(),), loop.site))
        await settle()
        assert len(loop.journal.of(Opened)) == 1


async def test_stopping_finishes_the_batch_and_takes_no_other() -> None:
    loop, order = Loop(), []
    loop.journal.gate.clear()
    running = asyncio.create_task(loop.runtime.run())
    loop.runtime.post(lambda batch: batch.record(Note("first", batch.now)))
    await settle()
    loop.runtime.post(lambda batch: batch.when_committed(lambda: order.append("second")))
    loop.runtime.stop()
    loop.journal.gate.set()
    await running
    assert [len(entry.notes) for entry in loop.journal.entries] == [1]
    assert order == []


def test_a_restart_goes_on_with_the_timers() -> None:
    state = EngineState()
    assert state.next_wake() is None
    assert state.take_due(seconds(1)) is None  # type: ignore[arg-type]


async def test_the_banner_goes_with_the_last_that_waited_also_when_that_has_nothing_to_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(*IMPATIENT)
    loop = Loop()
    async with loop.running():
        loop.journal.refuses = True
        await loop.hear(CAR, PRESENT)
        assert "journal" in loop.problems
        loop.runtime.post(lambda batch: None)  # a message that says nothing new
        await settle()
        loop.journal.refuses = False
        await settle()
        assert "journal" not in loop.problems
