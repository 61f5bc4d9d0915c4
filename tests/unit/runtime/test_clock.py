"""The hub's clock: where it goes on after a restart, and what it calls a jump."""

from __future__ import annotations

import asyncio

import pytest

from hub.model.text import Text
from hub.model.time import HOUR, SECOND, Instant
from hub.runtime import clock as module
from hub.runtime.clock import JUMP, SLEW, SystemClock
from hub.runtime.problems import Problems


class Machine:
    """The clocks of a computer, as far as the hub looks at them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.wall = 1_000 * HOUR
        self.boot = 5 * HOUR
        self.name = "this boot"
        patch.setattr(module, "wall", lambda: Instant(self.wall))
        patch.setattr(module, "boot_us", lambda: self.boot)
        patch.setattr(module, "current_boot_id", lambda: self.name)

    def run(self, duration: int, wall: int | None = None) -> None:
        """Let time pass; the wall clock may say something else."""
        self.boot += duration
        self.wall += duration if wall is None else wall


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def test_the_first_start_takes_the_wall_clock(machine: Machine) -> None:
    clock = SystemClock.resume(None, "", 0)
    assert clock.now() == machine.wall
    machine.run(SECOND, wall=HOUR)
    assert clock.now() == 1_000 * HOUR + SECOND, "it runs on time since boot"


def test_in_the_same_boot_it_goes_on_by_the_time_since_boot(machine: Machine) -> None:
    at, boot = Instant(machine.wall), machine.boot
    machine.run(30 * SECOND, wall=-HOUR)
    assert SystemClock.resume(at, "this boot", boot).now() == at + 30 * SECOND


def test_after_another_boot_it_goes_on_by_the_wall_clock(machine: Machine) -> None:
    at = Instant(machine.wall)
    machine.run(10 * HOUR)
    machine.boot = 3 * SECOND
    assert SystemClock.resume(at, "another boot", 7 * HOUR).now() == at + 10 * HOUR


@pytest.mark.parametrize("wall", [0, 12 * SECOND, 999 * HOUR])
def test_a_wall_clock_before_the_last_commit_is_not_believed(machine: Machine, wall: int) -> None:
    at = Instant(machine.wall)
    machine.wall, machine.boot = wall, 3 * SECOND
    clock = SystemClock.resume(at, "another boot", 7 * HOUR)
    assert clock.now() == at
    assert clock.follow() == wall - at, "but a second later it is told as a jump"
    assert clock.now() == wall


def test_a_system_that_does_not_name_its_boots_uses_the_wall_clock(machine: Machine) -> None:
    at, machine.name = Instant(machine.wall), ""
    machine.wall, machine.boot = machine.wall + HOUR, 3 * SECOND
    assert SystemClock.resume(at, "", 7 * HOUR).now() == machine.wall


@pytest.mark.parametrize("by", [JUMP + 1, -JUMP - 1, HOUR, -900 * HOUR])
def test_a_jump_is_told_once(machine: Machine, by: int) -> None:
    clock = SystemClock.resume(None, "", 0)
    machine.run(SECOND, wall=SECOND + by)
    assert clock.follow() == by
    assert clock.now() == machine.wall
    assert clock.follow() == 0


@pytest.mark.parametrize("by", [JUMP, -JUMP, 500_000, -3])
def test_a_small_difference_is_followed_slowly(machine: Machine, by: int) -> None:
    clock = SystemClock.resume(None, "", 0)
    machine.run(0, wall=by)
    before = clock.now()
    assert clock.follow() == 0
    assert clock.now() - before == max(-SLEW, min(SLEW, by))


@pytest.mark.parametrize("gains", [SECOND // 60, -SECOND // 60])
def test_a_clock_that_creeps_is_never_far_away(machine: Machine, gains: int) -> None:
    """A second in each minute is more than the hub follows: it goes along in small jumps that it tells of."""
    clock, jumps = SystemClock.resume(None, "", 0), list[int]()
    for _ in range(3_600):
        machine.run(SECOND, wall=SECOND + gains)
        if jump := clock.follow():
            jumps.append(jump)
        assert abs(machine.wall - clock.now()) <= JUMP
    assert len(jumps) == 3_600 * (abs(gains) - SLEW) // JUMP
    assert all(JUMP < abs(jump) < JUMP + SECOND // 60 for jump in jumps)


@pytest.mark.parametrize("steps", [[-SECOND], [-SECOND // 86_400] * 86_400], ids=["repeated", "smeared over a day"])
def test_a_leap_second_is_no_jump(machine: Machine, steps: list[int]) -> None:
    clock = SystemClock.resume(None, "", 0)
    for step in steps:
        machine.run(SECOND, wall=SECOND + step)
        assert clock.follow() == 0
    for _ in range(1_000):
        machine.run(SECOND)
        assert clock.follow() == 0
    assert clock.now() == machine.wall


async def test_a_call_in_the_past_is_made_at_once(machine: Machine) -> None:
    clock, called = SystemClock(Instant(5)), asyncio.Event()
    clock.call_at(Instant(0), called.set)
    await asyncio.wait_for(called.wait(), 1)
    never = clock.call_at(Instant(HOUR), called.clear)
    never.cancel()


def test_problems_are_raised_and_settled_once() -> None:
    problems, told = Problems(), []
    problems.listen(lambda: told.append(len(problems.texts())))
    assert problems.raise_("a", Text("甲"))
    assert not problems.raise_("a", Text("甲"))
    assert problems.raise_("a", Text("乙")), "another reason is news"
    assert "a" in problems
    assert problems.texts() == [Text("乙")]
    assert problems.settle("a")
    assert not problems.settle("a")
    assert told == [1, 1, 0]
