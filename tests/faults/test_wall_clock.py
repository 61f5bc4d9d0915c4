"""The wall clock jumps, creeps or repeats a second while a limit runs: no warning early, late, twice or never (F10)."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from tests.kit.broker import Broker
from tests.kit.clock import faketime
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.sims import Speaker
from tests.kit.site import Ends, short_rule, write_site
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600 if "SOAK_KILLS" in os.environ else 120)]

LIMIT, PROMPT = 2.0, 3.0
HOUR, DAY = 3600, 86_400
#: Seconds since 1970 that a signed number of 32 bits can hold, and one more.
FULL = 1 << 31
#: A clock that gains a second in each minute, as libfaketime writes it; for how long by `make soak`.
CREEPING, LONG = f"+0 x{61 / 60:.5f}", 300.0


@dataclass
class Clocked:
    """A hub whose wall clock shows what a file says, and cars before it."""

    hub: HubProcess
    speaker: Speaker
    lanes: list[Lane]
    file: Path
    warned: int = 0

    def shows(self, text: str) -> None:
        """Let the wall clock be so far from the true one, in the words of libfaketime."""
        self.file.write_text(text, "ascii")

    def car(self, meanwhile: str | None = None) -> None:
        """Have a car come; the clock changes while its limit runs. It must be warned once, after ``LIMIT`` true s."""
        lane, before = self.lanes[self.warned], time.time()
        lane.occupied()
        until(lambda: self.hub.phase(lane.name, "short"), lambda phase: phase == "pending", within=2)
        if meanwhile is not None:
            self.shows(meanwhile)
        self.warned += 1
        said = until(self.speaker.begun, lambda said: len(said) >= self.warned, within=LIMIT + PROMPT)
        assert before + LIMIT - 0.05 <= said[-1]["started_at"] <= time.time()
        assert len(said) == self.warned

    def jumps(self) -> int:
        """Return how many jumps the hub has told of."""
        return len(self.hub.said("clock.jumped"))

    def end(self) -> list[int]:
        """Assert that each car is one incident; return the years that they bear."""
        found = self.hub.incidents()
        assert sorted(one["zone"] for one in found) == sorted(lane.name for lane in self.lanes[: self.warned])
        return [datetime.fromisoformat(one["opened_at"]).year for one in found]


@contextlib.contextmanager
def clocked(tmp_path: Path, broker: Broker, hub_of: MakeHub, cars: int, shows: str = "+0") -> Iterator[Clocked]:
    """Start a hub at the hour that the clock shows."""
    need_mosquitto()
    file = tmp_path / "offset"
    fake = faketime(file, shows)
    lanes = [Lane(broker.port, f"lane_{number}") for number in range(cars)]
    with Speaker(tmp_path) as speaker:
        ends = Ends(rtp=speaker.ports["rtp"])
        config = write_site(tmp_path / "site", {"url": broker.url}, ends, lanes=tuple(lane.name for lane in lanes))
        short_rule(config, f"{LIMIT:g} s")
        hub = hub_of(config)
        hub.start(env=fake)
        assert hub.token
        for lane in lanes:
            lane.announce()
        until(hub.entities, lambda known: len(known) >= 2 * len(lanes))
        yield Clocked(hub, speaker, lanes, file)


def test_a_jump_moves_no_limit(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    # each against true time: forward, back, a day on, a day back, the year 1970, and right again
    offsets = [HOUR, -HOUR, DAY, -DAY, 10 * DAY - int(time.time()), 0]
    with clocked(tmp_path, broker, hub_of, len(offsets)) as under:
        for number, jump in enumerate(offsets, 1):
            under.car(f"{jump:+d}")
            assert under.jumps() == number
            assert any("clock jumped by" in one for one in under.hub.problems())
        assert 1970 in under.end(), "the clock did jump"


def test_a_clock_that_finds_the_time_repeats_a_second_and_runs_out_of_bits(
    tmp_path: Path, broker: Broker, hub_of: MakeHub
) -> None:
    """A computer without a battery wakes in 1970; a leap second comes, slowly or twice; the clock passes 2^31 s."""
    with clocked(tmp_path, broker, hub_of, 4, shows=f"{DAY - int(time.time()):+d}") as under:
        under.car("+0")
        assert under.jumps() == 1
        under.car("-1")
        assert under.jumps() == 1, "a second that comes twice is no jump: the hub's own clock follows slowly"
        under.car(CREEPING)
        assert under.jumps() == 1, "nor is a second that is smeared"
        under.car(f"{FULL - 1 - int(time.time()):+d}")  # the limit ends beyond
        years = under.end()
        assert 1970 not in years, "the clock did find the time"
        assert years.count(2038) == 1
        assert under.jumps() == 2


@pytest.mark.skipif("SOAK_KILLS" not in os.environ, reason="a clock that creeps takes minutes: `make soak`")
def test_a_clock_that_creeps_moves_no_limit(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    cars = round(LONG / (LIMIT + 1))
    with clocked(tmp_path, broker, hub_of, cars, shows=CREEPING) as under:
        for _ in range(cars):
            under.car()
        assert 1 <= under.jumps() <= LONG / 60, "it is told of when it is 2 s away, and the hub goes along"
        under.end()
