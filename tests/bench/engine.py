"""How many readings the engine decides in a second of CPU time, in memory, as the number of rules grows.

Home Assistant decides 3,800 to 6,100 automation runs and takes 172,000 to 214,000 writes that match no automation per
CPU second, and pauses for 300 to 1,500 ms in its garbage collector (PEERS.md 1.1, 1.3): the same layout is used here,
1,000 entities, two opposite rules on each (ten and a hundred with more rules), every write fires one of a pair.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator

from hub.engine.program import Program
from hub.engine.rule import Clear, Rule, Trigger
from hub.engine.state import EngineState
from hub.engine.step import step
from hub.engine.terms import Is
from hub.model.decision import Capture, Opened
from hub.model.ids import EntityId, RuleId, SiteId, ZoneId
from hub.model.reading import Presence, Quality, Reading
from hub.model.site import Role, Site, Zone, ZoneKind
from hub.model.text import Text
from hub.model.time import Duration, Instant
from tests.bench.figure import Figure

ENTITIES = 1_000
SIZES = (10, 100, 1_000, 10_000, 100_000)
#: Rule runs that are measured for each size, and readings that match no rule.
RUNS, WRITES = 60_000, 400_000
PAIR = (Presence.PRESENT, Presence.ABSENT)


def site(entities: int) -> Site:
    """Return a site with one zone for each entity."""
    zones = {
        name: Zone(name, ZoneKind.FIRE_LANE, Text(name), bind={Role.VEHICLE: (entity(number),)})
        for number in range(entities)
        for name in (ZoneId(f"lane_{number}"),)
    }
    return Site(SiteId("bench"), Text("bench"), "Asia/Shanghai", {}, zones, {}, {})


def entity(number: int) -> EntityId:
    """Name an entity."""
    return EntityId(f"bench.car_{number}")


def rules(count: int, entities: int) -> tuple[Rule, ...]:
    """Return rules in opposite pairs, spread over the zones: whatever is written fires one of each pair."""
    found = []
    for number in range(count):
        value, opposite = PAIR if number % 2 == 0 else PAIR[::-1]
        found.append(
            Rule(
                id=RuleId(f"rule_{number}"),
                name=Text("bench"),
                zone_kind=ZoneKind.FIRE_LANE,
                only=(ZoneId(f"lane_{number // 2 % entities}"),),
                trigger=Trigger(Is(Role.VEHICLE, value), Duration(0)),
                actions=(Capture(),),
                clear=Clear(Is(Role.VEHICLE, opposite), Duration(0), ()),
            )
        )
    return tuple(found)


class Machine:
    """A program with its state, and a clock that goes on by a microsecond a write."""

    def __init__(self, count: int, entities: int = ENTITIES) -> None:
        self.program = Program(rules(count, entities), site(entities))
        self.state = EngineState()
        self.now = 1_000_000_000_000
        self.turns = 0
        self.names = [entity(number) for number in range(min(entities, max(1, count // 2)))]

    def turn(self, names: list[EntityId] | None = None) -> int:
        """Write to every entity once; return how many rules fired."""
        value, fired = PAIR[self.turns % 2], 0
        self.turns += 1
        for name in self.names if names is None else names:
            self.now += 1
            at = Instant(self.now)
            change = step(self.program, self.state, Reading(name, value, Quality.GOOD, at), at)
            self.state.apply(change)
            for decision in change.decisions:
                fired += type(decision) is Opened
        return fired


def figures() -> Iterator[Figure]:
    """Measure each size, the readings that match nothing, and the collector's pauses."""
    rates = {}
    for size in SIZES:
        rates[size] = _match_rate(size)
        yield Figure(
            "engine",
            f"engine.match_rate@{size}",
            round(rates[size]),
            "/s",
            RUNS,
            "runs per CPU second, each with its trace",
        )
    note = "as at 1,000 rules, where Home Assistant does 3,804; want 76,000"
    yield Figure("engine", "engine.match_rate", round(rates[1_000]), "/s", RUNS, note)
    flatness = max(rates.values()) / min(rates.values())
    yield Figure("engine", "engine.match_flatness", round(flatness, 2), "x", len(SIZES), "fastest/slowest; want 1.3")
    rate = _nomatch_rate()
    yield Figure("engine", "engine.nomatch_rate", round(rate), "/s", WRITES, "10,000 rules on others; want 400,000")
    yield from _pauses()


def _match_rate(size: int) -> float:
    machine = Machine(size)
    for _ in range(4):
        machine.turn()  # closures are made when they are first needed
    gc.collect()
    gc.freeze()
    began, fired = time.process_time(), 0
    while fired < RUNS:
        fired += machine.turn()
    spent = time.process_time() - began
    gc.unfreeze()
    return fired / spent


def _nomatch_rate() -> float:
    machine = Machine(10_000)
    others = [EntityId(f"bench.other_{number}") for number in range(ENTITIES)]
    began, turns = time.process_time(), WRITES // ENTITIES
    for _ in range(turns):
        machine.turn(others)
    return turns * ENTITIES / (time.process_time() - began)


def _pauses() -> Iterator[Figure]:
    """Run 10,000 rules over 100,000 entities and note how long the collector stops everything."""
    machine = Machine(10_000)
    others = [EntityId(f"bench.other_{number}") for number in range(100_000)]
    machine.turn(others)
    machine.turn()
    gc.collect()
    gc.freeze()  # as hub.app does when it is ready
    pauses: list[float] = []
    began = 0.0

    def note(phase: str, _info: dict[str, int]) -> None:
        nonlocal began
        if phase == "start":
            began = time.perf_counter()
        else:
            pauses.append(time.perf_counter() - began)

    gc.callbacks.append(note)
    try:
        for _ in range(10):
            machine.turn(others)
            machine.turn()
    finally:
        gc.callbacks.remove(note)
        gc.unfreeze()
    worst = max(pauses, default=0.0) * 1_000
    yield Figure("engine", "engine.gc_max_ms", round(worst, 2), "ms", len(pauses), "10,000 rules, 100,000 entities")
