"""What triggers and conditions of Home Assistant share: states, numbers, days, the sun."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from hub.config.home_assistant.places import Missing, Place, Places, value
from hub.config.home_assistant.read import (
    NotTurned,
    duration,
    fields,
    is_null,
    items,
    number,
    scalar,
    text,
)
from hub.engine.calendar import Sun, Weekday
from hub.engine.terms import All, AnyOf, Beyond, SunIs, Term, WeekdayIs
from hub.model.document import Mapping, Node
from hub.model.reading import VALUES, Capability, Value
from hub.model.text import clean

if TYPE_CHECKING:
    from hub.config.home_assistant.notes import Notes

MINUTE_S, DAY_S = 60, 24 * 3600
_HORIZON = {"below_horizon": Sun.DOWN, "above_horizon": Sun.UP, "sunset": Sun.DOWN, "sunrise": Sun.UP}
SUN = "sun.sun"


def join(terms: list[Term], how: type[All] | type[AnyOf]) -> Term:
    """Join one or more conditions."""
    return terms[0] if len(terms) == 1 else how(tuple(terms))


class Leaves:
    """Turns single conditions; each method raises NotTurned where there is no counterpart."""

    def __init__(self, places: Places, notes: Notes, *, sun_known: bool) -> None:
        self.places = places
        self.notes = notes
        self._sun_known = sun_known

    def horizon(self, state: Node | None, node: Mapping, named: tuple[object, ...]) -> Term:
        """Turn a state of the entity ``sun.sun``."""
        if len(named) > 1:
            raise NotTurned(node, f"`{SUN}` and other entities in one: write them apart")
        return self.sun(scalar(state, node, "the state of the sun"))

    def sun(self, node: Node) -> SunIs:
        """Turn a side of the horizon."""
        word = text(node, "the sun")
        if word not in _HORIZON:
            raise NotTurned(node, f"`{clean(word, 40)}` is no place of the sun")
        self.need_sun(node)
        return SunIs(_HORIZON[word])

    def need_sun(self, node: Node) -> None:
        """Refuse where hub.yaml does not say where the sun is seen from."""
        if not self._sun_known:
            raise NotTurned(node, "asks for the sun, but hub.yaml has no latitude and longitude: see `site.calendar`")

    def beyond(self, node: Node, parts: Mapping, place: Place, count: int) -> list[Term]:
        """Turn limits of a number."""
        if place.capability is not Capability.MEASURE:
            raise NotTurned(node, f"`{place.role}` is no number")
        terms: list[Term] = []
        directions: tuple[Literal["above", "below"], ...] = ("above", "below")
        for direction in directions:
            if (limit := parts.get(direction)) is not None and not is_null(limit):
                at = number(limit, node, f"`{direction}`")
                terms.append(Beyond(place.role, direction, at, at))
        if not terms:
            raise NotTurned(node, "needs `above` or `below`")
        if len(terms) > 1 and len(self.places.zone(place.zone).bound(place.role)) > 1:
            raise NotTurned(node, f"`above` and `below` of several that are bound as {place.role} have no counterpart")
        self.breadth(node, place, count)
        return terms

    def breadth(self, node: Node, place: Place, count: int) -> None:
        """Say it where the zone binds more entities, or none, in that role."""
        bound = len(self.places.zone(place.zone).bound(place.role))
        if bound > count:
            self.notes.tell(node, f"zone `{place.zone}` has {bound} bound as {place.role}; the rule looks at all")
        elif not bound:
            self.notes.tell(node, f"zone `{place.zone}` has nothing bound as {place.role} yet: till then it is silent")


def kind_of(node: Node, old: str, new: str) -> str:
    """Return the kind of a trigger or condition by its key, in old or new syntax. Raises NotTurned."""
    if not isinstance(node, Mapping):
        fields(node, "a trigger or condition")  # says what it is
        raise NotTurned(node, "says nothing")
    return scalar(node.get(new) or node.get(old), node, f"`{new}`").text


def no_offset(node: Node | None) -> None:
    """Refuse an offset that is not zero. Raises NotTurned."""
    if node is None or is_null(node):
        return
    if text(node, "`offset`").lstrip("+-").strip("0:") if not isinstance(node, Mapping) else duration(node, "`offset`"):
        raise NotTurned(node, "an offset from sunrise or sunset has no counterpart")


def weekdays(node: Node) -> WeekdayIs:
    """Turn days of the week. Raises NotTurned."""
    days = []
    for item in items(node):
        word = text(item, "`weekday`")
        if word not in set(Weekday):
            raise NotTurned(item, f"`{clean(word, 40)}` is no day of the week, like `mon`")
        days.append(Weekday(word))
    if not days:
        raise NotTurned(node, "`weekday` is empty")
    return WeekdayIs(tuple(dict.fromkeys(days)))


def sensed(node: Node, place: Place) -> Place:
    """Return a place that has words for states. Raises NotTurned."""
    if place.capability not in VALUES:
        raise NotTurned(node, f"`{place.role}` has no states that a rule could wait for")
    return place


def values(node: Node | None, parent: Node, capability: Capability) -> set[Value | Missing]:
    """Return what states mean, for entities of one capability. Raises NotTurned."""
    found: set[Value | Missing] = set()
    for item in items(node):
        state = scalar(item, parent, "a state")
        known = value(capability, state.text)
        if known is None:
            raise NotTurned(state, f"`{clean(state.text, 40)}` is no state of a {capability} entity")
        found.add(known)
    if not found:
        raise NotTurned(node or parent, "the state is missing")
    return found


def clock(seconds: int) -> str:
    """Write seconds after midnight as a person would."""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"
