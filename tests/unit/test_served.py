"""What a test allows in seconds is longer on a machine that has others to serve, but not for ever."""

from __future__ import annotations

import pytest

from tests.kit import served
from tests.kit.served import LONGEST, Waiting


class Machine:
    """Its clock, and how long it let somebody wait."""

    def __init__(self) -> None:
        self.now, self.owed = 100.0, 50.0

    def goes_on(self, seconds: float, busy: float = 0.0) -> None:
        self.now += seconds
        self.owed += busy


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(served, "owed_s", lambda: made.owed)
    monkeypatch.setattr("tests.kit.served.time.monotonic", lambda: made.now)
    return made


def test_a_quiet_machine_gets_what_is_allowed(machine: Machine) -> None:
    waiting = Waiting(2)
    machine.goes_on(1.9)
    assert waiting.served == pytest.approx(1.9)
    assert not waiting.over
    machine.goes_on(0.2)
    assert waiting.over
    assert str(waiting) == "within 2 s (by the clock 2.1, in 0.0 of them somebody waited)"


def test_time_for_others_does_not_count(machine: Machine) -> None:
    waiting = Waiting(2)
    machine.goes_on(6, busy=5)
    assert (waiting.served, waiting.owed, waiting.over) == (1, 5, False)
    machine.goes_on(2)
    assert waiting.over


def test_one_that_is_always_busy_does_not_wait_for_ever(machine: Machine) -> None:
    waiting = Waiting(2)
    machine.goes_on(2 * LONGEST, busy=100)
    assert (waiting.served, waiting.owed, waiting.over) == (0, 10, False), "never more than has passed"
    machine.goes_on(0.1, busy=0.1)
    assert waiting.over


def test_the_system_is_asked() -> None:
    before = served.owed_s()
    assert 0 <= before <= served.owed_s()
