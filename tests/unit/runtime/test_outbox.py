"""Commands: in order, retried, never too late, never to nobody; every outcome is journalled. No test sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from hub.engine.state import EngineState
from hub.model.activation import Phase, Slot, SlotKey
from hub.model.decision import Action, Capture, Command, Notify, Say
from hub.model.entry import Outcome
from hub.model.errors import BadCredentials, DeviceError, Failure, Limited, Unreachable
from hub.model.execution import Done
from hub.model.incident import CommandStatus
from hub.model.text import Text
from hub.model.time import MINUTE, SECOND, Duration
from hub.runtime.outbox import ATTEMPT, Outbox
from tests.kit.clock import START, settle
from tests.kit.facts import NAME, SPOKEN, command, evidence
from tests.kit.lane import LANE, RULE, seconds
from tests.kit.loop import Loop


class Hands:
    """An executor that fails as often as it is told and notes what it did and what had been journalled by then."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.failures: list[Exception] = []
        self.done: list[tuple[float, str]] = []
        self.known: list[list[str]] = []
        self.held: asyncio.Event | None = None

    async def perform(self, command: Command) -> Done:
        """Do it, or fail."""
        when = (self.loop.clock.now() - START) / SECOND
        self.known.append([outcome.status for outcome in outcomes(self.loop, command)])
        self.done.append((when, _word(command.action)))
        if self.held is not None:
            await self.held.wait()
        if self.failures:
            raise self.failures.pop(0)
        return Done(evidence=evidence(command), detail={"entity": "x"})


def _word(action: Action) -> str:
    return action.text.zh if isinstance(action, Say) else type(action).__name__


def outcomes(loop: Loop, of: Command | None = None) -> list[Outcome]:
    found = [outcome for entry in loop.journal.entries for outcome in entry.outcomes]
    return [outcome for outcome in found if of is None or outcome.key == of.key]


def active(**more: object) -> EngineState:
    slot = Slot(phase=Phase.ACTIVE, since=START, trigger="", activation=NAME, **more)  # type: ignore[arg-type]
    return EngineState(slots={SlotKey(RULE, LANE): slot})


class Office:
    """A loop, an outbox and its hands."""

    def __init__(self, state: EngineState | None = None) -> None:
        self.loop = Loop(state=state or active())
        self.hands = Hands(self.loop)
        executors: dict[type[Action], Hands] = {Capture: self.hands, Say: self.hands, Notify: self.hands}
        self.outbox = Outbox(self.loop.runtime, self.loop.clock, executors)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Office]:
        """Work while the context lasts."""
        async with self.loop.running():
            yield self
            await self.outbox.close()

    async def submit(self, *commands: Command) -> None:
        """Hand commands over and let them be worked on."""
        for item in commands:
            self.outbox.submit(item)
        await settle()

    def told(self) -> list[tuple[str, int, Failure | None]]:
        """Return what was journalled of all commands."""
        return [(outcome.status, outcome.attempt, outcome.failure) for outcome in outcomes(self.loop)]


DONE, FAILED, STARTED, DROPPED = (
    CommandStatus.DONE,
    CommandStatus.FAILED,
    CommandStatus.STARTED,
    CommandStatus.DROPPED,
)


async def test_started_is_journalled_before_it_is_done() -> None:
    async with Office().open() as office:
        await office.submit(command())
        assert office.hands.known == [["started"]]
        assert office.told() == [(STARTED, 1, None), (DONE, 1, None)]
        last = outcomes(office.loop)[-1]
        assert (last.evidence, last.detail, last.repeated) == (evidence(command()), {"entity": "x"}, False)


