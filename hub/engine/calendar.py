"""Local time, weekdays, statutory days and the sun: pure functions of an instant and of data from outside."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

import msgspec

from hub.model.time import SECOND, Instant


class Weekday(StrEnum):
    """A day of the week, Monday first (ISO 8601)."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


class Day(StrEnum):
    """What kind of day it is by the statutory calendar: make-up workdays are workdays, holidays are rest days."""

    WORKDAY = "workday"
    REST_DAY = "rest_day"


class Sun(StrEnum):
    """Whether the sun is above the horizon."""

    UP = "up"
    DOWN = "down"


_WEEKDAYS = tuple(Weekday)
_SATURDAY = 5


class Calendar(msgspec.Struct, frozen=True):
    """Everything about local time that rules ask for."""

    zone: tzinfo = UTC
    rest_days: frozenset[date] = frozenset()
    """Statutory holidays, and days entered by hand."""
    workdays: frozenset[date] = frozenset()
    """Make-up workdays on a weekend, and days entered by hand."""
    sun: tuple[tuple[int, int], ...] = ()
    """Sunrise and sunset of each day of a leap year, seconds after local midnight; empty: the place is not known."""

    def local(self, now: Instant) -> datetime:
        """Return the local time."""
        return datetime.fromtimestamp(now / SECOND, self.zone)

    def weekday(self, now: Instant) -> Weekday:
        """Return the day of the week."""
        return _WEEKDAYS[self.local(now).weekday()]

    def day(self, now: Instant) -> Day:
        """Return the kind of the day."""
        today = self.local(now).date()
        if today in self.workdays:
            return Day.WORKDAY
        if today in self.rest_days or today.weekday() >= _SATURDAY:
            return Day.REST_DAY
        return Day.WORKDAY

    def within(self, now: Instant, begin: int, end: int) -> bool:
        """Tell whether the local time lies in ``[begin, end)``, seconds after midnight; it may span midnight."""
        local = self.local(now)
        second = local.hour * 3600 + local.minute * 60 + local.second
        return begin <= second < end if begin < end else second >= begin or second < end

    def sun_state(self, now: Instant) -> Sun | None:
        """Return whether the sun is up, or None where no place is known."""
        times = self.sun_of(self.local(now).date())
        return None if times is None else Sun.UP if self.within(now, *times) else Sun.DOWN

    def next_sun(self, now: Instant) -> Instant | None:
        """Return when the sun next rises or sets."""
        today = self.local(now).date()
        times = [self.sun_of(today), self.sun_of(today + timedelta(days=1))]
        found = [
            self.at(today + timedelta(days=offset), second)
            for offset, pair in enumerate(times)
            for second in pair or ()
        ]
        return min((instant for instant in found if instant > now), default=None)

    def next_time(self, now: Instant, *seconds: int) -> Instant:
        """Return the next instant at which the local clock shows one of these times of day."""
        today = self.local(now).date()
        found = (self.at(today + timedelta(days=offset), second) for offset in (0, 1, 2) for second in seconds)
        return min(instant for instant in found if instant > now)

    def next_midnight(self, now: Instant) -> Instant:
        """Return when the next local day begins."""
        return self.next_time(now, 0)

    def at(self, day: date, second: int) -> Instant:
        """Return the instant of a local time of day; a time that the clock skips is the one after the gap."""
        moment = datetime.combine(day, time(second // 3600, second % 3600 // 60, second % 60), self.zone)
        return Instant(round(moment.timestamp()) * SECOND)

    def sun_of(self, day: date) -> tuple[int, int] | None:
        """Return sunrise and sunset of a day, seconds after midnight; None where no place is known."""
        return self.sun[date(2024, day.month, day.day).timetuple().tm_yday - 1] if self.sun else None
