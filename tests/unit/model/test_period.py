"""Periods of reports: month ends, weeks over New Year, days of 23 and 25 hours."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from hub.model.period import Span, period_of, read_period
from hub.model.time import DAY, HOUR, SECOND, Instant

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def instant(text: str) -> Instant:
    return Instant(round(datetime.fromisoformat(text).timestamp()) * SECOND)


@pytest.mark.parametrize(
    ("span", "at", "begin", "end"),
    [
        (Span.MONTH, "2026-11", "2026-11-01T00:00+08:00", "2026-12-01T00:00+08:00"),
        (Span.MONTH, "2026-12", "2026-12-01T00:00+08:00", "2027-01-01T00:00+08:00"),
        (Span.MONTH, "2028-02", "2028-02-01T00:00+08:00", "2028-03-01T00:00+08:00"),
        (Span.WEEK, "2026-W53", "2026-12-28T00:00+08:00", "2027-01-04T00:00+08:00"),
        (Span.DAY, "2026-02-28", "2026-02-28T00:00+08:00", "2026-03-01T00:00+08:00"),
    ],
)
def test_bounds(span: Span, at: str, begin: str, end: str) -> None:
    period = read_period(span, at)
    assert period.bounds(SHANGHAI) == (instant(begin), instant(end))
    assert period_of(span, instant(begin), SHANGHAI) == period
    assert period_of(span, Instant(instant(end) - 1), SHANGHAI) == period
    assert period_of(span, instant(end), SHANGHAI) != period


@pytest.mark.parametrize(("at", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)])
def test_days_on_which_clocks_change(at: str, hours: int) -> None:
    begin, end = read_period(Span.DAY, at).bounds(BERLIN)
    assert end - begin == hours * HOUR
    month = read_period(Span.MONTH, "2026-10").bounds(BERLIN)
    assert month[1] - month[0] == 31 * DAY + HOUR


@pytest.mark.parametrize(
    ("span", "at"),
    [
        (Span.MONTH, "2026-13"), (Span.MONTH, "2026-1"), (Span.MONTH, "2026-11-01"), (Span.MONTH, "９999-01"),
        (Span.MONTH, "0001-01"), (Span.MONTH, "9999-12"), (Span.MONTH, ""), (Span.MONTH, "2026-11\n"),
        (Span.DAY, "2026-02-29"), (Span.DAY, "2026-11"), (Span.WEEK, "2025-W53"), (Span.WEEK, "2026-W00"),
    ],
)  # fmt: skip
def test_what_is_no_period(span: Span, at: str) -> None:
    with pytest.raises(ValueError, match=r"\A"):
        read_period(span, at)
