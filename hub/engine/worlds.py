"""Whether a condition can hold at all: every combination of what its leaves may see, tried out; bounded, never unsound.

A world says of each role how many of its devices are in the active value, of each number where it lies, of each mode
whether it is on, and what time it is. What cannot be settled that way (order, counts, silence, several numbers) may be
either, so a condition is called impossible only when no world makes it true.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from hub.engine.calendar import Day, Sun, Weekday
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
    leaves,
)
from hub.model.reading import ACTIVE_VALUES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hub.engine.terms import Leaf
    from hub.model.site import Role

#: Worlds that are tried before the question is left open.
MOST = 20_000
#: One thing that a world settles, and how: ``("vehicle", (1, 2))`` is one of two.
Settled = tuple[str, object]


@lru_cache(maxsize=1_000)  # rules of a large site resemble each other
def truths(
    terms: tuple[Term, ...], sources: tuple[tuple[Role, tuple[int, ...]], ...]
) -> frozenset[tuple[bool, ...]] | None:
    """Return every combination of truths that ``terms`` can have together; None when there are too many worlds.

    ``sources`` says how many devices a zone may bind in each role.
    """
    bound = dict(sources)
    found = [leaf for term in terms for leaf in leaves(term)]
    axes = list(_axes(found, bound))
    size = 1
    for axis in axes:
        size *= len(axis)
        if size > MOST:
            return None
    seen: set[tuple[bool, ...]] = set()
    for world in itertools.product(*axes):
        settled = dict(world)
        seen.add(tuple(_holds(term, settled) for term in terms))
    return frozenset(seen)


def _axes(found: list[Leaf], sources: Mapping[Role, Iterable[int]]) -> Iterator[list[Settled]]:
    """Return, for each thing that the leaves look at, what it may be."""
    parts = [part for leaf in found for part in _parts(leaf)]
    for role in dict.fromkeys(part.role for part in parts if isinstance(part, Is)):
        counts = sorted({count for count in sources.get(role, ()) if count > 0}) or _guessed(parts, role)
        yield [(f"role {role}", (active, count)) for count in counts for active in range(count + 1)]
    for role in dict.fromkeys(leaf.role for leaf in found if isinstance(leaf, Beyond)):
        limits = [leaf for leaf in found if isinstance(leaf, Beyond) and leaf.role == role]
        if set(sources.get(role, (1,))) <= {0, 1}:
            yield [(f"number {role}", truth) for truth in _regions(limits)]
        else:
            for leaf in dict.fromkeys(limits):
                yield [(_name(leaf), False), (_name(leaf), True)]
    for mode in dict.fromkeys(leaf.mode for leaf in found if isinstance(leaf, ModeIs)):
        yield [(f"mode {mode}", False), (f"mode {mode}", True)]
    windows = [leaf for leaf in found if isinstance(leaf, TimeIs)]
    if windows:
        edges = {edge for leaf in windows for edge in (leaf.begin, leaf.end)}
        yield [("time", second) for second in sorted(edges)]
    if any(isinstance(leaf, WeekdayIs) for leaf in found):
        yield [("weekday", day) for day in Weekday]
    if any(isinstance(leaf, DayIs) for leaf in found):
        yield [("day", day) for day in Day]  # with make-up workdays any weekday may be either
    if any(isinstance(leaf, SunIs) for leaf in found):
        yield [("sun", sun) for sun in Sun]
    for name in dict.fromkeys(
        _name(leaf) for leaf in found if isinstance(leaf, Preceded | Count | Silent | SupplySilent)
    ):
        yield [(name, False), (name, True)]


def _parts(leaf: Leaf) -> tuple[Leaf, ...]:
    """Return the leaves whose roles a world must settle for ``leaf``; the order of events is left open."""
    return (leaf.term,) if isinstance(leaf, Preceded) else (leaf,)


def _guessed(parts: list[Leaf], role: Role) -> list[int]:
    """Return numbers of devices that a zone may come to have."""
    asked = [part.confirm for part in parts if isinstance(part, Is) and part.role == role]
    return sorted({1, 2, max([2, *asked])})


def _regions(limits: list[Beyond]) -> list[dict[str, bool]]:
    """Return the truths of all limits on one number together: by its value, and by its past between limit and reset."""
    edges = sorted({edge for leaf in limits for edge in (leaf.limit, leaf.reset)})
    between = [(low + high) / 2 for low, high in itertools.pairwise(edges)]
    values = [edges[0] - 1, *edges, *between, edges[-1] + 1]
    found: list[dict[str, bool]] = []
    for value in values:
        options = [[(_name(leaf), truth) for truth in _beyond(leaf, value)] for leaf in dict.fromkeys(limits)]
        found += [dict(combined) for combined in itertools.product(*options)]
    return [dict(items) for items in dict.fromkeys(tuple(sorted(truth.items())) for truth in found)]


def _beyond(leaf: Beyond, value: float) -> tuple[bool, ...]:
    if leaf.direction == "above":
        return (True,) if value > leaf.limit else (False,) if value < leaf.reset else (False, True)
    return (True,) if value < leaf.limit else (False,) if value > leaf.reset else (False, True)


def _name(leaf: Leaf) -> str:
    return repr(leaf)


def _holds(term: Term, world: dict[str, object]) -> bool:
    match term:
        case Not():
            return not _holds(term.term, world)
        case All():
            return all(_holds(part, world) for part in term.terms)
        case AnyOf():
            return any(_holds(part, world) for part in term.terms)
        case Is():
            return _agree(term, world[f"role {term.role}"])
        case Preceded():
            return bool(world[_name(term)]) and _holds(term.term, world)
        case Beyond() | Count() | Silent() | SupplySilent():
            region = world.get(f"number {term.role}") if isinstance(term, Beyond) else None
            return bool(region[_name(term)] if isinstance(region, dict) else world[_name(term)])
        case _:
            return _time_or_mode(term, world)


def _time_or_mode(term: ModeIs | TimeIs | WeekdayIs | DayIs | SunIs, world: dict[str, object]) -> bool:
    match term:
        case ModeIs():
            return bool(world[f"mode {term.mode}"])
        case TimeIs():
            return _within(term, world["time"])
        case WeekdayIs():
            return world["weekday"] in term.days
        case DayIs():
            return world["day"] is term.day
        case SunIs():
            return world["sun"] is term.sun


def _agree(term: Is, settled: object) -> bool:
    active, count = settled if isinstance(settled, tuple) else (0, 0)
    if term.value not in ACTIVE_VALUES:
        return bool(active == 0)
    return bool(active >= (term.confirm or count))


def _within(term: TimeIs, second: object) -> bool:
    if not isinstance(second, int):
        return False
    if term.begin < term.end:
        return term.begin <= second < term.end
    return second >= term.begin or second < term.end
