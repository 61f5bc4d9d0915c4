"""The conditions of the rule language as types: leaves that look at entities, time or modes, and any, all, not."""

from __future__ import annotations

from typing import Literal

import msgspec

from hub.engine.calendar import Day, Sun, Weekday
from hub.model.reading import Value
from hub.model.site import Mode, Role
from hub.model.time import Duration


class Is(msgspec.Struct, frozen=True, tag="is"):
    """The zone's entities of a role have a value: any of them for an active value, all of them for a calm one."""

    role: Role
    value: Value
    confirm: int = 1
    """How many entities must agree on an active value; 0 means all that are bound."""


class Beyond(msgspec.Struct, frozen=True, tag="beyond"):
    """A number is above (or below) a limit, until it is back beyond ``reset``: hysteresis."""

    role: Role
    direction: Literal["above", "below"]
    limit: float
    reset: float

    @property
    def latch(self) -> str:
        """Name what must be remembered of it."""
        return f"{self.direction}:{self.limit!r}:{self.reset!r}"


class Preceded(msgspec.Struct, frozen=True, tag="preceded"):
    """Something is so, and at its beginning something else had (or had not) happened shortly before."""

    term: Is
    by: Is
    within: Duration
    negated: bool = False


class Count(msgspec.Struct, frozen=True, tag="count"):
    """Something began at least so often within a time."""

    term: Is
    at_least: int
    within: Duration


class Silent(msgspec.Struct, frozen=True, tag="silent"):
    """No entity of a role was heard for a time."""

    role: Role
    time: Duration


class SupplySilent(msgspec.Struct, frozen=True, tag="supply_silent"):
    """Nothing that hangs on one of the zone's supplies was heard for a time: they are silent for one cause."""

    time: Duration


class ModeIs(msgspec.Struct, frozen=True, tag="mode"):
    """The site is in a mode."""

    mode: Mode


class TimeIs(msgspec.Struct, frozen=True, tag="time"):
    """The local time of day lies in a window; seconds after midnight, the end is outside."""

    begin: int
    end: int


class WeekdayIs(msgspec.Struct, frozen=True, tag="weekday"):
    """Today is one of these."""

    days: tuple[Weekday, ...]


class DayIs(msgspec.Struct, frozen=True, tag="day"):
    """Today is a workday or a rest day by the statutory calendar."""

    day: Day


class SunIs(msgspec.Struct, frozen=True, tag="sun"):
    """The sun is up or down."""

    sun: Sun


class Not(msgspec.Struct, frozen=True, tag="not"):
    """The opposite; unknown stays unknown."""

    term: Term


class All(msgspec.Struct, frozen=True, tag="all"):
    """Every one holds."""

    terms: tuple[Term, ...]


class AnyOf(msgspec.Struct, frozen=True, tag="any"):
    """At least one holds."""

    terms: tuple[Term, ...]


Leaf = Is | Beyond | Preceded | Count | Silent | SupplySilent | ModeIs | TimeIs | WeekdayIs | DayIs | SunIs
Term = (
    Is
    | Beyond
    | Preceded
    | Count
    | Silent
    | SupplySilent
    | ModeIs
    | TimeIs
    | WeekdayIs
    | DayIs
    | SunIs
    | Not
    | All
    | AnyOf
)


def leaves(term: Term) -> tuple[Leaf, ...]:
    """Return the leaves in their order."""
    if isinstance(term, Is):  # most are
        return (term,)
    if isinstance(term, Not):
        return leaves(term.term)
    if isinstance(term, All | AnyOf):
        return tuple(leaf for part in term.terms for leaf in leaves(part))
    return (term,)


def by_silence(term: Term, *, negated: bool = False) -> bool:
    """Tell whether a term cannot hold but by somebody's being silent, or not being it.

    Such a thing stays as it was while the hub is away, and becomes no more certain: that time is no part of a ``for``.
    """
    match term:
        case Silent():
            return True
        case Not():
            return by_silence(term.term, negated=not negated)
        case All() | AnyOf():
            each = (by_silence(part, negated=negated) for part in term.terms)
            return any(each) if isinstance(term, All) is not negated else all(each)
        case _:
            return False


def silent_roles(term: Term) -> tuple[Role, ...]:
    """Return the roles of which a term asks whether they are silent."""
    return tuple(leaf.role for leaf in leaves(term) if isinstance(leaf, Silent))


def roles(term: Term) -> tuple[Role, ...]:
    """Return the roles that a term looks at."""
    if isinstance(term, Is):
        return (term.role,)
    found: dict[Role, None] = {}
    for leaf in leaves(term):
        if isinstance(leaf, Preceded):
            found |= {leaf.term.role: None, leaf.by.role: None}
        elif isinstance(leaf, Count):
            found[leaf.term.role] = None
        elif isinstance(leaf, Is | Beyond | Silent):
            found[leaf.role] = None
    return tuple(found)
