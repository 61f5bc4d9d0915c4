"""Message in → rule → journal → message out, through a real Mosquitto and a real hub with 1,000 rules.

Every message fires one of two opposite rules of its lane, whose relay publishes on ``out/<lane>``. Closed loop: 100
messages are on their way at any time. Open loop: a latency counts from the moment at which the message was due.
Node-RED keeps nothing and does 1,824/s on MQTT 3.1.1; Home Assistant sustains 800/s, not durable.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.bench.figure import Figure, percentile
from tests.kit.broker import Broker, find_mosquitto
from tests.kit.hub import HubProcess
from tests.kit.mqtt import Lane
from tests.kit.wait import until

LANES, OUTSTANDING, SECONDS = 500, 100, 10
RATES = (100, 1_000)
PLUGINS = Path(__file__).parent / "site_integrations"
RULE = """\
rule: {word}_{number}
name: {{zh: {word} {number}}}
zones: {{kind: fire_lane, only: [lane_{number}]}}
trigger: {{vehicle: {word}}}
actions: [{{switch: {{role: light, for: 1 s}}}}]
clear: {{vehicle: {opposite}}}
"""


def figures() -> Iterator[Figure]:
    """Measure both qualities of service; raises RuntimeError where Mosquitto is missing."""
    if find_mosquitto() is None:
        raise RuntimeError("mosquitto is not installed: there is nothing to measure through")
    found = list(_both())
    yield from found
    for name, worse in (("loop_rate", min), ("p99_ms@1000", max), ("p50_ms@100", max)):
        value = worse(figure.value for figure in found if figure.name.startswith(f"mqtt.{name}@qos"))
        unit = "/s" if name == "loop_rate" else "ms"
        yield Figure("mqtt", f"mqtt.{name}", value, unit, 2, "the worse of QoS 0 and 1")


def _both() -> Iterator[Figure]:
    for qos in (0, 1):
        with tempfile.TemporaryDirectory(prefix="menshen-bench-") as name:
            folder = Path(name)
            broker = Broker(folder / "broker", extra=("max_queued_messages 100000", "max_inflight_messages 20000"))
            broker.start()
            hub = HubProcess(_site(folder, broker, qos), folder / "data")
            try:
                hub.start()
                until(lambda: len(hub.entities()), lambda count: count >= 2 * LANES, within=60)  # noqa: B023 - called here
                yield from _measure(broker, qos)
            finally:
                hub.close()
                broker.stop()


def _site(folder: Path, broker: Broker, qos: int) -> Path:
    site = folder / "site"
    (site / "rules").mkdir(parents=True)
    shutil.copytree(PLUGINS, site / "integrations")
    lanes = {
        f"lane_{number}": {
            "kind": "fire_lane",
            "name": f"通道{number}",
            "bind": {"vehicle": f"mqtt_discovery.lane_{number}_vehicle", "light": f"bench_relay.relay_{number}"},
        }
        for number in range(LANES)
    }
    relays = {"name": "测速", "port": broker.port, "count": LANES, "qos": qos}
    hub = {
        "site": {"id": "bench", "name": "测速"},
        "mqtt": {"url": broker.url},
        "zones": lanes,
        "integrations": {"mqtt_discovery": {}},
        "devices": {"bench_relay": {"all": relays}},
    }
    (site / "hub.yaml").write_text(json.dumps(hub, ensure_ascii=False), "utf-8")
    for number in range(LANES):
        for word, opposite in (("present", "absent"), ("absent", "present")):
            text = RULE.format(word=word, opposite=opposite, number=number)
            (site / "rules" / f"{word}_{number}.yaml").write_text(text, "utf-8")
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for number in range(LANES):
        client.publish(*Lane(broker.port, f"lane_{number}").configuration(), qos=1, retain=True).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()
    return site / "hub.yaml"


class Ends:
    """Sends states of lanes and hears their relays."""

    def __init__(self, broker: Broker, qos: int) -> None:
        self.heard = 0
        self.late: list[float] = []
        self.refill = 0
        self._lanes = [Lane(broker.port, f"lane_{number}") for number in range(LANES)]
        self._due: dict[str, float] = {}
        self._sent = 0
        self._qos = qos
        self._lock = threading.Lock()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.max_inflight_messages_set(10_000)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", broker.port)
        self._client.subscribe("out/#", 0)
        self._client.loop_start()

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, due: float) -> None:
        """Send the next state: each lane in turn, the other one each time around."""
        with self._lock:
            turn, number = divmod(self._sent, LANES)
            self._sent += 1
            self._due[f"out/{number}"] = due
        lane = self._lanes[number]
        self._client.publish(lane.topic, lane.state(occupied=turn % 2 == 0), self._qos)

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        with self._lock:
            due = self._due.pop(message.topic, None)
            self.heard += 1
            if due is not None:
                self.late.append(time.monotonic() - due)
            again = self.refill > 0
            self.refill -= again
        if again:
            self.send(time.monotonic())


def _measure(broker: Broker, qos: int) -> Iterator[Figure]:
    ends = Ends(broker, qos)
    try:
        for _ in range(LANES):  # every lane is heard of once
            ends.send(time.monotonic())
            time.sleep(0.002)
        until(lambda: ends.heard, lambda heard: heard >= LANES, within=30)
        ends.heard, ends.refill = 0, 1_000_000
        began = time.monotonic()
        for _ in range(OUTSTANDING):
            ends.send(time.monotonic())
        time.sleep(SECONDS)
        rate = ends.heard / (time.monotonic() - began)
        ends.refill = 0
        note = f"QoS {qos}, {2 * LANES} rules, {OUTSTANDING} on their way, journal FULL"
        yield Figure("mqtt", f"mqtt.loop_rate@qos{qos}", round(rate), "/s", ends.heard, note)
        time.sleep(1)
        for offered in RATES:
            ends.late.clear()
            began = time.monotonic()
            for number in range(offered * SECONDS):
                due = began + number / offered
                time.sleep(max(0.0, due - time.monotonic()))
                ends.send(due)
            time.sleep(1)
            for part, word in ((0.5, "p50"), (0.99, "p99")):
                value = round(percentile(ends.late, part) * 1_000, 2)
                yield Figure("mqtt", f"mqtt.{word}_ms@{offered}@qos{qos}", value, "ms", len(ends.late), "due → heard")
    finally:
        ends.close()
