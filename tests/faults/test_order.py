"""Decide, commit, act: while the journal cannot be written nothing is acknowledged, nothing said (DESIGN.md 5)."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.broker import Broker
from tests.kit.generator import Generator
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.sims import Speaker
from tests.kit.site import Ends, short_rule, write_site
from tests.kit.store import rows
from tests.kit.wait import stays, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

METER = "mqtt_discovery.meter_1"
COUNT = 50


@contextlib.contextmanager
def locked(hub: HubProcess) -> Iterator[None]:
    """Keep the journal from being written, as a slow disk does (for less than the hub's patience of 5 s)."""
    with contextlib.closing(sqlite3.connect(hub.data / "journal.sqlite3", timeout=10, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            db.execute("ROLLBACK")


def test_nothing_is_acknowledged_before_it_is_written(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    need_mosquitto()
    config = write_site(tmp_path / "site", {"url": broker.url}, Ends())
    short_rule(config, "1 h")
    hub = hub_of(config)
    hub.start()
    with Generator(broker.port) as farm:
        meter = {"unique_id": "meter_1", "state_topic": "meter/1", "unit_of_measurement": "L"}
        farm.send("homeassistant/sensor/meter_1/config", json.dumps(meter), retain=True)
        until(hub.entities, lambda known: METER in known)
        with locked(hub):
            for number in range(COUNT):
                farm.send("meter/1", str(number))
            farm.flush()
            time.sleep(1)  # long enough for an acknowledgement that should not be
            hub.kill()
        hub.start()
        stored = "SELECT value FROM readings WHERE entity = ? ORDER BY seq"
        until(lambda: rows(hub.data, stored, METER), lambda found: len(found) >= COUNT, within=10)
        assert [int(value) for (value,) in rows(hub.data, stored, METER)] == list(range(COUNT))


def test_nothing_is_said_before_it_is_written(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    need_mosquitto()
    with Speaker(tmp_path) as speaker, Generator(broker.port) as cars:
        config = write_site(tmp_path / "site", {"url": broker.url}, Ends(rtp=speaker.ports["rtp"]))
        short_rule(config, "1 s")
        hub = hub_of(config)
        hub.start()
        lane = Lane(broker.port)
        cars.send(*lane.configuration(), retain=True)
        until(hub.entities, lambda known: lane.entity in known)
        cars.send(lane.topic, lane.state(occupied=True))
        until(lambda: rows(hub.data, "SELECT 1 FROM slots"), within=5)
        with locked(hub):
            stays(speaker.begun, lambda said: said == [], during=2.5)
        until(speaker.begun, lambda said: len(said) == 1, within=3)
        until(hub.incidents, lambda found: len(found) == 1)
