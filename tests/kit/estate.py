"""Two gates, what is bound to them, and a few nights: where random rules of the whole language live. In minutes."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass, replace
from datetime import date, datetime

from hub.engine.calendar import Calendar
from hub.engine.rule import (
    Clear,
    CloseIncident,
    Escalation,
    OpenIncident,
    QuietHours,
    Rule,
    Trigger,
)
from hub.engine.terms import Not, Term
from hub.model.decision import Capture, Notify, Say, Severity, Switch
from hub.model.ids import EntityId, RuleId, SiteId, ZoneId
from hub.model.site import Role, Site, Zone, ZoneKind
from hub.model.text import Text
from hub.model.time import MINUTE, SECOND, Duration, Instant
from tests.kit.reference_terms import Almanac

WATCH, OTHER = RuleId("watch"), RuleId("other")
LEFT, RIGHT, FRONT, BACK, READER, OVEN, BOILER = (
    EntityId(f"test.{name}") for name in ("left", "right", "front", "back", "reader", "oven", "boiler")
)
WIDE: dict[Role, tuple[EntityId, ...]] = {
    Role.VEHICLE: (LEFT, RIGHT),
    Role.DOOR: (FRONT, BACK),
    Role.CARD: (READER,),
    Role.TEMPERATURE: (OVEN, BOILER),
}
#: No card reader here, and no vehicle.
PLAIN: dict[Role, tuple[EntityId, ...]] = {Role.DOOR: (FRONT,), Role.TEMPERATURE: (OVEN,)}


def minutes(number: int) -> Duration:
    """Return a duration."""
    return Duration(number * MINUTE)


def clock(text: str) -> int:
    """Return ``23:50`` in seconds after midnight."""
    hour, minute = text.split(":")
    return int(hour) * 3600 + int(minute) * 60


def site() -> Site:
    """Return the site."""
    zones = {
        ZoneId(name): Zone(ZoneId(name), ZoneKind.GATE, Text(name), bind=bind)
        for name, bind in (("wide", WIDE), ("plain", PLAIN))
    }
    return Site(SiteId("test"), Text("小区"), "Asia/Shanghai", {}, zones, {}, {})


@dataclass(frozen=True)
class Night:
    """When and where a history begins, and what the calendar says there."""

    place: str
    begins: str
    holidays: tuple[str, ...] = ()
    made_up: tuple[str, ...] = ()
    sun: tuple[str, str] | None = None

    @property
    def start(self) -> Instant:
        """The instant at which it begins."""
        moment = datetime.fromisoformat(self.begins).replace(tzinfo=zoneinfo.ZoneInfo(self.place))
        return Instant(round(moment.timestamp()) * SECOND)

    @property
    def almanac(self) -> Almanac:
        """The days as the model knows them."""
        sun = None if self.sun is None else (clock(self.sun[0]), clock(self.sun[1]))
        return Almanac(zoneinfo.ZoneInfo(self.place), _dates(self.holidays), _dates(self.made_up), sun)

    @property
    def calendar(self) -> Calendar:
        """The days as the engine knows them."""
        kept = self.almanac
        sun = () if kept.sun is None else (kept.sun,) * 366
        return Calendar(kept.zone, kept.holidays, kept.made_up, sun)


def _dates(days: tuple[str, ...]) -> frozenset[date]:
    return frozenset(date.fromisoformat(day) for day in days)


#: Into a made-up Saturday; into a holiday; over both changes of summer time.
NIGHTS = (
    Night("Asia/Shanghai", "2026-10-09 23:30", made_up=("2026-10-10",), sun=("00:25", "23:45")),
    Night("Asia/Shanghai", "2026-09-30 23:40", holidays=("2026-10-01",)),
    Night("Europe/Berlin", "2026-03-29 01:20", sun=("02:30", "03:20")),
    Night("Europe/Berlin", "2026-10-25 01:50", sun=("02:20", "02:50")),
)
#: Windows of the local day that begin or end in those nights.
WINDOWS = tuple(
    (clock(begin), clock(end))
    for begin, end in (
        ("23:50", "00:10"), ("00:00", "00:20"), ("00:30", "23:40"),
        ("02:30", "03:10"), ("02:10", "02:40"), ("03:30", "01:40"),
    )
)  # fmt: skip


@dataclass(frozen=True)
class Draft:
    """A rule in few words; durations in minutes."""

    trigger: Term
    clear: Term | None = None
    """None: as soon as the trigger is not so."""
    conditions: tuple[Term, ...] = ()
    hold: int = 0
    clear_hold: int = 0
    gap: int = 2
    cooldown: int = 0
    steps: tuple[tuple[int, int, int], ...] = ()
    """After, every, times."""
    quiet: tuple[int, int, int] | None = None
    """Begin, end, volume."""
    dry: bool = False
    volume: int = 80

    def rule(self, name: RuleId = WATCH) -> Rule:
        """Return the rule."""
        opening = (Capture(), self.say("{zone}请注意"), OpenIncident(Severity.LOW))
        return Rule(
            id=name,
            name=Text(name),
            zone_kind=ZoneKind.GATE,
            trigger=Trigger(self.trigger, minutes(self.hold)),
            actions=opening,
            clear=Clear(self.clear or Not(self.trigger), minutes(self.clear_hold), (Capture(), CloseIncident())),
            conditions=self.conditions,
            escalation=tuple(
                Escalation(
                    minutes(after),
                    (self.say(f"{number}：{{minutes}}分钟"), Notify("guard"), Switch(Role.LIGHT, Duration(9 * SECOND))),
                    minutes(every),
                    times,
                )
                for number, (after, every, times) in enumerate(self.steps, 1)
            ),
            tolerate_gap=minutes(self.gap),
            cooldown=minutes(self.cooldown),
            quiet_hours=None if self.quiet is None else QuietHours(*self.quiet),
            dry_run=self.dry,
        )

    def but(self, **changes: object) -> Draft:
        """Return the same draft but for ``changes``."""
        return replace(self, **changes)  # type: ignore[arg-type]  # checked by dataclasses at run time

    def say(self, text: str) -> Say:
        """Return something to say."""
        return Say(Text(text), volume=self.volume)
