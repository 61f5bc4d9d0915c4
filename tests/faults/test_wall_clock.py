"""The wall clock jumps while a limit runs: no warning early, late, twice or never, and the banner says so (F10)."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import pytest

from tests.kit.broker import Broker
from tests.kit.hub import MakeHub
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.sims import Speaker
from tests.kit.site import Ends, short_rule, write_site
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

LIMIT, PROMPT = 2.0, 3.0
HOUR, DAY = 3600, 86_400
LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))


def test_a_jump_moves_no_limit(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    need_mosquitto()
    if not LIBRARIES:
        pytest.skip("libfaketime is not installed: a clock that jumps cannot be played")
    offset = tmp_path / "offset"
    offset.write_text("+0", "ascii")
    fake = {
        "LD_PRELOAD": str(LIBRARIES[0]),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    # each against true time: forward, back, a day on, a day back, the year 1970, and right again
    offsets = [HOUR, -HOUR, DAY, -DAY, 10 * DAY - int(time.time()), 0]
    lanes = [Lane(broker.port, f"lane_{number}") for number in range(len(offsets))]
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
        for number, (lane, jump) in enumerate(zip(lanes, offsets, strict=True)):
            before = time.time()
            lane.occupied()
            until(lambda lane=lane: hub.phase(lane.name, "short"), lambda phase: phase == "pending", within=2)  # type: ignore[misc]
            offset.write_text(f"{jump:+d}", "ascii")
            said = until(speaker.begun, lambda said, number=number: len(said) > number, within=LIMIT + PROMPT)  # type: ignore[misc]
            assert before + LIMIT - 0.05 <= said[-1]["started_at"] <= time.time()
            assert len(said) == number + 1
            assert len(hub.said("clock.jumped")) == number + 1
            assert any("clock jumped by" in one for one in hub.problems())
        found = hub.incidents()
        assert sorted(incident["zone"] for incident in found) == sorted(lane.name for lane in lanes)
        years = [datetime.fromisoformat(incident["opened_at"]).year for incident in found]
        assert 1970 in years, "the clock did jump"
