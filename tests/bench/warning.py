"""From a message to the first packet of the warning: real Mosquitto, real hub, QoS 1, open loop.

Background readings of 1,000 sensors are offered at a fixed rate; among them cars come and go on 20 lanes under a rule
without ``for``. A latency counts from the moment at which the message was due to be sent, so a slow hub cannot hide
behind a slow sender, to the first RTP packet at the loudspeaker's socket.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.ears import Ears
from tests.bench.figure import Figure, percentile
from tests.kit.broker import Broker, find_mosquitto
from tests.kit.generator import Generator
from tests.kit.hub import HubProcess
from tests.kit.mqtt import Lane
from tests.kit.site import Ends, write_site
from tests.kit.wait import until

BENCH = "warning"
RATES = (100, 1_000)
SENSORS, LANES, SECONDS, STARTS = 1_000, 20, 30, 5
#: Seconds between two cars on one lane, and how long each stays; a lane is calm again when the next one comes.
EVERY, STAYS = 2.0, 1.0
RULE = (
    "rule: at_once\nzones: {kind: fire_lane}\ntrigger: {vehicle: present}\nactions: [{say: beep}]\n"
    "clear: {vehicle: absent, actions: []}\n"
)


def figures() -> Iterator[Figure]:
    """Measure; raises RuntimeError where Mosquitto is missing."""
    if find_mosquitto() is None:
        raise RuntimeError("mosquitto is not installed: there is nothing to measure through")
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as name:
        folder = Path(name)
        broker = Broker(folder / "broker", extra=("max_queued_messages 100000", "max_inflight_messages 20000"))
        broker.start()
        try:
            with Ears(LANES) as ears:
                lanes = [Lane(broker.port, f"lane_{number}") for number in range(LANES)]
                hub = HubProcess(_site(folder, broker, ears, lanes), folder / "data")
                try:
                    yield from _measure(hub, broker, ears, lanes)
                finally:
                    hub.close()
        finally:
            broker.stop()


def _site(folder: Path, broker: Broker, ears: Ears, lanes: list[Lane]) -> Path:
    names = tuple(lane.name for lane in lanes)
    config = write_site(folder / "site", {"url": broker.url}, Ends(rtp=1), lanes=names)
    site = json.loads(config.read_text("utf-8"))
    for name, port in zip(names, ears.ports, strict=True):
        site["devices"]["rtp_speaker"][name]["port"] = port
    config.write_text(json.dumps(site, ensure_ascii=False), "utf-8")
    (config.parent / "rules" / "at_once.yaml").write_text(RULE, "utf-8")
    return config


def _measure(hub: HubProcess, broker: Broker, ears: Ears, lanes: list[Lane]) -> Iterator[Figure]:
    hub.start()
    with Generator(broker.port) as farm:
        for lane in lanes:
            farm.send(*lane.configuration(), retain=True)
        for number in range(SENSORS):
            farm.send(f"homeassistant/sensor/meter_{number}/config", _meter(number), retain=True)
        farm.flush()
        until(lambda: len(hub.entities()), lambda count: count >= SENSORS + 2 * LANES, within=60)
        yield Figure(BENCH, "hub RSS, 1,000 sensors known", _resident(hub), "MB", 1)
        for rate in RATES:
            yield from _offer(farm, ears, lanes, rate)
    yield Figure(BENCH, "hub RSS after the load", _resident(hub), "MB", 1)
    hub.terminate()
    starts = []
    for _ in range(STARTS):
        began = time.monotonic()
        hub.start()
        starts.append(time.monotonic() - began)
        hub.kill()
    note = f"p50; {SENSORS + LANES} entities in the journal, after kill -9"
    yield Figure(BENCH, "start to ready", round(statistics.median(starts), 3), "s", STARTS, note)


def _offer(farm: Generator, ears: Ears, lanes: list[Lane], rate: int) -> Iterator[Figure]:
    """Offer ``rate`` messages a second for ``SECONDS``."""
    for heard in ears.began:
        heard.clear()
    due: list[list[float]] = [[] for _ in lanes]
    visits = sorted(
        (at + offset, number, occupied)
        for number in range(len(lanes))
        for turn in range(int(SECONDS / EVERY))
        for at, occupied in (
            ((turn + number / len(lanes)) * EVERY, True),
            ((turn + number / len(lanes)) * EVERY + STAYS, False),
        )
        for offset in (0.5,)
    )
    began, sent, late = time.monotonic() + 0.2, 0, 0.0
    total = rate * SECONDS
    while sent < total:
        at = sent / rate
        while visits and visits[0][0] <= at:
            when, number, occupied = visits.pop(0)
            _sleep_until(began + when)
            if occupied:
                due[number].append(began + when)
            farm.send(lanes[number].topic, lanes[number].state(occupied=occupied))
            sent += 1
        _sleep_until(began + at)
        late = max(late, time.monotonic() - began - at)
        farm.send(f"meter/{sent % SENSORS}", f'{{"value": {sent}.5}}')
        sent += 1
    for _, number, occupied in visits:
        if not occupied:
            farm.send(lanes[number].topic, lanes[number].state(occupied=False))
    farm.flush()
    until(lambda: sum(map(len, ears.began)), lambda count: count >= sum(map(len, due)), within=30)
    latencies = [
        (heard - wanted) * 1_000
        for lane_due, lane_heard in zip(due, ears.began, strict=True)
        for wanted, heard in zip(lane_due, lane_heard, strict=True)
    ]
    note = f"message due to first RTP packet; sender at most {late * 1_000:.0f} ms late"
    for part, label in ((0.5, "p50"), (0.99, "p99"), (1.0, "max")):
        value = round(percentile(latencies, part), 1)
        yield Figure(BENCH, f"{label} at {rate:,} messages/s", value, "ms", len(latencies), note)


def _sleep_until(at: float) -> None:
    time.sleep(max(0.0, at - time.monotonic()))


def _meter(number: int) -> str:
    config = {
        "name": f"meter {number}",
        "unique_id": f"meter_{number}",
        "state_topic": f"meter/{number}",
        "unit_of_measurement": "L",
        "value_template": "{{ value_json.value }}",
    }
    return json.dumps(config)


def _resident(hub: HubProcess) -> float:
    for line in Path(f"/proc/{hub.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0
