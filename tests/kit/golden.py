"""One long fixed history through a rule set of the whole language, and the bytes that it leaves behind.

Run as ``python -m tests.kit.golden``: prints the hash of every decision, slot, state and memory. It needs nothing
but the engine and msgspec, so that any interpreter can be asked. The inputs come from whole numbers alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, date

import msgspec

from hub.engine.calendar import Calendar, Day, Sun, Weekday
from hub.engine.rule import Clear, CloseIncident, Escalation, OpenIncident, QuietHours, Rule, Trigger
from hub.engine.terms import (
    All,
    AnyOf,
    Beyond,
    Count,
    DayIs,
    Is,
    ModeIs,
    Not,
    Preceded,
    Silent,
    SunIs,
    Term,
    TimeIs,
    WeekdayIs,
)
from hub.model.decision import Capture, Notify, Say, Severity, Switch
from hub.model.ids import EntityId, RuleId, SiteId, ZoneId
from hub.model.reading import Alarm, Contact, Presence, Quality, Value
from hub.model.site import Mode, Role, Site, Zone, ZoneKind
from hub.model.text import Text
from hub.model.time import HOUR, MINUTE, SECOND, Duration
from tests.kit.machine import Machine, picture

#: How many inputs the history has.
LENGTH = 4_000
VALUES: dict[Role, tuple[Value, ...]] = {
    Role.VEHICLE: tuple(Presence),
    Role.DOOR: tuple(Contact),
    Role.CARD: tuple(Alarm),
    Role.SMOKE: tuple(Alarm),
    Role.TEMPERATURE: (12.5, 54.0, 57.25, 61.0, 80.0),
}
SENSED = tuple(
    (EntityId(f"{role}.{zone}{name}"), values)
    for role, values in VALUES.items()
    for zone in range(3)
    for name in ("a", "b")
)


def site() -> Site:
    """Return three gates with two entities in each role."""
    zones = {}
    for number in range(3):
        bind = {role: tuple(EntityId(f"{role}.{number}{name}") for name in ("a", "b")) for role in VALUES}
        zones[ZoneId(f"gate_{number}")] = Zone(
            ZoneId(f"gate_{number}"), ZoneKind.GATE, Text(f"{number}号门", f"Gate {number}"), bind=bind
        )
    return Site(SiteId("golden"), Text("小区"), "UTC", {}, zones, {}, {})


WEEKEND = WeekdayIs((Weekday.SAT, Weekday.SUN))
OPEN, PRESENT = Is(Role.DOOR, Contact.OPEN), Is(Role.VEHICLE, Presence.PRESENT)
WORKDAY = DayIs(Day.WORKDAY)
HOT = Beyond(Role.TEMPERATURE, "above", 60.0, 55.0)
TRIGGERS: tuple[tuple[str, Term, Term, tuple[Term, ...]], ...] = (
    ("lane", PRESENT, Is(Role.VEHICLE, Presence.ABSENT), (Not(ModeIs(Mode.MAINTENANCE)),)),
    ("both", Is(Role.VEHICLE, Presence.PRESENT, 2), Not(Is(Role.VEHICLE, Presence.PRESENT, 0)), ()),
    ("hot", HOT, Not(HOT), ()),
    ("forced", Preceded(OPEN, Is(Role.CARD, Alarm.ACTIVE), Duration(30 * SECOND), True), Not(OPEN), ()),
    ("guest", Preceded(OPEN, Is(Role.CARD, Alarm.ACTIVE), Duration(20 * MINUTE)), Not(OPEN), (SunIs(Sun.UP),)),
    ("busy", Count(OPEN, 3, Duration(2 * HOUR)), Not(Count(OPEN, 2, Duration(2 * HOUR))), ()),
    ("mute", Silent(Role.SMOKE, Duration(6 * MINUTE)), Is(Role.SMOKE, Alarm.CLEAR), ()),
    ("night", All((TimeIs(79_200, 21_600), OPEN)), Is(Role.DOOR, Contact.CLOSED), (WORKDAY,)),
    ("rest", AnyOf((WEEKEND, SunIs(Sun.DOWN))), All((WORKDAY, SunIs(Sun.UP))), (PRESENT,)),
    ("storm", All((ModeIs(Mode.TYPHOON), AnyOf((OPEN, HOT)))), Not(ModeIs(Mode.TYPHOON)), ()),
)  # fmt: skip


def rules(volume: int = 80) -> tuple[Rule, ...]:
    """Return the rule set; another ``volume`` is an edit that keeps every trigger."""
    return tuple(_rule(number, *parts, volume) for number, parts in enumerate(TRIGGERS))


def _rule(number: int, name: str, trigger: Term, clear: Term, conditions: tuple[Term, ...], volume: int) -> Rule:
    say = Say(Text("{zone}请注意，已{minutes}分钟", "{zone}: {minutes} min"), volume=volume)
    step = (say, Notify("guard"), Switch(Role.LIGHT, Duration(9 * SECOND)))
    return Rule(
        id=RuleId(name),
        name=Text(name),
        zone_kind=ZoneKind.GATE,
        trigger=Trigger(trigger, Duration((0, 20, 45)[number % 3] * SECOND + 1)),
        actions=(Capture(), say, OpenIncident(Severity.HIGH)),
        clear=Clear(clear, Duration((0, 10)[number % 2] * SECOND), (Capture(), CloseIncident())),
        conditions=conditions,
        escalation=(
            Escalation(Duration(MINUTE), step),
            Escalation(Duration(2 * MINUTE), step, Duration(50 * SECOND), 3),
        ),
        tolerate_gap=Duration(30 * SECOND),
        cooldown=Duration((0, 0, 90)[number % 3] * SECOND),
        quiet_hours=QuietHours(82_800, 25_200, (0, 30)[number % 2]) if number % 4 == 1 else None,
        dry_run=number == 5,
    )


def calendar() -> Calendar:
    """Return the days around the beginning of virtual time, the 4th of October 2024."""
    return Calendar(UTC, frozenset({date(2024, 10, 7)}), frozenset({date(2024, 10, 12)}), ((21_600, 64_800),) * 366)


def dice(seed: int = 20_261_121) -> Iterator[int]:
    """Yield whole numbers below 2³² that look random (linear congruence with the constants of Knuth's MMIX)."""
    while True:
        seed = (6_364_136_223_846_793_005 * seed + 1_442_695_040_888_963_407) % 2**64
        yield seed >> 32


class Golden:
    """The history, one input after the other."""

    def __init__(self, kind: type[Machine] = Machine) -> None:
        self.machine = kind(*rules(), places=site(), calendar=calendar())
        self.machine.edit(*rules())
        self._dice = dice()

    def live(self, inputs: int, *, reopen: bool = False) -> None:
        """Take so many inputs; ``reopen`` writes all memory down afterwards and reads it back, as a journal does."""
        for _ in range(inputs):
            self._input(next(self._dice) % 400)
        if reopen:
            self.machine.reopen()

    def _input(self, kind: int) -> None:
        machine, number = self.machine, next(self._dice)
        entity, values = SENSED[number % len(SENSED)]
        if kind < 300:
            machine.hear(entity, values[next(self._dice) % len(values)])
        elif kind < 330:
            machine.hear(entity, None, list(Quality)[next(self._dice) % 3])
        elif kind < 350:
            machine.hear(entity, values[0], Quality.STALE)
        elif kind < 370:
            machine.mode(list(Mode)[number % 3], on=number % 5 < 3)
        elif kind < 385:
            machine.edit(*rules(10 + number % 90))
        elif kind < 392:
            machine.stall(number % (5 * MINUTE))
        elif kind < 396:
            machine.jump((HOUR + 137, -HOUR + 411, 40 * MINUTE)[number % 3])
        else:
            machine.restart(number % (3 * MINUTE))
        machine.pass_time(1 + next(self._dice) % ((4, 40, 600)[number % 3] * SECOND))

    def bytes(self) -> bytes:
        """Return all that was decided and all that is remembered."""
        return msgspec.json.encode(self.machine.decisions) + b"\n" + picture(self.machine.state)

    def hash(self) -> str:
        """Return their SHA-256."""
        return hashlib.sha256(self.bytes()).hexdigest()


if __name__ == "__main__":
    whole = Golden()
    whole.live(LENGTH)
    print(whole.hash())  # noqa: T201 - what the test asks for
