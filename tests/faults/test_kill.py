"""kill -9 at every named place and at random moments: one warning for each car, none lost, none twice (F1, F2)."""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import pytest

from hub.failpoint import POINTS
from hub.sdk.rtp import Stream
from tests.kit.broker import Broker
from tests.kit.generator import Generator
from tests.kit.hub import READY, HubProcess, MakeHub
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.served import Waiting
from tests.kit.sims import Speaker
from tests.kit.site import Ends, short_rule, write_site
from tests.kit.store import outcomes, rows, says, undone, whole
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

#: Cars at one time, rounds, and kills in each. With what test_storm and test_flood_and_timers kill, an ordinary run has
#: the 50 of F1; a long one (SOAK_KILLS) has two halves here.
LANES, ROUNDS, KILLS = 10, 5, 5
HALVES = [1, 2] if os.environ.get("SOAK_KILLS") else [1]
#: The rule's limit, and the seconds after which the warning must be heard once it is due and the hub is up.
LIMIT, PROMPT = 1.0, 3.0
#: As the hub's own broker has it: a hub that is away must not make the broker drop anything.
QUEUES = ("max_queued_messages 100000", "max_inflight_messages 20000")


@dataclass
class Campaign:
    """One hub under fire, and the truth about the cars."""

    hub: HubProcess
    speaker: Speaker
    cars: Generator
    lanes: list[Lane]
    chance: random.Random
    reached: dict[str, int] = field(default_factory=lambda: dict.fromkeys(POINTS, 0))
    kills: int = 0
    since: dict[str, float] = field(default_factory=dict)
    """Wall time at which the car came, by lane."""

    def arrive(self, lanes: list[Lane]) -> None:
        for lane in lanes:
            self.since[lane.name] = time.time()
            self.cars.send(lane.topic, lane.state(occupied=True))
        self.cars.flush()

    def life(self, point: str, passages: int) -> None:
        """Live until the fail point, or be killed at a random moment where it is not passed any more."""
        passage = self.chance.randint(1, passages)
        self.hub.start(wait=False, env={"MENSHEN_FAILPOINT": f"{point}:{passage}"})
        until(lambda: self.hub.said("hub.ready") or not self.hub.running, within=READY)  # some places lie before it
        code = self.hub.ended(1.5 + self.chance.random())
        if code is None:
            self.hub.kill()
        else:
            assert code == -signal.SIGKILL, self.hub.words()
            self.reached[point] += 1
        self.kills += 1


