"""Where Mosquitto is not installed, amqtt carries the story on loopback, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.broker import free_port
from tests.kit.hub import MakeHub
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.sims import Speaker
from tests.kit.site import Ends, short_rule, write_site
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def test_the_broker_for_trying_out_carries_the_story(tmp_path: Path, hub_of: MakeHub) -> None:
    need_mosquitto()  # for mosquitto_pub
    pytest.importorskip("amqtt", reason="the extra `broker` is not installed")
    port = free_port()
    command = [sys.executable, "-m", "hub.runtime.mqtt.amqtt_child", "127.0.0.1", str(port)]
    broker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with Speaker(tmp_path) as speaker:
            config = write_site(tmp_path / "site", {"url": f"mqtt://127.0.0.1:{port}"}, Ends(rtp=speaker.ports["rtp"]))
            short_rule(config, "1 s")
            hub = hub_of(config)
            hub.start()  # the hub waits for its broker, not the other way round
            until(hub.problems, lambda problems: not problems, within=20)
            lane = Lane(port)
            lane.announce()
            until(hub.entities, lambda known: lane.entity in known)
            lane.occupied()
            assert until(speaker.heard, bool, within=1 + 3)
    finally:
        broker.terminate()
        assert broker.wait(10) == 0
