"""How long entities said something, and how long they could be trusted: sums over the recorded past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.journal.history import noting
from hub.model.entry import ClockJump, Started, Trust
from hub.model.ids import EntityId
from hub.model.reading import ACTIVE_VALUES, NEVER_HEARD, Quality, Reading, next_state, value_from_store
from hub.model.time import Instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hub.engine.replay import Row
    from hub.journal.history import History
    from hub.model.entry import Turn
    from hub.model.reading import State


@dataclass
class _Group:
    """Entities that are measured together: a lane with its bays, a device with its entities."""

    active: int = 0
    """How many of them say present, open or active, and are trusted."""
    good: int = 0
    """How many of them are trusted."""
    heard: int = 0
    """How many of them ever said something."""
    changed: int = 0
    """When one of those counts last changed."""
    active_for: int = 0
    good_for: int = 0
    known_for: int = 0

    def until(self, at: int) -> None:
        """Add what passed since the last change."""
        passed = max(0, at - self.changed)
        self.active_for += passed * (self.active > 0)
        self.good_for += passed * (self.good > 0)
        self.known_for += passed * (self.heard > 0)
        self.changed = at


@dataclass(frozen=True)
class Sums:
    """Microseconds in which any entity of a group was active, trusted, and known at all."""

    active: int
    good: int
    known: int


class _Walk:
    """Goes through the past once, for all groups."""

    def __init__(self, groups: Iterable[frozenset[EntityId]], begin: Instant) -> None:
        self.groups = {names: _Group(changed=begin) for names in groups}
        self.states: dict[EntityId, State] = {}
        self.said: dict[str, tuple[str | float | None, str]] = {}
        """What each entity said last: saying it again changes nothing, and most readings do."""
        self.down = 0
        self._of: dict[EntityId, list[_Group]] = {}
        for names, group in self.groups.items():
            for name in names:
                self._of.setdefault(name, []).append(group)

    def take(self, name: EntityId, state: State, at: int) -> None:
        """Let an entity be otherwise from ``at`` on."""
        before, self.states[name] = self.states.get(name), state
        was, now = _counts(before), _counts(state)
        if was == now:
            return
        for group in self._of[name]:
            group.until(at)
            group.active += now[0] - was[0]
            group.good += now[1] - was[1]
            group.heard += now[2] - was[2]

    def turn(self, turn: Turn, begin: Instant) -> None:
        """Live through what is no reading."""
        match turn:
            case Trust():
                for name in turn.entities:
                    self.said.pop(name, None)
                    before = self.states.get(name, NEVER_HEARD)
                    self.take(name, next_state(before, Reading(name, None, turn.quality, turn.at)), turn.at)
            case Started():  # nobody listened since then: that time is nobody's
                down_from = max(turn.since, begin)
                self.down += max(0, turn.at - down_from)
                for group in self.groups.values():
                    group.until(down_from)
                    group.changed = turn.at
            case ClockJump():
                for group in self.groups.values():
                    group.until(turn.at - turn.by)
                    group.changed = turn.at
            case _:
                pass


def sums(
    history: History,
    groups: Iterable[frozenset[EntityId]],
    begin: Instant,
    end: Instant,
    progress: Callable[[float], None] = lambda part: None,
) -> tuple[dict[frozenset[EntityId], Sums], int]:
    """Sum each group from ``begin`` to ``end``, and say how many microseconds of it the hub was down.

    What was not trusted counts as not active; while the hub was down nothing is counted, not even as known.
    ``progress`` hears of the part that is done, 0 to 1.
    """
    walk = _Walk(groups, begin)
    names = frozenset().union(*walk.groups)
    for name, state in history.known(names, begin).states.items():
        walk.take(name, state, begin)
    length = max(1, end - begin)

    def note(at: Instant) -> None:
        progress(min(1.0, max(0.0, (at - begin) / length)))

    for fact in noting(history.inputs(names, begin, end), note):
        if isinstance(fact, tuple):
            _read(walk, fact)
        else:
            walk.turn(fact, begin)
    for group in walk.groups.values():
        group.until(end)
    return {names: Sums(group.active_for, group.good_for, group.known_for) for names, group in walk.groups.items()}, (
        walk.down
    )


def _read(walk: _Walk, row: Row) -> None:
    _, said, value, quality, at = row
    if walk.said.get(said) == (value, quality):
        return
    walk.said[said] = value, quality
    name = EntityId(said)
    reading = Reading(name, value_from_store(value), Quality(quality), Instant(at))
    walk.take(name, next_state(walk.states.get(name, NEVER_HEARD), reading), at)


def _counts(state: State | None) -> tuple[int, int, int]:
    """Return whether an entity is active, trusted and heard."""
    if state is None:
        return 0, 0, 0
    good = state.quality is Quality.GOOD
    return int(good and state.value in ACTIVE_VALUES), int(good), int(state.at > 0)


def groups_of(*tables: Mapping[str, frozenset[EntityId]]) -> set[frozenset[EntityId]]:
    """Return each set of entities once, none of them empty."""
    return {names for table in tables for names in table.values() if names}
