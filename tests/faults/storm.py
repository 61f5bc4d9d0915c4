"""One storm: generator, broker, hub and loudspeaker as processes of their own, and faults chosen by the test."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.faults.oracle import Verdict, judge, ledger
from tests.kit.broker import Broker
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.mqtt import need_mosquitto
from tests.kit.sims import Speaker
from tests.kit.site import Ends, short_rule, write_site
from tests.kit.store import rows, undone
from tests.kit.wait import until

#: Devices and messages per second of RELIABILITY.md F1.
LANES, METERS, RATE = 20, 280, 200
#: The rule's limit in seconds: many times a car's moment.
LIMIT = 1.0
#: As the hub's own broker has it: a hub that is away must not make the broker drop anything.
QUEUES = ("max_queued_messages 100000", "max_inflight_messages 20000")


def seed() -> int:
    """Return the seed of this run, printed so that a failure can be repeated."""
    chosen = int(os.environ.get("MENSHEN_TEST_SEED", "0")) or random.SystemRandom().getrandbits(32)
    print(f"seed {chosen}: replay with MENSHEN_TEST_SEED={chosen}")  # noqa: T201 - shown when the test fails
    return chosen


@dataclass
class Storm:
    """What a test needs of it."""

    config: Path
    hub: HubProcess
    broker: Broker
    speaker: Speaker
    ledger: Path
    chance: random.Random
    farm: subprocess.Popen[str]

    def tell(self, word: str) -> int:
        """Have the generator do something; return how many messages it has sent, all acknowledged."""
        assert self.farm.stdin is not None
        assert self.farm.stdout is not None
        self.farm.stdin.write(word + "\n")
        self.farm.stdin.flush()
        answer = self.farm.stdout.readline()
        assert answer, "the generator has died"
        return int(json.loads(answer)["sent"])

    def begin(self) -> None:
        """Start the hub, have it know all devices, and let the traffic begin."""
        self.hub.start()
        self.tell("announce")
        until(lambda: len(self.hub.entities()), lambda count: count >= LANES + METERS, within=20, what="all known")
        # what is said on a topic before the broker has it from the hub, it keeps for nobody
        until(lambda: self.hub.waiting()["topics"], lambda count: count == 0, within=20, what="all confirmed")
        self.tell("begin")

    def end(self, within: float = 30) -> Verdict:
        """End traffic and faults; wait until all that had to be said is said, let the cars leave, and judge."""
        self.tell("calm")
        stays = LANES // 2
        # the incident, not the warning: what the hub fails to say is for the judge to find
        until(lambda: self._count("incidents"), lambda count: count >= stays, within=within, what="all incidents")
        until(lambda: undone(self.hub.data), lambda left: left == 0, within=within, what="nothing left to do")
        self.tell("leave")
        sent = ledger(self.ledger)
        until(self._open, lambda count: count == 0, within=within, what="all incidents closed")
        kept = "SELECT COUNT(*) FROM readings WHERE value IS NOT NULL"
        with contextlib.suppress(AssertionError):  # how many are missing is for the judge to say
            until(lambda: rows(self.hub.data, kept)[0][0], lambda count: count >= len(sent), within=5)
        assert self.hub.terminate()[0] == 0
        verdict = judge(self.config, self.hub.data, sent, self.speaker)
        print(verdict)  # noqa: T201 - shown when the test fails, and by `make soak`
        return verdict

    def _count(self, table: str) -> int:
        return int(rows(self.hub.data, f"SELECT COUNT(*) FROM {table}")[0][0])  # noqa: S608 - the test's own word

    def _open(self) -> int:
        return int(rows(self.hub.data, "SELECT COUNT(*) FROM incidents WHERE state <> 'closed'")[0][0])


@contextlib.contextmanager
def storm(tmp_path: Path, hub_of: MakeHub, number: int, *, persistent: bool = False) -> Iterator[Storm]:
    """Lend everything but the faults."""
    need_mosquitto()
    tmp_path.mkdir(parents=True, exist_ok=True)
    broker = Broker(tmp_path / "broker", persistent=persistent, extra=QUEUES)
    broker.start()
    with contextlib.ExitStack() as stack:
        stack.callback(broker.stop)
        speaker = stack.enter_context(Speaker(tmp_path))
        names = tuple(f"lane_{lane}" for lane in range(LANES))
        config = write_site(tmp_path / "site", {"url": broker.url}, Ends(rtp=speaker.ports["rtp"]), lanes=names)
        short_rule(config, f"{LIMIT:g} s", clear="300 ms")
        path = tmp_path / "farm.jsonl"
        options = {"port": broker.port, "ledger": path, "lanes": LANES, "meters": METERS, "rate": RATE, "seed": number}
        farm = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.farm", *(f"--{name}={value}" for name, value in options.items())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.enter_context(farm)  # closes its pipes and waits for its end
        stack.callback(farm.kill)
        yield Storm(config, hub_of(config), broker, speaker, path, random.Random(number), farm)
