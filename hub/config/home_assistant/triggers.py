"""Triggers of Home Assistant as conditions of the rule language."""

from __future__ import annotations

import math
from collections import Counter

import msgspec

from hub.config.home_assistant.places import Missing, Place
from hub.config.home_assistant.read import (
    NotTurned,
    duration,
    entities,
    fields,
    is_null,
    items,
    scalar,
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
from hub.engine.terms import All, AnyOf, Is, Term, TimeIs
from hub.model.document import Mapping, Node
from hub.model.ids import ZoneId
from hub.model.reading import ACTIVE_VALUES, VALUES, Capability, Value
from hub.model.text import clean
from hub.model.time import DAY, Duration

_TRIGGER = ("platform", "trigger", "id", "alias", "enabled", "variables")


class Watch(msgspec.Struct, frozen=True):
    """One trigger: the zone whose entities it looks at (None: time and sun are everywhere), the condition, ``for``."""

    zone: ZoneId | None
    term: Term
    hold: Duration


class Triggers:
    """Turns triggers; each method raises NotTurned where there is no counterpart."""

    def __init__(self, leaves: Leaves) -> None:
        self._leaves = leaves

    def trigger(self, node: Node) -> tuple[Watch, ...]:
        """Turn one trigger: one watch a zone."""
        kind = kind_of(node, "platform", "trigger")
        match kind:
            case "state":
                return self._state_trigger(node)
            case "numeric_state":
                return self._numeric_trigger(node)
            case "time":
                return (Watch(None, self._time_trigger(node), Duration(0)),)
            case "sun":
                return (Watch(None, self._sun_trigger(node), Duration(0)),)
        raise NotTurned(node, f"a trigger of kind `{clean(kind, 40)}` has no counterpart")

    def _state_trigger(self, node: Node) -> tuple[Watch, ...]:
        parts = fields(node, "a state trigger", *_TRIGGER, "entity_id", "to", "not_to", "from", "not_from", "for")
        hold = _hold(parts)
        named = entities(parts.get("entity_id"), node)
        if any(entity == SUN for _, entity in named):
            return (Watch(None, self._leaves.horizon(parts.get("to"), parts, named), hold),)
        found = self._placed(node, parts)
        watches = []
        for zone in dict.fromkeys(place.zone for place in found):
            here = Counter(place for place in found if place.zone == zone)
            terms: list[Term] = []
            for place, count in here.items():
                wanted = _wanted(parts, sensed(node, place).capability)
                self._leaves.breadth(node, place, count)
                if wanted not in ACTIVE_VALUES and len(self._leaves.places.zone(zone).bound(place.role)) > 1:
                    self._leaves.notes.tell(node, f"`{place.role}: {wanted}` holds when all of them say so, not any")
                terms.append(Is(place.role, wanted))
            watches.append(Watch(zone, join(terms, AnyOf), hold))
        return tuple(watches)

    def _numeric_trigger(self, node: Node) -> tuple[Watch, ...]:
        parts = fields(node, "a numeric trigger", *_TRIGGER, "entity_id", "above", "below", "for")
        hold = _hold(parts)
        found = self._placed(node, parts)
        watches = []
        for zone in dict.fromkeys(place.zone for place in found):
            here = Counter(place for place in found if place.zone == zone)
            terms = [join(self._leaves.beyond(node, parts, place, count), All) for place, count in here.items()]
            watches.append(Watch(zone, join(terms, AnyOf), hold))
        return tuple(watches)

    def _placed(self, node: Node, parts: Mapping) -> list[Place]:
        """Look up the entities of a trigger; those that are bound nowhere are left out, unless that leaves none."""
        found, missing = [], []
        for place, entity in entities(parts.get("entity_id"), node):
            try:
                found.append(self._leaves.places.place(place, entity))
            except NotTurned as error:
                missing.append(error)
        if not found:
            raise missing[0]
        for left_out in missing:
            self._leaves.notes.lose(left_out)
        return found

    def _time_trigger(self, node: Node) -> Term:
        parts = fields(node, "a time trigger", *_TRIGGER, "at", "weekday")
        windows: list[Term] = []
        for item in items(parts.get("at")):
            at = time_of_day(item, node, "`at`")
            begin = math.floor(at / MINUTE_S) * MINUTE_S
            if begin != at:
                self._leaves.notes.tell(item, f"seconds were left away: at {clock(begin)}")
            windows.append(TimeIs(begin, (begin + MINUTE_S) % DAY_S))
        if not windows:
            raise NotTurned(node, "`at` is missing")
        window = join(windows, AnyOf)
        days = parts.get("weekday")
        return window if days is None else All((window, weekdays(days)))

    def _sun_trigger(self, node: Node) -> Term:
        parts = fields(node, "a sun trigger", *_TRIGGER, "event", "offset")
        no_offset(parts.get("offset"))
        return self._leaves.sun(scalar(parts.get("event"), node, "`event`"))


def _hold(parts: Mapping) -> Duration:
    node = parts.get("for")
    if node is None or is_null(node):
        return Duration(0)
    hold = duration(node, "`for`")
    if hold > DAY:
        raise NotTurned(node, "`for` is longer than a day")
    return hold


def _wanted(parts: Mapping, capability: Capability) -> Value:
    """Return the one value that a state trigger waits for."""
    pair: set[Value | Missing] = set(VALUES[capability])
    given = {
        key: values(node, parts, capability)
        for key in ("to", "not_to", "from", "not_from")
        if (node := parts.get(key)) is not None and not is_null(node)
    }
    into = given["to"] if "to" in given else pair - given.get("not_to", given.get("from", set()))
    if Missing.VALUE in into:
        raise NotTurned(parts, "waits for a device that says nothing; write a rule of your own with `silent`")
    if len(into) != 1:
        raise NotTurned(parts, "fires on every change; a rule waits for one state")
    (wanted,) = into
    if isinstance(wanted, Missing):
        raise NotTurned(parts, "waits for a device that says nothing")
    if not pair - into <= given.get("from", pair) or pair - into <= given.get("not_from", set()):
        raise NotTurned(parts, f"waits for a change that is not one to `{wanted}` from its opposite")
    return wanted