@pytest.mark.parametrize("half", HALVES)
def test_one_warning_for_each_car_whenever_the_hub_dies(half: int, tmp_path: Path, hub_of: MakeHub) -> None:
    need_mosquitto()
    seed = int(os.environ.get("MENSHEN_TEST_SEED", "0")) or random.SystemRandom().getrandbits(32)
    print(f"seed {seed}: replay with MENSHEN_TEST_SEED={seed}")  # noqa: T201 - shown when the test fails
    broker = Broker(tmp_path / "broker", extra=QUEUES)
    broker.start()
    try:
        with Speaker(tmp_path) as speaker, Generator(broker.port) as cars:
            lanes = [Lane(broker.port, f"lane_{number}") for number in range(LANES)]
            names = tuple(lane.name for lane in lanes)
            config = write_site(tmp_path / "site", {"url": broker.url}, Ends(rtp=speaker.ports["rtp"]), lanes=names)
            short_rule(config, f"{LIMIT:g} s", clear="300 ms")
            hub = hub_of(config)
            hub.start()
            for lane in lanes:
                cars.send(*lane.configuration(), retain=True)
            until(lambda: len(hub.entities()), lambda count: count >= LANES * 2, what="all lanes known")
            campaign = Campaign(hub, speaker, cars, lanes, random.Random(seed + half))
            points = [*POINTS] * (ROUNDS * (KILLS - 1) // len(POINTS))
            campaign.chance.shuffle(points)
            for number in range(ROUNDS):
                run_round(campaign, number, points[number * (KILLS - 1) : (number + 1) * (KILLS - 1)])
            assert campaign.kills == ROUNDS * KILLS
            rounds = ROUNDS
            for point in [name for name, count in campaign.reached.items() if not count]:
                run_round(campaign, rounds, [point])  # by chance it was not passed so far: the first thing that is
                rounds += 1
            assert min(campaign.reached.values()) >= 1, f"a place was never reached: {campaign.reached}"
            print(f"killed {campaign.kills} times, at named places {campaign.reached}")  # noqa: T201 - shown when the test fails
            check_journal(campaign, rounds * LANES)
    finally:
        broker.stop()


def run_round(campaign: Campaign, number: int, points: list[str]) -> None:
    """Cars come, some while the hub is up and some while it is down; it dies five times; then all is told right."""
    hub, chance = campaign.hub, campaign.chance
    campaign.since.clear()
    first, *later = deal(campaign.lanes, chance)
    arriving = Waiting()
    campaign.arrive(first)
    until(lambda: [hub.phase(lane.name, "short") for lane in first], lambda phases: "pending" in phases or all(phases))
    heard_late = arriving.owed
    time.sleep(chance.random() * 0.8)  # a random moment of the running `for`
    hub.kill()
    campaign.kills += 1
    for point, group in zip_longest(points, later, fillvalue=None):
        campaign.arrive(group or [])
        if point is not None:
            campaign.life(point, passages=1 if len(points) == 1 else 2 if point.startswith("command") else 6)
    hub.start()
    ready, waiting = time.time(), Waiting()
    expected = (number + 1) * LANES
    heard = until(campaign.speaker.begun, lambda said: len(said) >= expected, within=PROMPT + 6)
    until(lambda: undone(hub.data), lambda left: left == 0, within=8, what="nothing left to do")
    check_times(campaign, heard[-LANES:], ready + waiting.owed, first, heard_late)
    for lane in campaign.lanes:
        campaign.cars.send(lane.topic, lane.state(occupied=False))
    campaign.cars.flush()
    states = until(
        lambda: [incident["state"] for incident in hub.incidents()], lambda found: "open" not in found, within=8
    )
    assert len(states) == len(campaign.speaker.begun()) == expected


def deal(lanes: list[Lane], chance: random.Random) -> list[list[Lane]]:
    """Six cars come before the first kill, two after it, two after the next."""
    shuffled = chance.sample(lanes, len(lanes))
    return [shuffled[:6], shuffled[6:8], shuffled[8:]]


def check_times(
    campaign: Campaign, said: list[dict[str, float]], ready: float, first: list[Lane], heard_late: float
) -> None:
    """No warning before its time, none later than promised once the hub was up again; lateness is told as it was."""
    due = {lane: since + LIMIT for lane, since in campaign.since.items()}
    latest = max(ready, *due.values())
    for utterance in said:
        assert utterance["started_at"] >= min(due.values()) - 0.05
        assert utterance["started_at"] <= latest + PROMPT
    newest = "SELECT zone, opened_at, late_by FROM activations ORDER BY opened_at DESC LIMIT ?"
    for zone, opened_at, late_by in rows(campaign.hub.data, newest, LANES):
        opened, late = opened_at / 1e6, late_by / 1e6
        assert opened >= due[zone] - 0.05
        if zone in {lane.name for lane in first}:  # they were heard at once, so the hub knows when they came
            assert abs(late - (opened - due[zone])) <= 0.75 + heard_late, (
                f"late by {late} s, truly {opened - due[zone]} s"
            )


def check_journal(campaign: Campaign, cars: int) -> None:
    """Every car has one activation, one incident, one voice; a repeat is known as one, and has its first one's SSRC."""
    data = campaign.hub.data
    assert campaign.hub.terminate()[0] == 0
    whole(data)
    assert rows(data, "SELECT COUNT(*), COUNT(DISTINCT activation) FROM incidents") == [(cars, cars)]
    assert rows(data, "SELECT COUNT(*) FROM activations") == [(cars,)]
    sources = {Stream.of(key).ssrc: key for key in says(data)}  # type: ignore[arg-type]  # a key is a text
    assert len(sources) == cars
    heard = campaign.speaker.heard()
    assert sorted(utterance["ssrc"] for utterance in campaign.speaker.begun()) == sorted(sources)
    told = outcomes(data)
    repeats = 0
    for utterance in heard:
        story = told[sources[utterance["ssrc"]]]
        assert [outcome["status"] for outcome in story].count("done") == 1
        assert story[-1]["status"] == "done"
        assert utterance["repeats"] <= KILLS
        if utterance["repeats"]:
            assert story[-1]["repeated"], "it was said again and nobody was told"
            repeats += 1
    print(f"{len(heard)} warnings, {repeats} of them repeated and marked so")  # noqa: T201 - shown when the test fails
