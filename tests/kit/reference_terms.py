"""What a condition says, worked out from everything that was ever heard: slow, obvious, independent of hub/engine.

It takes the rule's conditions as they are written (hub.engine.terms are data only) and docs/rules.md for their meaning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

from hub.engine.calendar import Sun
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
    SupplySilent,
    Term,
    TimeIs,
    WeekdayIs,
)
from hub.model.reading import ACTIVE_VALUES, Value
from hub.model.site import Mode, Role, Zone

Truth = bool | None
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Almanac:
    """What the model knows of days: two lists, and when the sun rises and sets (the same every day)."""

    zone: tzinfo
    holidays: frozenset[date] = frozenset()
    made_up: frozenset[date] = frozenset()
    sun: tuple[int, int] | None = None


@dataclass
class Sensor:
    """One entity: its messages in order, as ``(when, what, how far trusted)``."""

    value: Value | None = None
    trusted: bool = False
    turned: int = 0
    """When the value became what it is."""
    heard: int | None = None
    """When it last spoke of its value, on a clock that stands while nobody listens."""
    turns: list[tuple[int, Value]] = field(default_factory=list)
    """Every live message that said another thing than was known."""
    numbers: list[float] = field(default_factory=list)
    """Every number that was said live."""


@dataclass
class World:
    """All that a person with a good memory would know."""

    almanac: Almanac
    wall: int
    """The clock on the wall, in microseconds since 1970."""
    now: int = 0
    """Time that never jumps."""
    lost: bool = False
    """Whether the link on which all sensors speak is away."""
    away: int = 0
    """How much of it nobody listened."""
    absences: list[tuple[int, int]] = field(default_factory=list)
    """When somebody listened again, and for how long nobody had."""
    sensors: dict[str, Sensor] = field(default_factory=dict)
    modes: set[Mode] = field(default_factory=set)

    def hear(self, name: str, value: Value | None, quality: str) -> None:
        """A message without a value says only how far the last one can be trusted; what is unknown has no value."""
        sensor = self.sensors.setdefault(name, Sensor())
        if value is not None:
            sensor.heard = self.now - self.away
        said = sensor.value if value is None else value
        if quality == "unknown":
            said = None
        turned = said != sensor.value
        sensor.value, sensor.trusted = said, said is not None and quality == "good"
        sensor.turned = self.now if turned else sensor.turned
        if sensor.trusted and said is not None:
            sensor.turns += [(self.now, said)] if turned else []
            sensor.numbers += [said] if isinstance(said, float) else []

    def restart(self, down: int) -> None:
        """Nobody listened for a while; nothing that was trusted is confirmed any more."""
        self.away += down
        self.absences.append((self.now, down))
        for sensor in self.sensors.values():
            sensor.trusted = False

    def pass_time(self, duration: int) -> None:
        """Time goes on; while the link is away it is time in which nobody is heard."""
        self.now += duration
        self.wall += duration
        if self.lost:
            self.away += duration
            self.absences.append((self.now, duration))

    def deaf(self, since: int) -> int:
        """How long nobody listened since ``since``, at which somebody did."""
        return sum(min(down, end - since) for end, down in self.absences if end > since)

    def of(self, zone: Zone, role: Role) -> list[Sensor]:
        """Return the sensors of a role."""
        return [self.sensors.get(name, Sensor()) for name in zone.bound(role)]

    def local(self) -> datetime:
        """What the clock on the wall shows."""
        return datetime.fromtimestamp(self.wall // 1_000_000, self.almanac.zone)

    def second(self) -> int:
        """Seconds that the wall clock shows after midnight."""
        local = self.local()
        return local.hour * 3600 + local.minute * 60 + local.second

    def says(self, term: Term, zone: Zone) -> Truth:
        """Tell whether a condition holds, does not, or is not known."""
        match term:
            case Not():
                inner = self.says(term.term, zone)
                return None if inner is None else not inner
            case All():
                found = {self.says(part, zone) for part in term.terms}
                return False if False in found else None if None in found else True
            case AnyOf():
                found = {self.says(part, zone) for part in term.terms}
                return True if True in found else None if None in found else False
            case Is():
                return self._is(term, zone)
            case Beyond():
                each = {self._beyond(term, sensor) if sensor.trusted else None for sensor in self.of(zone, term.role)}
                return True if True in each else None if None in each or not each else False
            case Preceded():
                return self._preceded(term, zone)
            case Count():
                return self._count(term, zone)
            case Silent():
                spoke = [sensor.heard for sensor in self.of(zone, term.role) if sensor.heard is not None]
                return self.now - self.away - max(spoke) >= term.time if spoke else None
            case ModeIs():
                return term.mode in self.modes
            case SupplySilent():
                raise AssertionError("no generated rule asks for a supply: tests/unit/engine/test_supply.py does")
            case _:
                return self._when(term)

    def _is(self, term: Is, zone: Zone) -> Truth:
        seen = [sensor.value if sensor.trusted else None for sensor in self.of(zone, term.role)]
        if not seen:
            return None
        yes, perhaps = seen.count(term.value), seen.count(None)
        if yes >= enough(term, len(seen)):
            return True
        return None if yes + perhaps >= enough(term, len(seen)) else False

    def _beyond(self, term: Beyond, sensor: Sensor) -> bool:
        beyond = False
        for number in sensor.numbers:
            value, limit, reset = (number, term.limit, term.reset)
            if term.direction == "below":
                value, limit, reset = -value, -limit, -reset
            beyond = value > limit or (beyond and value >= reset)
        return beyond

    def _preceded(self, term: Preceded, zone: Zone) -> Truth:
        holds = self._is(term.term, zone)
        if holds is not True:
            return holds
        sensors, readers = self.of(zone, term.term.role), self.of(zone, term.by.role)
        if not all(reader.trusted for reader in readers):
            return None
        agreed = sorted(s.turned for s in sensors if s.trusted and s.value == term.term.value)
        began = agreed[enough(term.term, len(sensors)) - 1]
        happened = [at for reader in readers for at, value in reader.turns if value == term.by.value]
        before = any(began - term.within <= at <= began for at in happened)
        return not before if term.negated else before

    def _count(self, term: Count, zone: Zone) -> Truth:
        sensors = self.of(zone, term.term.role)
        times = [at for sensor in sensors for at, value in sensor.turns if value == term.term.value]
        if sum(self.now - at < term.within for at in times) >= term.at_least:
            return True
        return False if sensors and all(sensor.trusted for sensor in sensors) else None

    def within(self, begin: int, end: int) -> bool:
        """The wall clock shows a time from ``begin`` to just before ``end``, perhaps across midnight."""
        second = self.second()
        if begin < end:
            return begin <= second < end
        return second >= begin or second < end

    def _when(self, term: TimeIs | WeekdayIs | DayIs | SunIs) -> Truth:
        today = self.local().date()
        if isinstance(term, TimeIs):
            return self.within(term.begin, term.end)
        if isinstance(term, WeekdayIs):
            return DAYS[today.weekday()] in term.days
        if isinstance(term, DayIs):
            weekend = today.weekday() in {5, 6}
            rests = (weekend or today in self.almanac.holidays) and today not in self.almanac.made_up
            return rests if term.day == "rest_day" else not rests
        if self.almanac.sun is None:
            return None
        return self.within(*self.almanac.sun) is (term.sun is Sun.UP)


def enough(term: Is, bound: int) -> int:
    """How many sensors must say so: one, as many as are asked for, or all for a calm value."""
    if term.value not in ACTIVE_VALUES or term.confirm == 0:
        return bound
    return term.confirm


def serves(term: Term, zone: Zone) -> bool | None:
    """Whether anything that a trigger asks about is bound in a zone; None when it asks about time and modes only."""
    match term:
        case Not():
            return serves(term.term, zone)
        case All() | AnyOf():
            found = {serves(part, zone) for part in term.terms}
            return True if True in found else False if False in found else None
        case Is() | Beyond() | Silent():
            return bool(zone.bound(term.role))
        case Preceded():
            return bool(zone.bound(term.term.role) or zone.bound(term.by.role))
        case Count():
            return bool(zone.bound(term.term.role))
    return None


def told_by_silence(term: Term) -> bool:
    """Tell whether a term would hold at no time if nobody's silence were looked at."""
    return _without(term, True) is False


def _without(term: Term, wanted: bool) -> bool:
    """Tell whether a term can be ``wanted`` where nothing that asks for silence can be anything."""
    match term:
        case Silent():
            return False
        case Not():
            return _without(term.term, not wanted)
        case All() | AnyOf():
            each = [_without(part, wanted) for part in term.terms]
            return all(each) if isinstance(term, All) == wanted else any(each)
        case _:
            return True
