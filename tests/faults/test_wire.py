"""The way to the broker is slow, lossy, silent or cut: noticed in time, and no car is warned twice after it (F9)."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from hub.runtime.mqtt.link import KEEPALIVE
from tests.faults.test_broker_dies import COUNT, RECONNECT, announce_meter, count, counted
from tests.kit.broker import Broker
from tests.kit.hub import MakeHub
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.sims import Speaker
from tests.kit.site import Ends, short_rule, write_site
from tests.kit.wait import stays, until
from tests.kit.wire import State, Wire

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 if "SOAK_KILLS" not in os.environ else 900)]

LIMIT = 1.0
#: A connection on which nothing comes is given up within this (MQTT 3.1.1, 3.1.2.10), and a second for the look.
NOTICED = KEEPALIVE * 1.5 + 1
#: How long it is cut; ten minutes by ``make soak``.
PARTED = 600.0 if "SOAK_KILLS" in os.environ else 3.0


@pytest.mark.parametrize("state", [State.SLOW, State.LOSSY, State.SILENT, State.CUT])
def test_a_bad_way_to_the_broker(state: State, tmp_path: Path, hub_of: MakeHub) -> None:
    need_mosquitto()
    broker = Broker(tmp_path / "broker", persistent=True)
    broker.start()
    with ExitStack() as stack:
        stack.callback(broker.stop)
        speaker, wire = stack.enter_context(Speaker(tmp_path)), stack.enter_context(Wire(broker.port))
        url = broker.url.replace(str(broker.port), str(wire.port))
        config = write_site(tmp_path / "site", {"url": url}, Ends(rtp=speaker.ports["rtp"]))
        short_rule(config, f"{LIMIT:g} s")
        hub = hub_of(config)
        hub.start()
        lane = Lane(broker.port)
        lane.announce()
        until(hub.entities, lambda known: lane.entity in known)
        announce_meter(hub, broker.port)
        lane.free()
        wire.become(state)
        count(broker.port, range(COUNT))
        lane.occupied()  # while it is bad
        if state is State.SILENT:
            until(hub.problems, lambda found: any("broker is away" in one for one in found), within=NOTICED)
        if state is State.CUT:
            until(hub.problems, lambda found: any("broker is away" in one for one in found), within=5)
            time.sleep(PARTED)
        if state in {State.SLOW, State.LOSSY}:
            until(speaker.begun, lambda said: len(said) == 1, within=20)
            assert hub.problems() == [], "late is not away"
        wire.become(State.GOOD)
        until(hub.problems, lambda found: found == [], within=RECONNECT, what="the broker is found again")
        until(speaker.begun, lambda said: len(said) == 1)
        until(lambda: counted(hub), lambda found: len(found) >= COUNT)
        stays(speaker.begun, lambda said: len(said) == 1, during=2 * LIMIT)
        assert len(hub.incidents()) == 1
        assert counted(hub) == list(range(COUNT)), "each once, in its order"
