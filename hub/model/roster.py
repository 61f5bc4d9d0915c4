"""The on-call list (值班表): who is told when a rule tells a role, week by week, with holidays and stand-ins."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from hub.model.text import Text

#: Most people, shifts and absences of one list.
PEOPLE, SHIFTS, ABSENCES = 100, 100, 200
#: Longest name or telephone number, in characters.
NAME_LENGTH = 40

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_LENGTH)]
_Key = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[a-z0-9_]+$")]
#: Minutes after local midnight; 1440 is its end.
Minute = Annotated[int, msgspec.Meta(ge=0, le=1_440)]
DayOfWeek = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[DayOfWeek, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Holidays(StrEnum):
    """What a shift does on a statutory holiday."""

    AS_USUAL = "as_usual"
    OFF = "off"
    #: It exists on holidays only, whatever day of the week they are.
    ONLY = "only"


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who can be on duty."""

    id: _Key
    name: _Name
    phone: Annotated[str, msgspec.Meta(max_length=NAME_LENGTH)] = ""
    """Shown to people; the hub does not call."""
    contact: Annotated[str, msgspec.Meta(max_length=64)] = ""
    """The contact of hub.yaml by which the person is told; empty means by that of the role."""


class Shift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same hours on some days of every week. One whose end is not after its beginning ends the next day."""

    role: _Key
    """The contact that rules tell, like ``guard``."""
    days: Annotated[tuple[DayOfWeek, ...], msgspec.Meta(max_length=7)]
    begin: Minute
    end: Minute
    people: Annotated[tuple[_Key, ...], msgspec.Meta(min_length=1, max_length=20)]
    """Ids in the order in which they are told: the next one when the one before cannot be reached."""
    holidays: Holidays = Holidays.AS_USUAL


class Absence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days, the last one included, on which a person is away, and who stands in."""

    person: _Key
    first: date
    last: date
    stand_in: _Key | None = None


class Roster(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole list. Empty, every role is its contact in hub.yaml and nothing else."""

    people: Annotated[tuple[Person, ...], msgspec.Meta(max_length=PEOPLE)] = ()
    shifts: Annotated[tuple[Shift, ...], msgspec.Meta(max_length=SHIFTS)] = ()
    absences: Annotated[tuple[Absence, ...], msgspec.Meta(max_length=ABSENCES)] = ()

    def unknown(self) -> str | None:
        """Return an id that is referred to though nobody has it, or that two have; None when all is well."""
        ids = [person.id for person in self.people]
        named = [name for shift in self.shifts for name in shift.people]
        named += [name for away in self.absences for name in (away.person, away.stand_in) if name is not None]
        twice = (name for name in ids if ids.count(name) > 1)
        return next(twice, None) or next((name for name in named if name not in ids), None)


class BriefedIncident(msgspec.Struct, frozen=True):
    """An incident that is still to be handled when the shift changes."""

    id: str
    zone: Text
    rule: Text
    severity: str
    state: str
    opened_at: str
    handler: str


class BriefedMode(msgspec.Struct, frozen=True):
    """A mode that is on."""

    mode: str
    until: str | None
    by: str


class BriefedDevice(msgspec.Struct, frozen=True):
    """A device or test point that cannot be relied on, and why."""

    name: Text
    why: str
    """``failed``, ``retrying``, ``needs_credentials``, ``stale``, ``unknown`` or ``battery``."""
    zone: Text | None = None


class Briefing(msgspec.Struct, frozen=True):
    """What the next shift must know, as it was at the hand-over."""

    incidents: tuple[BriefedIncident, ...] = ()
    modes: tuple[BriefedMode, ...] = ()
    devices: tuple[BriefedDevice, ...] = ()
    more_incidents: int = 0
    """Open ones beyond those listed."""
