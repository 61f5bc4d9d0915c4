"""Times on the wire: xs:dateTime, and the parts in which GetSystemDateAndTime gives them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hub.sdk import DecodeError, Instant
from integrations.onvif.tree import Element, find, text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_YEAR = 2100
#: Longest xs:dateTime that is read, in characters.
_LONGEST = 40


def parse_time(said: str) -> datetime | None:
    """Read an xs:dateTime (without a zone it is UTC); None for anything else and for years outside 1970 to 2100."""
    if len(said) > _LONGEST:
        return None
    try:
        read = datetime.fromisoformat(said)
    except ValueError:
        return None
    if not _EPOCH.year < read.year < _LAST_YEAR:
        return None
    return (read.replace(tzinfo=UTC) if read.tzinfo is None else read).astimezone(UTC)


def instant(at: datetime | None) -> Instant | None:
    """Return whole microseconds since 1970."""
    return Instant((at - _EPOCH) // timedelta(microseconds=1)) if at is not None else None


def device_time(response: Element) -> datetime | None:
    """Read UTCDateTime of a GetSystemDateAndTimeResponse (Core, 8.2.2); None where the camera does not say it.

    Raises DecodeError for numbers that are no date.
    """
    said = find(response, "SystemDateAndTime", "UTCDateTime")
    if said is None:
        return None
    parts = [text(said, "Date", name, limit=4) for name in ("Year", "Month", "Day")]
    parts += [text(said, "Time", name, limit=4) for name in ("Hour", "Minute", "Second")]
    try:
        year, month, day, hour, minute, second = (int(part) for part in parts)
        read = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)  # 60 and 61 are leap seconds
    except ValueError:
        raise DecodeError("a date that does not exist") from None
    return read if _EPOCH.year <= year < _LAST_YEAR else None


def lifetime(response: Element) -> float | None:
    """Return the seconds from CurrentTime to TerminationTime, both of the camera's clock; None where one is missing.

    Between 1 and 86,400, so that neither a broken clock nor a lie makes us renew without pause or never.
    """
    now, end = (parse_time(text(response, name, limit=_LONGEST)) for name in ("CurrentTime", "TerminationTime"))
    if now is None or end is None:
        return None
    return min(max((end - now).total_seconds(), 1.0), 86_400.0)
