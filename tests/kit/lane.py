"""Two fire lanes and a rule to watch them: what the tests of the engine play with. Times are whole seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hub.engine.rule import (
    Clear,
    CloseIncident,
    Escalation,
    OpenIncident,
    Rule,
    RuleAction,
    Trigger,
)
from hub.engine.terms import Is, ModeIs, Not, Term
from hub.model.decision import Capture, Notify, Say, Severity
from hub.model.ids import EntityId, RuleId, SiteId, ZoneId
from hub.model.reading import Contact, Presence, Value
from hub.model.site import Mode, Role, Site, Zone, ZoneKind
from hub.model.text import Text
from hub.model.time import SECOND, Duration

LANE, WIDE = ZoneId("lane"), ZoneId("wide")
#: The sensor of ``lane``; the two of ``wide``; a door that some rules ask about.
CAR, LEFT, RIGHT, DOOR = (EntityId(f"test.{name}") for name in ("car", "left", "right", "door"))
RULE, OTHER = RuleId("watch"), RuleId("other")


def seconds(number: float) -> Duration:
    """Return a duration."""
    return Duration(round(number * SECOND))


def site(*zones: Zone) -> Site:
    """Return a site with the two lanes, or with other zones."""
    lanes = zones or (
        Zone(LANE, ZoneKind.FIRE_LANE, Text("车道"), bind={Role.VEHICLE: (CAR,), Role.DOOR: (DOOR,)}),
        Zone(WIDE, ZoneKind.FIRE_LANE, Text("宽车道"), bind={Role.VEHICLE: (LEFT, RIGHT), Role.DOOR: (DOOR,)}),
    )
    return Site(SiteId("test"), Text("小区"), "UTC", {}, {zone.id: zone for zone in lanes}, {}, {})


@dataclass(frozen=True)
class Plan:
    """A rule in few numbers, all in seconds."""

    hold: int = 10
    clear_hold: int = 3
    gap: int = 6
    cooldown: int = 0
    steps: tuple[int, ...] = (8, 20)
    quiet: bool = False
    """Not in maintenance."""
    closed: bool = False
    """Only while the door is closed."""
    volume: int = 80

    def rule(self, name: RuleId = RULE) -> Rule:
        """Return the rule."""
        conditions: list[Term] = [Not(ModeIs(Mode.MAINTENANCE))] if self.quiet else []
        conditions += [Is(Role.DOOR, Contact.CLOSED)] if self.closed else []
        return Rule(
            id=name,
            name=Text(name),
            zone_kind=ZoneKind.FIRE_LANE,
            trigger=Trigger(_vehicle(Presence.PRESENT), seconds(self.hold)),
            actions=(Capture(), say("first", self.volume), OpenIncident(Severity.HIGH)),
            clear=Clear(_vehicle(Presence.ABSENT), seconds(self.clear_hold), (Capture(), CloseIncident())),
            conditions=tuple(conditions),
            escalation=tuple(Escalation(seconds(after), self.step(n)) for n, after in enumerate(self.steps, 1)),
            tolerate_gap=seconds(self.gap),
            cooldown=seconds(self.cooldown),
        )

    def step(self, number: int) -> tuple[RuleAction, ...]:
        """Return the actions of an escalation step."""
        return say(f"step {number}", self.volume), Notify("guard")

    def but(self, **changes: object) -> Plan:
        """Return the same plan but for ``changes``."""
        return replace(self, **changes)  # type: ignore[arg-type]  # checked by dataclasses at run time


def say(text: str, volume: int = 80) -> Say:
    """Return something to say."""
    return Say(Text(text), volume=volume)


def _vehicle(value: Value) -> Is:
    return Is(Role.VEHICLE, value)
