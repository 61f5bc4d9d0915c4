"""The period of a report: one day, week or month of the site's own calendar, whatever the clocks did within it."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from hub.model.time import SECOND, Instant

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

#: ISO 8601 calendar date, week date and month, as HTML's own inputs write them.
_SHAPES = {"day": r"\d{4}-\d\d-\d\d", "week": r"\d{4}-W\d\d", "month": r"\d{4}-\d\d"}
#: Years that a report may be asked for: what the calendar can count and every platform's clock can say.
_YEARS = range(2000, 2100)


class Span(StrEnum):
    """How long a period is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Period(msgspec.Struct, frozen=True):
    """From the midnight that begins ``first`` to the one that begins ``after``, on the clocks of the site."""

    span: Span
    at: str
    """As it is asked for: ``2026-11-21``, ``2026-W47`` (ISO 8601, weeks begin on Monday), ``2026-11``."""
    first: date
    after: date

    def bounds(self, zone: ZoneInfo) -> tuple[Instant, Instant]:
        """Return its first instant and the first one after it; a day may have 23 or 25 hours."""
        return _midnight(self.first, zone), _midnight(self.after, zone)


def read_period(span: Span, at: str) -> Period:
    """Read what a person asks for. Raises ValueError for what is no date of that shape."""
    if not re.fullmatch(_SHAPES[span], at, re.ASCII) or int(at[:4]) not in _YEARS:
        raise ValueError(at)
    if span is Span.DAY:
        first = date.fromisoformat(at)
        return Period(span, at, first, first + timedelta(days=1))
    if span is Span.WEEK:
        first = date.fromisocalendar(int(at[:4]), int(at[-2:]), 1)
        return Period(span, at, first, first + timedelta(days=7))
    first = date.fromisoformat(f"{at}-01")
    return Period(span, at, first, (first + timedelta(days=31)).replace(day=1))


def period_of(span: Span, instant: Instant, zone: ZoneInfo) -> Period:
    """Return the period in which an instant lies."""
    day = datetime.fromtimestamp(instant / SECOND, zone).date()
    year, week, _ = day.isocalendar()
    words = {Span.DAY: day.isoformat(), Span.WEEK: f"{year}-W{week:02}", Span.MONTH: f"{day:%Y-%m}"}
    return read_period(span, words[span])


def _midnight(day: date, zone: ZoneInfo) -> Instant:
    return Instant(round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * SECOND)
