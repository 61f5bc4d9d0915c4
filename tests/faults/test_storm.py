"""kill -9 under 200 messages a second from 300 devices, at random and at every named place (F1, F2), judged by ledgers.

SOAK_KILLS says how many kills; more than a few and the journal begins with a million rows (``make soak``).
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest

from hub.failpoint import POINTS
from hub.journal import chain
from hub.journal.migrate import migrate
from hub.journal.store import FILE, connect
from tests.faults.storm import Storm, seed, storm
from tests.kit.hub import MakeHub

#: Kills at random in all, and in one storm.
KILLS, IN_ONE = int(os.environ.get("SOAK_KILLS", "6")), 20
#: Rows that a long run begins with; the promise is made for a million.
ROWS = 1_000_000 if KILLS > IN_ONE else 0
#: Seconds until ready, the 99th percentile (promised with a million rows).
READY = 5.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90 + 8 * KILLS)]


def fill(data: Path) -> None:
    """Give the journal a past."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(connect(data / FILE)) as db:
        migrate(db)
        db.execute("BEGIN")
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            "INSERT INTO readings (entity, value, quality, at, device_at, retained) "
            "SELECT 'past.meter_' || (i % 300), NULL, 'stale', 1700000000000000 + i * 1000, NULL, 0 FROM n",
            (ROWS,),
        )
        chain.begin(db)  # else the first hub would hash a million rows before it does anything else
        db.execute("COMMIT")


def die_at_random(weather: Storm, kills: int, ready: list[float]) -> None:
    """End the hub at any moment of its life, its start included."""
    for number in range(kills):
        began = time.monotonic()
        whole_life = number % 2 == 0
        weather.hub.start(wait=whole_life)
        if whole_life:
            ready.append(time.monotonic() - began)
        time.sleep(0.05 + 0.9 * weather.chance.random())
        weather.hub.kill()


def test_nothing_is_lost_whenever_the_hub_dies(tmp_path: Path, hub_of: MakeHub) -> None:
    number, left, ready, faults = seed(), KILLS, list[float](), list[str]()
    if ROWS:
        fill(tmp_path / "past")
    while left:
        kills = min(left, IN_ONE)
        folder = tmp_path / str(left)
        with storm(folder, hub_of, number + left) as weather:
            if ROWS:
                shutil.copytree(tmp_path / "past", weather.hub.data)
                os.sync()  # else the first commits wait until the disk has taken all of it
            weather.begin()
            weather.hub.kill()
            die_at_random(weather, kills - 1, ready)
            weather.hub.start()
            verdict = weather.end(within=60)
        left -= kills
        faults += verdict.faults
        if not verdict.faults:  # a long run says at its end what was wrong, and leaves that to be looked at
            shutil.rmtree(folder)
            shutil.rmtree(weather.hub.data)
        print(f"{KILLS - left} kills, {len(faults)} faults; {figures(ready)}", flush=True)  # noqa: T201
    assert faults == []
    assert p99(ready) <= READY or not ROWS, "a figure only where it is measured on purpose"


def p99(seconds: list[float]) -> float:
    """Return the 99th percentile."""
    return sorted(seconds)[min(len(seconds) - 1, round(0.99 * len(seconds)))]


def figures(ready: list[float]) -> str:
    """Say how soon the hub was ready again."""
    worst = f"p99 {p99(ready):.2f} s, worst {max(ready):.2f} s"
    return f"ready again {worst} of {len(ready)} starts with {ROWS} rows of the past"


def test_nothing_is_lost_wherever_the_hub_dies(tmp_path: Path, hub_of: MakeHub) -> None:
    reached = dict.fromkeys(POINTS, 0)
    with storm(tmp_path, hub_of, seed()) as weather:
        weather.begin()
        weather.hub.kill()
        # those of a command first: there are only so many cars
        for point in sorted(POINTS, reverse=True):
            weather.hub.start(wait=False, env={"MENSHEN_FAILPOINT": f"{point}:{weather.chance.randint(1, 2)}"})
            code = weather.hub.ended(30)
            assert code == -signal.SIGKILL, f"{point} was not passed: {weather.hub.words()[-2000:]}"
            reached[point] += 1
        weather.hub.start()
        verdict = weather.end(within=60)
    assert verdict.faults == ()
    assert min(reached.values()) == 1
