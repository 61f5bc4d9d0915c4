"""Rules compiled for one site: closures per rule and zone, indexed by the entities and modes they watch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hub.engine.calendar import Calendar
from hub.engine.rule import Rule, RuleAction
from hub.engine.terms import Beyond, Count, ModeIs, Preceded, Term, leaves, roles
from hub.engine.trace import witnesses
from hub.engine.truth import Test, compile_term
from hub.model.activation import SlotKey
from hub.model.decision import Witness
from hub.model.time import Duration

if TYPE_CHECKING:
    from hub.engine.view import View
    from hub.model.ids import EntityId
    from hub.model.site import Mode, Site, Zone

#: Changes remembered of an entity whose order with another matters: a door held open may see as many card readings.
ORDERED = 32


@dataclass(frozen=True, slots=True)
class Stage:
    """One escalation step at its time; a repeated step is several of them."""

    after: Duration
    name: str
    actions: tuple[RuleAction, ...]


@dataclass(frozen=True, slots=True)
class SlotProgram:
    """One rule in one zone, ready to evaluate."""

    key: SlotKey
    rule: Rule
    zone: Zone
    area: str
    fingerprint: str
    trigger: Test
    clear: Test
    conditions: tuple[Test, ...]
    stages: tuple[Stage, ...]
    calendar: Calendar
    opening: Callable[[View], tuple[Witness, ...]]
    """Why it opens: trigger and conditions."""
    closing: Callable[[View], tuple[Witness, ...]]
    entities: tuple[EntityId, ...]
    modes: tuple[Mode, ...]


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
        self.slots: dict[SlotKey, SlotProgram] = {}
        self.tracked: dict[EntityId, Tracking] = {}
        calendar = calendar or Calendar()
        by_entity: dict[EntityId, list[SlotKey]] = {}
        by_mode: dict[Mode, list[SlotKey]] = {}
        for rule in rules:
            for zone in site.zones.values():
                if zone.kind is not rule.zone_kind or not rule.applies_to(zone.id) or not _serves(rule, zone):
                    continue
                area = site.areas.get(zone.area) if zone.area is not None else None
                slot = _compile(rule, zone, "" if area is None else area.name.zh, calendar)
                self.slots[slot.key] = slot
                self._track(rule, zone)
                for entity in slot.entities:
                    by_entity.setdefault(entity, []).append(slot.key)
                for mode in slot.modes:
                    by_mode.setdefault(mode, []).append(slot.key)
        self._by_entity = {entity: tuple(keys) for entity, keys in by_entity.items()}
        self._by_mode = {mode: tuple(keys) for mode, keys in by_mode.items()}

    def watching(self, entity: EntityId) -> tuple[SlotKey, ...]:
        """Return the slots that a reading of ``entity`` may move."""
        return self._by_entity.get(entity, ())

    def watching_mode(self, mode: Mode) -> tuple[SlotKey, ...]:
        """Return the slots that a change of ``mode`` may move."""
        return self._by_mode.get(mode, ())

    def _track(self, rule: Rule, zone: Zone) -> None:
        for leaf in (leaf for term in watched(rule) for leaf in leaves(term)):
            if isinstance(leaf, Beyond):
                for entity in zone.bound(leaf.role):
                    self.tracked.setdefault(entity, Tracking()).limits[leaf.latch] = leaf
            elif isinstance(leaf, Count | Preceded):
                term, keep = (leaf.term, leaf.at_least) if isinstance(leaf, Count) else (leaf.by, ORDERED)
                for entity in zone.bound(term.role):
                    words = self.tracked.setdefault(entity, Tracking()).words
                    words[str(term.value)] = max(words.get(str(term.value), 0), keep)


def watched(rule: Rule) -> tuple[Term, ...]:
    """Return every term of a rule that is evaluated."""
    return (rule.trigger.condition, rule.clear.condition, *rule.conditions)


def _serves(rule: Rule, zone: Zone) -> bool:
    """A zone where nothing is bound of what the trigger asks about is no business of the rule."""
    found = roles(rule.trigger.condition)
    return not found or any(zone.bound(role) for role in found)


def _compile(rule: Rule, zone: Zone, area: str, calendar: Calendar) -> SlotProgram:
    terms = watched(rule)
    entities = {entity: None for term in terms for role in roles(term) for entity in zone.bound(role)}
    modes = {leaf.mode: None for term in terms for leaf in leaves(term) if isinstance(leaf, ModeIs)}
    return SlotProgram(
        key=SlotKey(rule.id, zone.id),
        rule=rule,
        zone=zone,
        area=area,
        fingerprint=rule.trigger.fingerprint,
        trigger=compile_term(rule.trigger.condition, zone, calendar),
        clear=compile_term(rule.clear.condition, zone, calendar),
        conditions=tuple(compile_term(term, zone, calendar) for term in rule.conditions),
        stages=_stages(rule),
        calendar=calendar,
        opening=witnesses((rule.trigger.condition, *rule.conditions), zone, calendar),
        closing=witnesses((rule.clear.condition,), zone, calendar),
        entities=tuple(entities),
        modes=tuple(modes),
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
