"""The statutory calendar and the sun of a site, as data for the engine: from well-kept tables, edited by hand."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from hub.engine.calendar import Calendar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from astral import Observer, SunDirection


class Days(msgspec.Struct, frozen=True):
    """What hub.yaml says of the calendar: where the site is, and days entered by hand, which win."""

    country: str = "CN"
    place: tuple[float, float] | None = None
    """Latitude and longitude in degrees."""
    rest_days: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()


@lru_cache(maxsize=4)
def calendar(timezone: str, days: Days, *, statutory: bool = True, sun: bool = True) -> Calendar:
    """Build the calendar of a site for last year to the year after next, with the tables that are asked for."""
    zone = zoneinfo.ZoneInfo(timezone)
    year = datetime.now(UTC).year
    rest, work = _statutory(days.country, range(year - 1, year + 3)) if statutory else (set(), set())
    return Calendar(
        zone=zone,
        rest_days=frozenset((rest | days.rest_days) - days.workdays),
        workdays=frozenset((work - days.rest_days) | days.workdays),
        sun=() if days.place is None or not sun else _sun(days.place, zone),
    )


def _statutory(country: str, years: Iterable[int]) -> tuple[set[date], set[date]]:
    """Return statutory holidays, and weekend days that are worked to make up for them."""
    import holidays

    table = holidays.country_holidays(country, years=list(years))
    return set(table), set(getattr(table, "weekend_workdays", ()))


def _sun(place: tuple[float, float], zone: zoneinfo.ZoneInfo) -> tuple[tuple[int, int], ...]:
    """Return sunrise and sunset of each day of a leap year in seconds after local midnight."""
    from astral import Observer, SunDirection

    observer, first = Observer(*place), date(2024, 1, 1)
    days = [first + timedelta(days=offset) for offset in range(366)]
    return tuple(
        (_crossing(observer, day, SunDirection.RISING, zone), _crossing(observer, day, SunDirection.SETTING, zone))
        for day in days
    )


def _crossing(observer: Observer, day: date, direction: SunDirection, zone: zoneinfo.ZoneInfo) -> int:
    """Return when the sun crosses the horizon on a local day, in seconds after midnight.

    astral's own ``sun`` asks for a dawn, too, and for all of it on one local day: neither is there in a bright night,
    nor far from the meridian of the zone (Kashgar). A day without a crossing takes the one beside it.
    """
    from astral.sun import SUN_APPARENT_RADIUS, time_of_transit

    beside = (day, day - timedelta(days=1), day + timedelta(days=1))
    moments = [time_of_transit(observer, utc, 90 + SUN_APPARENT_RADIUS, direction).astimezone(zone) for utc in beside]
    return _second(next((moment for moment in moments if moment.date() == day), moments[0]))


def _second(moment: datetime) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second