async def test_a_start_that_nothing_holds_up_is_committed_with_its_decision() -> None:
    async with Office().open() as office:
        first, second, picture = command(), command(number=1), command(Capture(), number=2)
        begun = [office.outbox.begin(item) for item in (first, second, picture)]
        assert [outcome and (outcome.key, outcome.status, outcome.repeated) for outcome in begun] == [
            (first.key, STARTED, False),
            None,  # it waits for the first
            (picture.key, STARTED, False),
        ]
        await office.submit(first, second, picture)
        told = [(outcome.key, outcome.status) for outcome in outcomes(office.loop)]
        assert sorted(told) == sorted(
            [(first.key, DONE), (second.key, STARTED), (second.key, DONE), (picture.key, DONE)]
        )


async def test_a_start_waits_while_its_lane_is_busy() -> None:
    async with Office().open() as office:
        office.hands.failures = [Unreachable("away")]
        await office.submit(command())
        assert office.outbox.begin(command(number=1)) is None
        assert office.outbox.begin(command(Capture(), number=2)) is not None


async def test_nothing_is_done_while_the_journal_does_not_take_its_start() -> None:
    async with Office().open() as office:
        office.loop.journal.gate.clear()
        await office.submit(command())
        assert office.hands.done == []
        office.loop.journal.gate.set()
        await settle()
        assert len(office.hands.done) == 1


async def test_it_is_tried_again_with_growing_pauses_until_it_would_be_too_late() -> None:
    async with Office().open() as office:
        office.hands.failures = [Unreachable("away")] * 99
        await office.submit(command(Notify("guard")))
        await office.loop.clock.run(MINUTE)
        assert [when for when, _ in office.hands.done] == [0, 1, 3, 7, 15, 30, 45]
        assert office.told()[-1] == (FAILED, 7, Failure.UNREACHABLE)
        assert outcomes(office.loop)[-1].reason == "away"


async def test_a_second_attempt_may_succeed() -> None:
    async with Office().open() as office:
        office.hands.failures = [DeviceError("busy\x1b[0m"), TimeoutError()]
        await office.submit(command())
        await office.loop.clock.run(seconds(10))
        assert office.told() == [
            (STARTED, 1, None),
            (STARTED, 1, Failure.DEVICE),
            (STARTED, 2, Failure.DEVICE),
            (DONE, 3, None),
        ]
        assert outcomes(office.loop)[1].reason == "busy [0m", "what a device says is cleaned"
        assert outcomes(office.loop)[2].reason == f"not done within {ATTEMPT:g} s"


async def test_what_a_person_must_mend_is_not_tried_again() -> None:
    async with Office().open() as office:
        office.hands.failures = [BadCredentials("wrong password")]
        await office.submit(command())
        assert office.told() == [(STARTED, 1, None), (FAILED, 1, Failure.CREDENTIALS)]


async def test_what_was_done_often_enough_is_dropped() -> None:
    async with Office().open() as office:
        office.hands.failures = [Limited("spoken often enough")]
        await office.submit(command())
        assert office.told() == [(STARTED, 1, None), (DROPPED, 1, Failure.LIMIT)]


async def test_a_fault_of_an_executor_is_journalled_and_the_lane_goes_on() -> None:
    async with Office().open() as office:
        office.hands.failures = [ZeroDivisionError()]
        await office.submit(command(number=0), command(number=1))
        assert office.told() == [(STARTED, 1, None), (FAILED, 1, Failure.FAULT), (STARTED, 1, None), (DONE, 1, None)]


@pytest.mark.parametrize(("late", "status"), [(MINUTE - 1, DONE), (MINUTE, DROPPED), (10 * MINUTE, DROPPED)])
async def test_what_is_stale_is_dropped_not_spoken(late: int, status: CommandStatus) -> None:
    async with Office().open() as office:
        office.loop.clock.advance(late)
        await office.submit(command())
        assert office.told()[-1] == (status, 1, Failure.LATE if status is DROPPED else None)
        assert len(office.hands.done) == (status is DONE)


async def test_a_voice_that_becomes_stale_while_it_is_tried_is_dropped() -> None:
    async with Office().open() as office:
        office.hands.failures = [Unreachable("away")]
        await office.submit(command())
        office.loop.clock.jump(MINUTE)  # held up beyond its time
        await office.loop.clock.run(seconds(1))
        assert office.told()[-1] == (DROPPED, 2, Failure.LATE)
        assert "away" in outcomes(office.loop)[-1].reason, "why the first try failed"


