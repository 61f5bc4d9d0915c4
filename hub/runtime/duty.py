"""The on-call list in force, for whoever must know who is on duty now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.engine.roster import OnDuty, who_is_on
from hub.model.roster import Holidays

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.engine.calendar import Calendar
    from hub.model.roster import Roster
    from hub.model.time import Instant


class Duty:
    """Holds the list; a change is kept by the journal first (hub.journal.desk)."""

    def __init__(self, roster: Roster, version: int, calendar: Callable[[bool], Calendar]) -> None:
        self.roster = roster
        self.version = version
        self._calendar = calendar
        """Asked with whether the statutory days are needed: their table takes half a second the first time."""

    def change(self, roster: Roster, version: int) -> None:
        """Put another version in force, unless a newer one is already."""
        if version > self.version:
            self.roster, self.version = roster, version

    def on(self, at: Instant) -> tuple[OnDuty, ...]:
        """Return who is on duty, in all roles."""
        return who_is_on(self.roster, at, self.calendar(self.roster))

    def as_role(self, role: str, at: Instant) -> tuple[OnDuty, ...]:
        """Return who is on duty as ``role``, in the order in which they are told; empty where the list does not say."""
        if not any(shift.role == role for shift in self.roster.shifts):
            return ()
        return tuple(one for one in self.on(at) if one.role == role)

    def calendar(self, roster: Roster) -> Calendar:
        """Return the calendar that a list needs; call it on a thread first, the table of holidays is slow to build."""
        return self._calendar(any(shift.holidays is not Holidays.AS_USUAL for shift in roster.shifts))
