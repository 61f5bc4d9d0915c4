"""Rules compiled for one site: closures per rule, slots per rule and zone, indexed by what they watch."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from hub.engine.calendar import Calendar
from hub.engine.rule import Rule, RuleAction
from hub.engine.terms import (
    Beyond,
    Count,
    ModeIs,
    Preceded,
    Silent,
    SupplySilent,
    Term,
    by_silence,
    leaves,
    roles,
    silent_roles,
)
from hub.engine.trace import Tracer, witnesses
from hub.engine.truth import Test, compile_term
from hub.model.activation import SlotKey
from hub.model.site import Role
from hub.model.time import Duration

if TYPE_CHECKING:
    from hub.model.ids import EntityId
    from hub.model.site import Mode, Site, Zone, ZoneKind

#: Changes remembered of an entity whose order with another matters: a door held open may see as many card readings.
ORDERED = 32


@dataclass(frozen=True, slots=True)
class Stage:
    """One escalation step at its time; a repeated step is several of them."""

    after: Duration
    name: str
    actions: tuple[RuleAction, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Closures:
    """A rule's terms as functions of the view, shared by the rules that ask the same: of many, few ask a new thing."""

    fingerprint: str
    """Names the trigger."""
    trigger: Test
    clear: Test
    conditions: tuple[Test, ...]
    opening: Tracer
    """Why it opens: trigger and conditions."""
    closing: Tracer
    """Why it is over."""
    opens_by_silence: tuple[Role, ...]
    ends_by_silence: tuple[Role, ...]
    """Of whom it is asked whether they are silent, where an absence is no part of the ``for`` (``by_silence``)."""


