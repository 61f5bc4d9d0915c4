"""Many devices that die of one cause are one incident (DOMAIN.md, rule R12), with the rules as they are shipped."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hub.config.yaml import load, loads
from hub.engine.parse import RuleParser
from hub.engine.program import Program
from hub.engine.rule import Rule
from hub.engine.state import EngineState, Step
from hub.engine.step import step, wake
from hub.model.activation import Phase, SlotKey
from hub.model.decision import IncidentClosed, IncidentOpened
from hub.model.ids import EntityId, RuleId, SiteId, ZoneId
from hub.model.reader import Reader
from hub.model.reading import Presence, Quality, Reading
from hub.model.site import Contact, Role, Site, Zone, ZoneKind
from hub.model.text import Text
from hub.model.time import HOUR, MINUTE, Instant

RULES = Path(__file__).parents[3] / "rules"
LANES, UPLINKS = 1_000, 10
START = Instant(1_760_000_000_000_000)


def uplink(number: int) -> ZoneId:
    return ZoneId(f"uplink_{number}")


def lane(number: int) -> Zone:
    name = ZoneId(f"lane_{number}")
    supplies = (ZoneId("mains"), uplink(number % UPLINKS))
    return Zone(name, ZoneKind.FIRE_LANE, Text(name), bind={Role.VEHICLE: (sensor(number),)}, supplied_by=supplies)


def sensor(number: int) -> EntityId:
    return EntityId(f"sim.sensor_{number}")


def supply(name: ZoneId, numbers: range, *above: ZoneId) -> Zone:
    bind = {Role.DEVICE: tuple(sensor(number) for number in numbers)}
    return Zone(name, ZoneKind.SUPPLY, Text(name), bind=bind, supplied_by=above)


class Estate:
    """A thousand lanes on one power line and ten uplinks, under a virtual clock."""

    def __init__(self) -> None:
        zones = [lane(number) for number in range(LANES)]
        zones += [supply(uplink(number), range(number, LANES, UPLINKS), ZoneId("mains")) for number in range(UPLINKS)]
        zones.append(supply(ZoneId("mains"), range(LANES)))
        contacts = {"guard": Contact("guard", Text("保安"), "http://127.0.0.1:9/x")}
        site = Site(SiteId("s"), Text("s"), "Asia/Shanghai", {}, {zone.id: zone for zone in zones}, contacts, {})
        reader = Reader()
        read = [
            RuleParser(reader, site).rule(load(RULES / f"{name}.yaml", name))
            for name in ("device_silent", "supply_silent")
        ]
        assert reader.findings == []
        self.program = Program(tuple(rule for rule in read if isinstance(rule, Rule)), site)
        self.state = EngineState()
        self.now = START
        self.incidents: Counter[ZoneId] = Counter()

    def _take(self, made: Step) -> None:
        self.state.apply(made)
        for decision in made.decisions:
            self.incidents[decision.zone] += isinstance(decision, IncidentOpened)
            self.incidents[decision.zone] -= isinstance(decision, IncidentClosed)

    def hear(self, numbers: range) -> None:
        for number in numbers:
            reading = Reading(sensor(number), Presence.ABSENT, Quality.GOOD, self.now)
            self._take(step(self.program, self.state, reading, self.now))

    def wait(self, time: int) -> None:
        end = Instant(self.now + time)
        while (due := self.state.next_wake()) is not None and due <= end:
            self.now = max(self.now, due)
            key = self.state.take_due(self.now)
            assert key is not None
            self._take(wake(self.program, self.state, key, self.now))
        self.now = end

    @property
    def open(self) -> set[str]:
        return {zone for zone, count in self.incidents.items() if count}


def test_a_power_cut_is_one_incident_and_not_a_thousand() -> None:
    estate = Estate()
    for beat in range(13):  # each sensor once in 13 h, as they do
        estate.hear(range(beat, LANES, 13))
        estate.wait(HOUR)
    estate.wait(40 * HOUR)
    assert estate.open == {"mains"}
    slot = estate.state.slots[SlotKey(RuleId("device_silent"), ZoneId("lane_7"))]
    assert slot.phase is Phase.PENDING, "held back, and it can be asked why"


def test_an_uplink_is_one_incident_and_the_others_go_on() -> None:
    estate = Estate()
    estate.hear(range(LANES))
    for _ in range(32):
        estate.wait(HOUR)
        for alive in range(3):
            estate.hear(range(alive, LANES, UPLINKS))
    assert estate.open == {uplink(number) for number in range(3, UPLINKS)}


def test_one_sensor_that_dies_alone_is_told_of() -> None:
    estate = Estate()
    estate.hear(range(LANES))
    for _ in range(29):
        estate.wait(HOUR)
        estate.hear(range(1, LANES))
    assert estate.open == {"lane_0"}


def test_a_sensor_that_stays_dead_when_its_supply_is_back_is_told_of_within_the_time_of_the_supply() -> None:
    estate = Estate()
    estate.hear(range(LANES))
    estate.wait(30 * HOUR)
    assert estate.open == {"mains"}
    for _ in range(15):
        estate.hear(range(1, LANES))
        estate.wait(10 * MINUTE)
    assert estate.open == {"lane_0"}


def test_a_supply_is_asked_in_conditions_only() -> None:
    rule = (
        "rule: r\nzones: {kind: gate}\ntrigger: {silent: {supply: 1 h}}\nactions: []\n"
        "clear: {door: open, actions: []}\n"
    )
    reader = Reader()
    assert RuleParser(reader, Estate().program.site).rule(loads(rule, "r.yaml")) is None
    assert [str(finding) for finding in reader.findings] == [
        "r.yaml:3:10: `silent: {supply: …}` stands in `conditions` only, not in `trigger`"
    ]
