"""The generator of the storm: a process that sends like a community and keeps an fsynced ledger of what it sent.

It obeys lines on its standard input: ``calm`` ends the traffic, ``repeat`` has every lane say whether a car stands in
it, ``leave`` drives every car away. After each it waits until the broker has acknowledged everything, and says how much
with one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.kit.mqtt import Lane

#: A car that only stops for a moment stays so long, in seconds: far below every limit of the storm's rules.
MOMENT = 0.1
#: Seconds after which all cars that stay have come.
ARRIVALS = 5.0


@dataclass(frozen=True)
class Meter:
    """A device that only counts: what telemetry is made of."""

    number: int

    @property
    def entity(self) -> str:
        return f"mqtt_discovery.meter_{self.number}"

    @property
    def topic(self) -> str:
        return f"meter/{self.number}"

    def configuration(self) -> tuple[str, str]:
        """Return topic and payload of the discovery message."""
        config = {
            "name": f"水表 {self.number}",
            "unique_id": f"meter_{self.number}",
            "state_topic": self.topic,
            "unit_of_measurement": "L",
        }
        return f"homeassistant/sensor/meter_{self.number}/config", json.dumps(config)


class Sender:
    """Sends at QoS 1; every message and every acknowledgement is a line of the ledger."""

    def __init__(self, port: int, ledger: IO[bytes]) -> None:
        self._ledger = ledger
        self._numbers: dict[int, int] = {}
        """Messages under way, by packet identifier; identifiers are used again."""
        self._taken: deque[int] = deque()
        self._sent = 0
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"farm-{os.getpid()}", clean_session=False)
        self._client.max_inflight_messages_set(1_000)
        self._client.reconnect_delay_set(1, 1)
        # only noted: paho calls it with its own locks held, which ``publish`` needs
        self._client.on_publish = lambda _, __, mid, *___: self._taken.append(mid)
        self._client.connect("127.0.0.1", port, keepalive=5)
        self._client.loop_start()

    def send(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Write one message down and send it."""
        self._note()
        self._sent += 1
        at = time.time_ns() // 1_000
        self._write({"n": self._sent, "at": at, "topic": topic, "payload": payload, "retain": retain})
        self._numbers[self._client.publish(topic, payload, qos=1, retain=retain).mid] = self._sent

    def flush(self) -> int:
        """Wait until all is acknowledged and on the disk; return how many messages that is."""
        while self._numbers:
            self._note()
            time.sleep(0.01)
        self._ledger.flush()
        os.fsync(self._ledger.fileno())
        return self._sent

    def _note(self) -> None:
        """Write down what the broker has acknowledged."""
        while self._taken:
            self._write({"acknowledged": self._numbers.pop(self._taken.popleft())})

    def _write(self, line: dict[str, Any]) -> None:
        self._ledger.write(json.dumps(line).encode() + b"\n")


class Farm:
    """Cars that stay, cars that stop for a moment, and meters."""

    def __init__(self, sender: Sender, lanes: list[Lane], meters: list[Meter], rate: float, seed: int) -> None:
        self._sender = sender
        self._lanes, self._meters = lanes, meters
        self._rate = rate
        self._chance = random.Random(seed)
        self._calm = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def announce(self) -> None:
        """Tell the hub of all devices."""
        devices: list[Lane | Meter] = [*self._lanes, *self._meters]
        for device in devices:
            self._sender.send(*device.configuration(), retain=True)

    def begin(self) -> None:
        """Begin to send."""
        self._thread.start()

    def calm(self) -> None:
        """Send no more."""
        self._calm.set()
        self._thread.join()

    def repeat(self) -> None:
        """Every lane says again how it is, now that all have come who stay."""
        for number, lane in enumerate(self._lanes):
            self._sender.send(lane.topic, lane.state(occupied=number % 2 == 0))

    def leave(self) -> None:
        """Every car drives away."""
        for lane in self._lanes:
            self._sender.send(lane.topic, lane.state(occupied=False))

    def _plan(self) -> list[tuple[float, Lane, bool]]:
        """Return who comes and goes when: every car stops for a moment first, every second one comes to stay."""
        plan = []
        for number, lane in enumerate(self._lanes):
            moment = self._chance.uniform(0, ARRIVALS - 1)
            plan += [(moment, lane, True), (moment + MOMENT, lane, False)]
            if number % 2 == 0:
                plan.append((self._chance.uniform(moment + 2 * MOMENT, ARRIVALS), lane, True))
        return sorted(plan, key=lambda event: event[0])

    def _run(self) -> None:
        began, sent, plan = time.monotonic(), 0, self._plan()
        counts = dict.fromkeys(self._meters, 0)
        while not self._calm.is_set() or plan:
            while plan and plan[0][0] <= time.monotonic() - began:
                _, lane, occupied = plan.pop(0)
                self._sender.send(lane.topic, lane.state(occupied=occupied))
            if not self._calm.is_set():
                meter = self._chance.choice(self._meters)
                counts[meter] += 1
                self._sender.send(meter.topic, str(counts[meter]))
                sent += 1
            time.sleep(max(0.0, min(began + sent / self._rate - time.monotonic(), 0.05)))


def main() -> None:
    """Send until the standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ledger", type=Path, required=True)
    parser.add_argument("--lanes", type=int, required=True)
    parser.add_argument("--meters", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    asked = parser.parse_args()
    with asked.ledger.open("ab") as ledger:
        sender = Sender(asked.port, ledger)
        lanes = [Lane(asked.port, f"lane_{number}") for number in range(asked.lanes)]
        farm = Farm(sender, lanes, [Meter(number) for number in range(asked.meters)], asked.rate, asked.seed)
        words = {word: getattr(farm, word) for word in ("announce", "begin", "calm", "repeat", "leave")}
        for line in sys.stdin:
            word = line.strip()
            words[word]()
            done = 0 if word == "begin" else sender.flush()
            print(json.dumps({"done": word, "sent": done}), flush=True)  # noqa: T201 - answers its parent


if __name__ == "__main__":
    main()
