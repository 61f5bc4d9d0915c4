"""Rules compiled for one site: closures per rule and zone, indexed by the entities and modes they watch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub.engine.calendar import Calendar
from hub.engine.rule import Rule, RuleAction
from hub.engine.terms import Beyond, Count, ModeIs, Preceded, Term, leaves, roles
from hub.engine.trace import Tracer, witnesses
from hub.engine.truth import Test, compile_term
from hub.model.activation import SlotKey
from hub.model.time import Duration

if TYPE_CHECKING:
    from hub.model.ids import EntityId
    from hub.model.site import Mode, Role, Site, Zone, ZoneKind

#: Changes remembered of an entity whose order with another matters: a door held open may see as many card readings.
ORDERED = 32


@dataclass(frozen=True, slots=True)
class Stage:
    """One escalation step at its time; a repeated step is several of them."""

    after: Duration
    name: str
    actions: tuple[RuleAction, ...]


@dataclass(frozen=True, slots=True)
class Shared:
    """What all zones of one rule have in common."""

    rule: Rule
    fingerprint: str
    stages: tuple[Stage, ...]
    roles: tuple[Role, ...]
    """Roles that any term looks at."""
    triggering: tuple[Role, ...]
    """Roles that the trigger looks at."""
    modes: tuple[Mode, ...]
    remembered: tuple[Beyond | Count | Preceded, ...]
    """Leaves that need more than the present state."""


class SlotProgram:
    """One rule in one zone. Its closures are made when they are first called: of 100,000 slots most never are."""

    __slots__ = ("area", "calendar", "clear", "closing", "conditions", "key", "opening", "rule", "shared", "trigger",
                 "zone")  # fmt: skip

    trigger: Test
    clear: Test
    conditions: tuple[Test, ...]
    opening: Tracer
    """Why it opens: trigger and conditions."""
    closing: Tracer

    def __init__(self, shared: Shared, zone: Zone, area: str, calendar: Calendar) -> None:
        self.key = SlotKey(shared.rule.id, zone.id)
        self.rule = shared.rule
        self.shared = shared
        self.zone = zone
        self.area = area
        self.calendar = calendar

    def __getattr__(self, name: str) -> Any:
        """Make a closure; Python asks here only while the attribute is not set."""
        rule, zone, calendar = self.rule, self.zone, self.calendar
        made: Any
        match name:
            case "trigger":
                made = compile_term(rule.trigger.condition, zone, calendar)
            case "clear":
                made = compile_term(rule.clear.condition, zone, calendar)
            case "conditions":
                made = tuple(compile_term(term, zone, calendar) for term in rule.conditions)
            case "opening":
                made = witnesses((rule.trigger.condition, *rule.conditions), zone, calendar)
            case "closing":
                made = witnesses((rule.clear.condition,), zone, calendar)
            case _:
                raise AttributeError(name)
        setattr(self, name, made)
        return made

    @property
    def fingerprint(self) -> str:
        """Name the trigger it runs under."""
        return self.shared.fingerprint

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Return the escalation, unrolled."""
        return self.shared.stages

    def entities(self) -> tuple[EntityId, ...]:
        """Return what it looks at."""
        return tuple(dict.fromkeys(entity for role in self.shared.roles for entity in self.zone.bound(role)))


@dataclass(slots=True)
class Tracking:
    """What must be remembered of an entity, for all rules together."""

    words: set[str] = field(default_factory=set)
    keep: int = 0
    limits: dict[str, Beyond] = field(default_factory=dict)


class Program:
    """A rule set for a site. A reading touches only the slots that ``watching`` names."""

    def __init__(self, rules: tuple[Rule, ...], site: Site, calendar: Calendar | None = None) -> None:
        self.rules = rules
        self.site = site
        self.slots: dict[SlotKey, SlotProgram] = {}
        self.tracked: dict[EntityId, Tracking] = {}
        calendar = calendar or Calendar()
        by_entity: dict[EntityId, list[SlotProgram]] = {}
        by_mode: dict[Mode, list[SlotProgram]] = {}
        by_kind: dict[ZoneKind, list[Zone]] = {}
        for zone in site.zones.values():
            by_kind.setdefault(zone.kind, []).append(zone)
        for rule in rules:
            shared = _share(rule)
            for zone in _served(rule, site, by_kind):
                if shared.triggering and not any(zone.bound(role) for role in shared.triggering):
                    continue  # nothing in this zone can ever fire the rule
                area = site.areas.get(zone.area) if zone.area is not None else None
                slot = SlotProgram(shared, zone, "" if area is None else area.name.zh, calendar)
                self.slots[slot.key] = slot
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

    def _track(self, shared: Shared, zone: Zone) -> None:
        for leaf in shared.remembered:
            if isinstance(leaf, Beyond):
                for entity in zone.bound(leaf.role):
                    self.tracked.setdefault(entity, Tracking()).limits[leaf.latch] = leaf
                continue
            term, keep = (leaf.term, leaf.at_least) if isinstance(leaf, Count) else (leaf.by, ORDERED)
            for entity in zone.bound(term.role):
                tracking = self.tracked.setdefault(entity, Tracking())
                tracking.words.add(str(term.value))
                tracking.keep = max(tracking.keep, keep)


def watched(rule: Rule) -> tuple[Term, ...]:
    """Return every term of a rule that is evaluated."""
    return (rule.trigger.condition, rule.clear.condition, *rule.conditions)


def _served(rule: Rule, site: Site, by_kind: dict[ZoneKind, list[Zone]]) -> list[Zone]:
    """Return the zones that a rule serves, in the order in which it or the site names them."""
    if rule.only:
        named = (site.zones[zone] for zone in dict.fromkeys(rule.only) if zone in site.zones)
        return [zone for zone in named if zone.kind is rule.zone_kind and rule.applies_to(zone.id)]
    return [zone for zone in by_kind.get(rule.zone_kind, ()) if rule.applies_to(zone.id)]


def _share(rule: Rule) -> Shared:
    terms = watched(rule)
    found = [leaf for term in terms for leaf in leaves(term)]
    return Shared(
        rule=rule,
        fingerprint=rule.trigger.fingerprint,
        stages=_stages(rule),
        roles=tuple(dict.fromkeys(role for term in terms for role in roles(term))),
        triggering=roles(rule.trigger.condition),
        modes=tuple(dict.fromkeys(leaf.mode for leaf in found if isinstance(leaf, ModeIs))),
        remembered=tuple(leaf for leaf in found if isinstance(leaf, Beyond | Count | Preceded)),
    )


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
