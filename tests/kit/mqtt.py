"""Devices played by hand: ``mosquitto_pub``, and the messages that a parking sensor and a door send."""

from __future__ import annotations

import json
import shutil
import subprocess
from types import TracebackType
from typing import Self

import pytest

from tests.kit.broker import find_mosquitto


def need_mosquitto() -> None:
    """Skip, by name, where Mosquitto or its client is missing."""
    missing = [name for name, path in (("mosquitto", find_mosquitto()), ("mosquitto_pub", _pub())) if path is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed: tests against a real MQTT broker cannot run")


def publish(port: int, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
    """Send one message at QoS 1 and wait until the broker has it."""
    data = payload.encode() if isinstance(payload, str) else payload
    how = ["-s"] if data else ["-n"]
    command = [_pub() or "mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-t", topic, *how]
    subprocess.run([*command, *(["-r"] if retain else [])], input=data, timeout=30, check=True)


class Lines:
    """A ``mosquitto_pub -l`` that stays connected: one message per line, without a new process for each."""

    def __init__(self, port: int, topic: str) -> None:
        command = [_pub() or "mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-t", topic, "-l"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE)

    def send(self, payload: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(payload.encode() + b"\n")
        self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Lane:
    """A parking sensor as Home Assistant discovery announces it."""

    def __init__(self, port: int, name: str = "lane_3") -> None:
        self.port, self.name = port, name
        self.entity = f"mqtt_discovery.{name}_vehicle"
        self.topic = f"magnetometer/{name}/state"

    def configuration(self) -> tuple[str, str]:
        """Return topic and payload of the discovery message."""
        config = {
            "name": "车辆",
            "unique_id": f"{self.name}_vehicle",
            "device_class": "occupancy",
            "state_topic": self.topic,
            "value_template": "{{ value_json.occupancy }}",
            "device": {"identifiers": [self.name], "name": f"地磁 {self.name}"},
        }
        return f"homeassistant/binary_sensor/{self.name}/vehicle/config", json.dumps(config, ensure_ascii=False)

    def announce(self) -> None:
        """Publish the retained discovery message."""
        publish(self.port, *self.configuration(), retain=True)

    def state(self, *, occupied: bool) -> str:
        """Return the payload of a state."""
        return json.dumps({"occupancy": "ON" if occupied else "OFF", "battery": 97})

    def occupied(self, *, retain: bool = False) -> None:
        """A vehicle stands there."""
        publish(self.port, self.topic, self.state(occupied=True), retain=retain)

    def free(self, *, retain: bool = False) -> None:
        """No vehicle stands there."""
        publish(self.port, self.topic, self.state(occupied=False), retain=retain)


def _pub() -> str | None:
    return shutil.which("mosquitto_pub") or shutil.which("mosquitto_pub", path="/usr/bin:/usr/local/bin")