OVER = {
    "cleared": EngineState(),
    "about to clear": active(clearing_since=START),
    "another activation": EngineState(
        slots={SlotKey(RULE, LANE): Slot(Phase.ACTIVE, START, "", activation="other")}  # type: ignore[arg-type]
    ),
}


@pytest.mark.parametrize("state", OVER.values(), ids=OVER)
async def test_a_voice_does_not_speak_to_nobody_but_people_are_told(state: EngineState) -> None:
    async with Office(state).open() as office:
        await office.submit(command(), command(Capture(), number=1), command(Notify("guard"), number=2))
        told = {outcome.key: (outcome.status, outcome.failure) for outcome in outcomes(office.loop)}
        assert told[command().key] == (DROPPED, Failure.OVER)
        assert told[command(Capture(), number=1).key] == (DONE, None)
        assert told[command(Notify("guard"), number=2).key] == (DONE, None)


async def test_nobody_is_warned_when_a_person_has_closed_the_incident() -> None:
    async with Office().open() as office:
        office.outbox.leave({NAME})
        await office.submit(command(), command(Capture(), number=1), command(Notify("guard"), number=2))
        told = {outcome.key: (outcome.status, outcome.failure) for outcome in outcomes(office.loop)}
        assert told[command().key] == told[command(Notify("guard"), number=2).key] == (DROPPED, Failure.OVER)
        assert told[command(Capture(), number=1).key] == (DONE, None)


@pytest.mark.parametrize("state", OVER.values(), ids=OVER)
async def test_what_a_person_orders_is_said_whatever_the_rule_is_at(state: EngineState) -> None:
    async with Office(state).open() as office:
        office.outbox.leave({NAME})
        await office.submit(msgspec.structs.replace(command(), by="guard"))
        assert office.told()[-1] == (DONE, 1, None)


async def test_what_clear_itself_says_is_spoken() -> None:
    async with Office(EngineState()).open() as office:
        await office.submit(command(step="clear"))
        assert office.told()[-1] == (DONE, 1, None)


async def test_the_second_warning_never_overtakes_the_first_but_a_picture_does() -> None:
    async with Office().open() as office:
        office.hands.failures = [Unreachable("away")]
        second = msgspec.structs.replace(command(step="1"), action=Say(Text("第二次")))
        await office.submit(command(), second, command(Capture(), number=5))
        assert [what for _, what in office.hands.done] == [SPOKEN.text.zh, "Capture"]
        await office.loop.clock.run(seconds(2))
        assert [what for _, what in office.hands.done] == [SPOKEN.text.zh, "Capture", SPOKEN.text.zh, "第二次"]


async def test_after_a_restart_what_had_begun_is_marked_as_repeated() -> None:
    async with Office().open() as office:
        begun, waiting = command(Capture()), command(number=1)
        office.outbox.resume([(begun, STARTED), (waiting, CommandStatus.PENDING)])
        await settle()
        assert {outcome.repeated for outcome in outcomes(office.loop, begun)} == {True}
        assert {outcome.repeated for outcome in outcomes(office.loop, waiting)} == {False}


async def test_closing_leaves_what_is_not_done_for_the_next_start() -> None:
    async with Office().open() as office:
        office.hands.held = asyncio.Event()
        await office.submit(command())
        await office.outbox.close()
        assert office.told() == [(STARTED, 1, None)]


async def test_a_notice_may_come_late_but_not_for_ever() -> None:
    async with Office().open() as office:
        notice = msgspec.structs.replace(command(Notify("guard")), stale_after=Duration(30 * MINUTE))
        office.loop.clock.advance(29 * MINUTE)
        await office.submit(notice)
        assert office.told()[-1] == (DONE, 1, None)
