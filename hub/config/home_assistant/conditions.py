"""Conditions of Home Assistant as conditions of the rule language."""

from __future__ import annotations

import math
from collections import Counter

from hub.config.home_assistant.places import Missing, Place
from hub.config.home_assistant.read import (
    NotTurned,
    disabled,
    entities,
    fields,
    items,
    text,
    time_of_day,
)
from hub.config.home_assistant.terms import (
    DAY_S,
    MINUTE_S,
    SUN,
    Leaves,
    clock,
    join,
    kind_of,
    no_offset,
    sensed,
    values,
    weekdays,
)
from hub.engine.calendar import Sun
from hub.engine.terms import All, AnyOf, Is, Not, SunIs, Term, TimeIs
from hub.model.document import Mapping, Node
from hub.model.ids import ZoneId
from hub.model.reading import ACTIVE_VALUES
from hub.model.site import Role
from hub.model.text import clean

#: Half a day in seconds: sunrise lies before local noon, sunset behind it.
NOON = 12 * 3600
#: Most sources that ``confirm`` may ask for.
_MOST_SOURCES = 9
_CONDITION = ("condition", "alias", "enabled")
_JOINED = ("and", "or", "not")


class Conditions:
    """Turns conditions; each method raises NotTurned where there is no counterpart."""

    def __init__(self, leaves: Leaves) -> None:
        self._leaves = leaves

    def conditions(self, nodes: tuple[Node, ...], zone: ZoneId) -> list[Term]:
        """Turn conditions that must all hold; one that always holds gives none."""
        found: list[Term] = []
        for node in nodes:
            if disabled(node):
                self._leaves.notes.tell(node, "a condition that is switched off was left out")
            else:
                found += self._condition(node, zone)
        return found

    def _condition(self, node: Node, zone: ZoneId) -> list[Term]:
        for word in _JOINED:  # the short form: `or:` with a list
            if isinstance(node, Mapping) and node.get("condition") is None and node.get(word) is not None:
                parts = fields(node, "a condition", word, "alias", "enabled")
                return self._joined(word, items(parts.get(word)), node, zone)
        kind = kind_of(node, "condition", "condition")
        match kind:
            case "and" | "or" | "not":
                parts = fields(node, "a condition", *_CONDITION, "conditions")
                return self._joined(kind, items(parts.get("conditions")), node, zone)
            case "state":
                return self._state(node, zone)
            case "numeric_state":
                return self._numeric(node, zone)
            case "time":
                return self._time_condition(node)
            case "sun":
                return self._sun_condition(node)
        raise NotTurned(node, f"a condition of kind `{clean(kind, 40)}` has no counterpart")

    def _joined(self, how: str, nodes: tuple[Node, ...], node: Node, zone: ZoneId) -> list[Term]:
        if not nodes:
            raise NotTurned(node, f"`{how}` joins no conditions")
        if how == "and":
            return self.conditions(nodes, zone)
        parts = [found for one in nodes if (found := self.conditions((one,), zone)) or not disabled(one)]
        if not all(parts):
            if how == "or":
                return []  # one of them always holds
            raise NotTurned(node, "can never hold")
        if not parts:
            return []  # all of them are switched off
        either = join([join(part, All) for part in parts], AnyOf)
        return [Not(either) if how == "not" else either]

    def _state(self, node: Node, zone: ZoneId) -> list[Term]:
        parts = fields(node, "a state condition", *_CONDITION, "entity_id", "state", "match")
        named = entities(parts.get("entity_id"), node)
        if any(entity == SUN for _, entity in named):
            return [self._leaves.horizon(parts.get("state"), parts, named)]
        match = parts.get("match")
        how = "all" if match is None else text(match, "`match`")
        if how not in {"all", "any"}:
            raise NotTurned(node, "`match` is `all` or `any`")
        here = Counter(self._here(place, entity, zone) for place, entity in named)
        terms = [self._is(node, parts, place, count, how) for place, count in here.items()]
        return terms if how == "all" else [join(terms, AnyOf)]

    def _is(self, node: Node, parts: Mapping, place: Place, count: int, how: str) -> Term:
        found = values(parts.get("state"), node, sensed(node, place).capability)
        if len(found) != 1:
            raise NotTurned(parts.get("state") or node, "several states in one condition have no counterpart")
        (wanted,) = found
        if isinstance(wanted, Missing):
            raise NotTurned(parts.get("state") or node, _silence(place.role))
        active, bound = wanted in ACTIVE_VALUES, len(self._leaves.places.zone(place.zone).bound(place.role))
        self._leaves.breadth(node, place, count)
        if count == 1 or (active is (how == "any")):
            return Is(place.role, wanted)
        if not active or (count < bound and count > _MOST_SOURCES):
            raise NotTurned(node, f"`{wanted}` of some of several has no counterpart")
        return Is(place.role, wanted, confirm=count if count < bound else 0)

    def _numeric(self, node: Node, zone: ZoneId) -> list[Term]:
        parts = fields(node, "a numeric condition", *_CONDITION, "entity_id", "above", "below")
        named = entities(parts.get("entity_id"), node)
        here = Counter(self._here(place, entity, zone) for place, entity in named)
        if any(count > 1 for count in here.values()):
            raise NotTurned(node, "numbers of several entities that must all be so have no counterpart")
        return [term for place in here for term in self._leaves.beyond(node, parts, place, 1)]

    def _time_condition(self, node: Node) -> list[Term]:
        parts = fields(node, "a time condition", *_CONDITION, "after", "before", "weekday")
        after, before, days = (parts.get(key) for key in ("after", "before", "weekday"))
        if after is None and before is None and days is None:
            raise NotTurned(node, "needs `after`, `before` or `weekday`")
        terms: list[Term] = [] if after is None and before is None else self._window(after, before, node)
        return terms if days is None else [*terms, weekdays(days)]

    def _window(self, after: Node | None, before: Node | None, node: Node) -> list[Term]:
        """Turn a window of the day, widened to whole minutes. Equal sides are the whole day (HA core, condition)."""
        first = 0 if after is None else time_of_day(after, node, "`after`")
        last = DAY_S if before is None else time_of_day(before, node, "`before`")
        begin, end = math.floor(first / MINUTE_S) * MINUTE_S, math.ceil(last / MINUTE_S) * MINUTE_S
        if first > last and begin <= end:
            raise NotTurned(node, "leaves out less than a minute of the day, which has no counterpart")
        if (begin, end) != (first, last):
            self._leaves.notes.tell(node, f"its window was widened to whole minutes: {clock(begin)} to {clock(end)}")
        whole = first == last or (begin, end) == (0, DAY_S)
        return [] if whole else [TimeIs(begin, end % DAY_S)]

    def _sun_condition(self, node: Node) -> list[Term]:
        """Turn a side of the sun. Alone, ``after`` ends at midnight and ``before`` begins there, as documented."""
        parts = fields(node, "a sun condition", *_CONDITION, "after", "before", "after_offset", "before_offset")
        no_offset(parts.get("after_offset"))
        no_offset(parts.get("before_offset"))
        words = tuple(
            None if (side := parts.get(key)) is None else text(side, f"`{key}`") for key in ("after", "before")
        )
        morning, evening = TimeIs(0, NOON), TimeIs(NOON, 0)
        up, down = SunIs(Sun.UP), SunIs(Sun.DOWN)
        known: dict[tuple[str | None, ...], list[Term]] = {
            ("sunrise", "sunset"): [up],
            ("sunset", "sunrise"): [down],
            ("sunset", None): [down, evening],
            (None, "sunrise"): [down, morning],
            ("sunrise", None): [AnyOf((up, evening))],
            (None, "sunset"): [AnyOf((up, morning))],
        }
        if words not in known:
            raise NotTurned(node, "needs `after` and `before` with sunrise or sunset")
        self._leaves.need_sun(node)
        return known[words]

    def _here(self, node: Node, entity: str, zone: ZoneId) -> Place:
        place = self._leaves.places.place(node, entity)
        if place.zone != zone:
            raise NotTurned(node, f"`{entity}` lies in zone `{place.zone}`, but a rule in `{zone}` sees only its own")
        return place


def _silence(role: Role) -> str:
    return f"waits for a device that says nothing; write a rule of your own with `silent: {{{role}: 10 min}}`"