class Compiler:
    """Makes closures for the rules of one program, each set once."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self._made: dict[bytes, Closures] = {}

    def closures(self, rule: Rule) -> Closures:
        """Return the closures of a rule."""
        # as JSON: values that compare equal, such as 1 and 1.0, may still be told apart by a term
        key = msgspec.json.encode((rule.trigger, rule.clear.condition, rule.conditions))
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._make(rule)
        return made

    def _make(self, rule: Rule) -> Closures:
        return Closures(
            fingerprint=rule.trigger.fingerprint,
            trigger=compile_term(rule.trigger.condition, self.calendar),
            clear=compile_term(rule.clear.condition, self.calendar),
            conditions=tuple(compile_term(term, self.calendar) for term in rule.conditions),
            opening=witnesses((rule.trigger.condition, *rule.conditions), self.calendar),
            closing=witnesses((rule.clear.condition,), self.calendar),
            opens_by_silence=_asked(rule.trigger.condition),
            ends_by_silence=_asked(rule.clear.condition),
        )


class Shared:
    """What all zones of one rule have in common. Its closures ask the view which zone it looks at.

    They are made when they are first asked for: of many thousand rules most never fire.
    """

    def __init__(self, rule: Rule, compiler: Compiler) -> None:
        terms = watched(rule)
        found = [leaf for term in terms for leaf in leaves(term)]
        self.rule = rule
        self.roles = tuple(dict.fromkeys(role for term in terms for role in roles(term)))
        """Roles that any term looks at."""
        self.triggering = roles(rule.trigger.condition)
        """Roles that the trigger looks at."""
        self.modes = tuple(dict.fromkeys(leaf.mode for leaf in found if isinstance(leaf, ModeIs)))
        self.remembered = tuple(leaf for leaf in found if isinstance(leaf, Beyond | Count | Preceded))
        """Leaves that need more than the present state."""
        self.silent = any(isinstance(leaf, Silent | SupplySilent) for leaf in found)
        """Whether any term asks for somebody's silence."""
        self._compiler = compiler

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The escalation, unrolled."""
        return _stages(self.rule)

    @cached_property
    def closures(self) -> Closures:
        """Its terms as functions."""
        return self._compiler.closures(self.rule)


@dataclass(frozen=True, slots=True, eq=False)
class SlotProgram:
    """One rule in one zone."""

    key: SlotKey
    shared: Shared
    zone: Zone
    area: str
    calendar: Calendar
    supplies: tuple[tuple[EntityId, ...], ...] = ()
    """What hangs on each supply of the zone."""

    @property
    def rule(self) -> Rule:
        """The rule."""
        return self.shared.rule

    @property
    def fingerprint(self) -> str:
        """Name the trigger it runs under."""
        return self.shared.closures.fingerprint

    def entities(self) -> tuple[EntityId, ...]:
        """Return what it looks at."""
        return tuple(dict.fromkeys(entity for role in self.shared.roles for entity in self.zone.bound(role)))


@dataclass(slots=True)
class Tracking:
    """What must be remembered of an entity, for all rules together."""

    words: dict[str, int] = field(default_factory=dict)
    """How many changes to each word are remembered."""
    limits: dict[str, Beyond] = field(default_factory=dict)


class Program:
    """A rule set for a site. A reading touches only the slots that ``watching`` names."""

    def __init__(self, rules: tuple[Rule, ...], site: Site, calendar: Calendar | None = None) -> None:
        self.rules = rules
        self.site = site
        self.slots: dict[SlotKey, SlotProgram] = {}
        self.tracked: dict[EntityId, Tracking] = {}
        calendar = calendar or Calendar()
        compiler = Compiler(calendar)
        by_entity: dict[EntityId, list[SlotProgram]] = {}
        by_mode: dict[Mode, list[SlotProgram]] = {}
        by_kind: dict[ZoneKind, list[Zone]] = {}
        for zone in site.zones.values():
            by_kind.setdefault(zone.kind, []).append(zone)
        for rule in rules:
            shared = Shared(rule, compiler)
            for zone in _served(rule, site, by_kind):
                if shared.triggering and not any(zone.bound(role) for role in shared.triggering):
                    continue  # nothing in this zone can ever fire the rule
                area = site.areas.get(zone.area) if zone.area is not None else None
                key = SlotKey(rule.id, zone.id)
                slot = SlotProgram(
                    key, shared, zone, "" if area is None else area.name.zh, calendar, _supplies(zone, site)
                )
                self.slots[key] = slot
                self._track(shared, zone)
                for entity in slot.entities():
                    by_entity.setdefault(entity, []).append(slot)
                for mode in shared.modes:
                    by_mode.setdefault(mode, []).append(slot)
        self._by_entity = {entity: tuple(slots) for entity, slots in by_entity.items()}
        self._by_mode = {mode: tuple(slots) for mode, slots in by_mode.items()}

    def watching(self, entity: EntityId) -> tuple[SlotProgram, ...]:
        """Return the slots that a reading of ``entity`` may move."""
        return self._by_entity.get(entity, ())

    def watching_mode(self, mode: Mode) -> tuple[SlotProgram, ...]:
        """Return the slots that a change of ``mode`` may move."""
        return self._by_mode.get(mode, ())

    def watching_silence(self) -> tuple[SlotProgram, ...]:
        """Return the slots that may move when the hub can hear somebody again."""
        return tuple(slot for slot in self.slots.values() if slot.shared.silent)

    def _track(self, shared: Shared, zone: Zone) -> None:
        for leaf in shared.remembered:
            if isinstance(leaf, Beyond):
                for entity in zone.bound(leaf.role):
                    self.tracked.setdefault(entity, Tracking()).limits[leaf.latch] = leaf
                continue
            term, keep = (leaf.term, leaf.at_least) if isinstance(leaf, Count) else (leaf.by, ORDERED)
            for entity in zone.bound(term.role):
                words = self.tracked.setdefault(entity, Tracking()).words
                words[str(term.value)] = max(words.get(str(term.value), 0), keep)


def watched(rule: Rule) -> tuple[Term, ...]:
    """Return every term of a rule that is evaluated."""
    return (rule.trigger.condition, rule.clear.condition, *rule.conditions)


def _asked(term: Term) -> tuple[Role, ...]:
    return silent_roles(term) if by_silence(term) else ()


def _supplies(zone: Zone, site: Site) -> tuple[tuple[EntityId, ...], ...]:
    """Return what hangs on each supply of a zone; most have none."""
    found = (site.zones.get(name) for name in zone.supplied_by)
    return tuple(supply.bound(Role.DEVICE) for supply in found if supply is not None)


def _served(rule: Rule, site: Site, by_kind: dict[ZoneKind, list[Zone]]) -> list[Zone]:
    """Return the zones that a rule serves, in the order in which it or the site names them."""
    if rule.only:
        named = (site.zones[zone] for zone in dict.fromkeys(rule.only) if zone in site.zones)
        return [zone for zone in named if zone.kind is rule.zone_kind and rule.applies_to(zone.id)]
    return [zone for zone in by_kind.get(rule.zone_kind, ()) if rule.applies_to(zone.id)]


def _stages(rule: Rule) -> tuple[Stage, ...]:
    """Unroll the escalation, in the order of time."""
    stages = [
        Stage(
            Duration(step.after + turn * step.every),
            f"{number}.{turn}" if step.times > 1 else str(number),
            step.actions,
        )
        for number, step in enumerate(rule.escalation, start=1)
        for turn in range(step.times)
    ]
    return tuple(sorted(stages, key=lambda stage: stage.after))
