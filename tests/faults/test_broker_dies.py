"""The broker is ended, killed, stopped and wiped: what the hub confirmed stays, what is retained warns nobody (F8)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.kit.broker import Broker
from tests.kit.generator import Generator
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.sims import Speaker
from tests.kit.site import Ends, short_rule, watch_itself, write_site
from tests.kit.store import rows
from tests.kit.wait import stays, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

METER, COUNT = "mqtt_discovery.meter_1", 50
#: Promised seconds until it is found again; how long it stands still (a minute by ``make soak``).
LONG = "SOAK_KILLS" in os.environ
RECONNECT, STILL = 10.0, 60.0 if LONG else 2.0
LIMIT = 1.0


def count(port: int, numbers: range) -> None:
    """Send as a meter does."""
    with Generator(port) as farm:
        for number in numbers:
            farm.send("meter/1", str(number))


def announce_meter(hub: HubProcess, port: int) -> None:
    """Have the hub hear of it."""
    with Generator(port) as farm:
        meter = {"unique_id": "meter_1", "state_topic": "meter/1", "unit_of_measurement": "L"}
        farm.send("homeassistant/sensor/meter_1/config", json.dumps(meter), retain=True)
    until(hub.entities, lambda known: METER in known)


def counted(hub: HubProcess) -> list[int]:
    found = rows(hub.data, "SELECT value FROM readings WHERE entity = ? AND value IS NOT NULL ORDER BY seq", METER)
    return [int(value) for (value,) in found]


def trouble(how: str, broker: Broker, folder: Path, hub: HubProcess) -> None:
    """Do it to the broker, and wait until the hub has found it again."""
    assert broker.pid is not None
    if how == "stopped":
        os.kill(broker.pid, signal.SIGSTOP)
        time.sleep(STILL)
        os.kill(broker.pid, signal.SIGCONT)
        until(hub.problems, lambda found: not found, within=RECONNECT, what="the broker is found again")
        assert not LONG or hub.said("link.back"), "a minute is long enough to be noticed"
        return
    if how == "ended":
        broker.stop()
    else:
        broker.kill()
    until(hub.problems, lambda found: any("broker is away" in one for one in found), within=5)
    if how == "wiped":
        shutil.rmtree(folder)
        folder.mkdir()
    broker.start()
    until(lambda: hub.said("link.back"), within=RECONNECT, what="the broker is found again")


#: Whoever says nothing for so many seconds is missing.
SILENT = 1.5
SILENCE = f"""rule: lane_silent
zones: {{kind: fire_lane}}
trigger: {{silent: {{vehicle: {SILENT:g} s}}}}
actions: [{{open_incident: {{severity: low}}}}]
clear: {{not: {{silent: {{vehicle: {SILENT:g} s}}}}, actions: [{{close_incident: cleared}}]}}
"""


@pytest.mark.skipif(not LONG, reason="make soak: tests/unit/runtime/test_intake.py asks the same without a broker")
def test_who_cannot_be_heard_is_not_missing(tmp_path: Path, hub_of: MakeHub) -> None:
    """One cause, one incident: a broker that is away is the hub's own trouble, and not one of each of its devices."""
    need_mosquitto()
    broker = Broker(tmp_path / "broker", persistent=True)
    broker.start()
    try:
        lanes = tuple(f"lane_{number}" for number in range(3))
        config = write_site(tmp_path / "site", {"url": broker.url}, Ends(), lanes=lanes)
        (config.parent / "rules" / "silent.yaml").write_text(SILENCE, "utf-8")
        watch_itself(config, "1 s", "1 s")
        hub = hub_of(config)
        hub.start()
        sensors = [Lane(broker.port, name) for name in lanes]
        for sensor in sensors:
            sensor.announce()
        until(hub.entities, lambda known: all(sensor.entity in known for sensor in sensors))
        for sensor in sensors:
            sensor.free()
        until(hub.entities, lambda known: all(known[sensor.entity]["quality"] == "good" for sensor in sensors))
        broker.kill()
        until(hub.problems, lambda found: any("broker is away" in one for one in found), within=5)
        before = hub.incidents()  # on a slow machine somebody may have been silent already
        stays(hub.incidents, lambda found: [one for one in found if one["rule"] == "lane_silent"] == before,
              during=2 * SILENT)  # fmt: skip
        until(hub.incidents, lambda found: [one["zone"] for one in found if one not in before] == ["hub_broker"], 90)
        broker.start()
        until(lambda: hub.said("link.back"), within=RECONNECT, what="the broker is found again")
        until(hub.incidents, lambda found: {one["zone"] for one in found} >= set(lanes), within=10)
        for sensor in sensors:
            sensor.free()
        until(hub.incidents, lambda found: all(one["state"] == "closed" for one in found if one["zone"] in lanes))
    finally:
        broker.stop()


@pytest.mark.parametrize("how", ["ended", "killed", "stopped", "wiped"])
def test_a_broker_in_trouble(how: str, tmp_path: Path, hub_of: MakeHub) -> None:
    need_mosquitto()
    folder = tmp_path / "broker"
    broker = Broker(folder, persistent=True)
    broker.start()
    try:
        with Speaker(tmp_path) as speaker:
            config = write_site(tmp_path / "site", {"url": broker.url}, Ends(rtp=speaker.ports["rtp"]))
            short_rule(config, f"{LIMIT:g} s")
            hub = hub_of(config)
            hub.start()
            lane = Lane(broker.port)
            lane.announce()
            until(hub.entities, lambda known: lane.entity in known)
            lane.free()
            announce_meter(hub, broker.port)
            count(broker.port, range(COUNT))
            until(lambda: counted(hub), lambda found: len(found) == COUNT)
            trouble(how, broker, folder, hub)
            if how == "wiped":
                hub.kill()
                broker.kill()
                shutil.rmtree(folder)
                folder.mkdir()
                broker.start()
                lane.announce()
                lane.occupied(retain=True)  # nobody can say of when that is
                hub.start()
                stays(speaker.begun, lambda said: said == [], during=LIMIT + 1)
            count(broker.port, range(COUNT, 2 * COUNT))
            until(lambda: counted(hub), lambda found: len(found) >= 2 * COUNT)
            assert counted(hub) == list(range(2 * COUNT))
            lane.occupied()
            until(speaker.begun, lambda said: len(said) == 1)
            until(hub.incidents, lambda found: len(found) == 1)
            assert hub.problems() == []
    finally:
        broker.stop()
