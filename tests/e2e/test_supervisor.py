"""What systemd hears from a hub, through a real socket."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.kit.broker import Broker
from tests.kit.hub import MakeHub
from tests.kit.mqtt import need_mosquitto
from tests.kit.site import Ends, write_site


def listening(path: Path) -> socket.socket:
    end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    end.bind(str(path))
    end.settimeout(20)
    return end


@pytest.mark.slow
def test_a_hub_says_that_it_is_ready_lives_and_stops(tmp_path: Path, hub_of: MakeHub) -> None:
    need_mosquitto()
    broker = Broker(tmp_path / "broker")
    broker.start()
    try:
        with listening(tmp_path / "notify") as end:
            hub = hub_of(write_site(tmp_path / "site", {"url": broker.url}, Ends()))
            hub.start(env={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"})
            heard = {end.recv(100)}
            while heard < {b"READY=1", b"WATCHDOG=1"}:
                heard.add(end.recv(100))
            hub.terminate()
            while b"STOPPING=1" not in heard:
                heard.add(end.recv(100))
            assert heard == {b"READY=1", b"WATCHDOG=1", b"STOPPING=1"}
    finally:
        broker.stop()
