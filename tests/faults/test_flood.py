"""Ten times the nominal load, and one device gone mad: alarms come in time, only its numbers are left out (F12).

Short in the ordinary run; ten minutes by ``make soak``.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from hub.runtime.core import FULL
from tests.kit.broker import Broker
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.site import Ends, write_site
from tests.kit.store import rows, whole
from tests.kit.wait import until

LONG = "SOAK_KILLS" in os.environ
#: Seconds of flood.
FLOOD = 600.0 if LONG else 4.0
#: Meters and their messages a second, ten times the nominal 200.
METERS, RATE = 300, 2_000
#: Messages a second of the one that has gone mad; the short run has no time to wait until its budget is spent.
MAD = 1_000 if LONG else 2_000
#: Seconds between two cars; promised seconds until one is an incident on the disk (p99), and until the rest is in.
EVERY, PROMPT, DRAINED = 1.0, 2.0, 30.0
#: MB by which the hub may grow: SQLite's page cache (16), and what 4,000 waiting inputs need.
GROWTH = 60.0
QUEUES = ("max_queued_messages 100000", "max_inflight_messages 20000")
_OPEN = "SELECT COUNT(*) FROM incidents WHERE state <> 'closed'"
RULE = """\
rule: at_once
zones: {kind: fire_lane}
trigger: {vehicle: present}
actions: [{open_incident: {severity: high}}]
clear: {vehicle: absent, for: 1 s, actions: [{close_incident: cleared}]}
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + 2 * FLOOD)]


@dataclass
class Farm:
    """A generator in a process of its own (tests.faults.farm)."""

    process: subprocess.Popen[str]

    def tell(self, word: str) -> int:
        """Have it do something; return how many messages it has sent."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return int(json.loads(self.process.stdout.readline())["sent"])


@contextlib.contextmanager
def farm(port: int, ledger: Path, meters: int, rate: float) -> Iterator[Farm]:
    options = {"port": port, "ledger": ledger, "lanes": 0, "meters": meters, "rate": rate, "seed": 1}
    command = [sys.executable, "-m", "tests.faults.farm", *(f"--{name}={value}" for name, value in options.items())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Farm(process)
        finally:
            process.kill()


def resident(hub: HubProcess) -> float:
    """Return the hub's memory in MB."""
    status = Path(f"/proc/{hub.pid}/status").read_text("ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1_000


def left_out(hub: HubProcess) -> int:
    return hub.messages().get(("mqtt_discovery", "shed"), 0)


def incidents(hub: HubProcess) -> int:
    return int(rows(hub.data, "SELECT COUNT(*) FROM incidents")[0][0])


def drive(hub: HubProcess, lane: Lane, until_then: float) -> tuple[list[float], list[float], Counter[str]]:
    """Have a car come and go again and again; return the seconds until each was on the disk, and the memory seen.

    And the greatest lengths of the hub's queues.
    """
    latencies, memory, waiting = list[float](), [resident(hub)], Counter[str]()
    while time.monotonic() < until_then:
        before, came = incidents(hub), time.monotonic()
        lane.occupied()
        until(lambda before=before: incidents(hub) > before, bool, within=20)  # type: ignore[misc]
        latencies.append(time.monotonic() - came)
        lane.free()
        until(lambda: rows(hub.data, _OPEN)[0][0] == 0, bool, within=20)
        memory.append(resident(hub))
        waiting |= Counter(hub.waiting())
        time.sleep(max(0.0, came + EVERY - time.monotonic()))
    return latencies, memory, waiting


def test_alarms_come_in_time_through_a_flood(tmp_path: Path, hub_of: MakeHub) -> None:
    need_mosquitto()
    broker = Broker(tmp_path / "broker", extra=QUEUES)
    broker.start()
    try:
        config = write_site(tmp_path / "site", {"url": broker.url}, Ends())
        (config.parent / "rules" / "at_once.yaml").write_text(RULE, "utf-8")
        hub = hub_of(config)
        hub.start()
        lane = Lane(broker.port)
        lane.announce()
        many, mad = (tmp_path / f"{name}.jsonl" for name in ("many", "mad"))
        with farm(broker.port, many, METERS, RATE) as crowd, farm(broker.port, mad, 1, MAD) as one:
            crowd.tell("announce")
            one.tell("announce")
            until(lambda: len(hub.entities()), lambda count: count >= METERS + 1, within=20)
            began = time.monotonic()
            crowd.tell("begin")
            one.tell("begin")
            latencies, memory, waiting = drive(hub, lane, began + FLOOD)
            until(partial(left_out, hub), within=60, what="the one gone mad has spent its budget, and no more is taken")
            sent = crowd.tell("calm") + one.tell("calm") - METERS - 1
            rate = sent / (time.monotonic() - began)
        telemetry = "SELECT COUNT(*) FROM readings WHERE entity LIKE 'mqtt_discovery.meter_%' AND value IS NOT NULL"
        shed = partial(left_out, hub)
        drained = time.monotonic()
        until(lambda: rows(hub.data, telemetry)[0][0] + shed(), lambda all_of: all_of >= sent, within=DRAINED)
        drained = time.monotonic() - drained
        kept = rows(hub.data, telemetry + " AND entity <> 'mqtt_discovery.meter_0'")[0][0]
        latencies.sort()
        p99 = latencies[min(len(latencies) - 1, round(0.99 * len(latencies)))]
        print(  # noqa: T201 - shown when the test fails, and by `make soak`
            f"{sent} messages at {rate:.0f}/s, {shed()} of one device left out; {len(latencies)} alarms, "
            f"p50 {latencies[len(latencies) // 2]:.2f} s, p99 {p99:.2f} s, worst {latencies[-1]:.2f} s; "
            f"memory {memory[0]:.0f} MB, at most {max(memory):.0f} MB, last {memory[-1]:.0f} MB, "
            f"by quarters {[round(memory[len(memory) * part // 4]) for part in range(4)]}; "
            f"at most {waiting['inputs_at_most']} inputs and {waiting['batches']} batches waited; "
            f"the rest was in after {drained:.1f} s"
        )
        assert len(latencies) == incidents(hub)
        said = [json.loads(line) for line in many.read_text("utf-8").splitlines() if '"topic": "meter/' in line]
        assert kept == sum(one["topic"] != "meter/0" for one in said), "of the others nothing is left out"
        assert [one for one in hub.problems() if "mqtt_discovery.meter_0 tells more than" in one]
        assert max(memory) - memory[0] <= GROWTH
        assert waiting["inputs_at_most"] <= 2 * FULL, "the broker keeps the rest: nothing is read beyond what is full"
        assert waiting["batches"] <= 1
        assert p99 <= PROMPT or not LONG, "a figure only where it is measured on purpose"
        assert hub.terminate()[0] == 0
        whole(hub.data)
    finally:
        broker.stop()
