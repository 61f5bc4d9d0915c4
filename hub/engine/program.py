"""Rules compiled for one site: closures per rule and zone, indexed by the entities and modes they watch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.engine.rule import Condition, Is, ModeIs, Not, Rule
from hub.model.activation import SlotKey
from hub.model.decision import Witness
from hub.model.reading import ACTIVE_VALUES, Quality

if TYPE_CHECKING:
    from hub.engine.state import View
    from hub.model.ids import EntityId
    from hub.model.site import Mode, Site, Zone

#: True, False, or None where it is not known.
Truth = bool | None
Test = Callable[["View"], Truth]


@dataclass(frozen=True, slots=True)
class SlotProgram:
    """One rule in one zone, ready to evaluate."""

    key: SlotKey
    rule: Rule
    fingerprint: str
    trigger: Test
    clear: Test
    conditions: tuple[Test, ...]
    witnesses: Callable[[View], tuple[Witness, ...]]
    """Why it opens: trigger and conditions."""
    clear_witnesses: Callable[[View], tuple[Witness, ...]]
    entities: tuple[EntityId, ...]
    modes: tuple[Mode, ...]


class Program:
    """A rule set for a site. A reading touches only the slots that ``watching`` names."""

    def __init__(self, rules: tuple[Rule, ...], site: Site) -> None:
        self.rules = rules
        self.slots: dict[SlotKey, SlotProgram] = {}
        by_entity: dict[EntityId, list[SlotKey]] = {}
        by_mode: dict[Mode, list[SlotKey]] = {}
        for rule in rules:
            for zone in site.zones.values():
                if zone.kind is not rule.zone_kind or not zone.bound(rule.trigger.condition.role):
                    continue
                slot = _compile(rule, zone)
                self.slots[slot.key] = slot
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


def _compile(rule: Rule, zone: Zone) -> SlotProgram:
    watched = (rule.trigger.condition, rule.clear.condition, *rule.conditions)
    entities: dict[EntityId, None] = {}
    modes: dict[Mode, None] = {}
    for condition in watched:
        term = condition.term if isinstance(condition, Not) else condition
        if isinstance(term, Is):
            entities.update(dict.fromkeys(zone.bound(term.role)))
        else:
            modes[term.mode] = None
    shown = (rule.trigger.condition, *rule.conditions)
    return SlotProgram(
        key=SlotKey(rule.id, zone.id),
        rule=rule,
        fingerprint=rule.trigger.fingerprint,
        trigger=_test(rule.trigger.condition, zone),
        clear=_test(rule.clear.condition, zone),
        conditions=tuple(_test(condition, zone) for condition in rule.conditions),
        witnesses=lambda view: tuple(_witness(condition, zone, view) for condition in shown),
        clear_witnesses=lambda view: (_witness(rule.clear.condition, zone, view),),
        entities=tuple(entities),
        modes=tuple(modes),
    )


def _test(condition: Condition, zone: Zone) -> Test:
    if isinstance(condition, Not):
        return _not(_test(condition.term, zone))
    if isinstance(condition, ModeIs):
        mode = condition.mode
        return lambda view: view.mode(mode)
    return _is(condition, zone.bound(condition.role))


def _not(test: Test) -> Test:
    def negated(view: View) -> Truth:
        truth = test(view)
        return None if truth is None else not truth

    return negated


def _is(condition: Is, entities: tuple[EntityId, ...]) -> Test:
    """Any source suffices for an active value; a calm one needs all of them (three-valued or, three-valued and)."""
    wanted = condition.value
    decides = wanted in ACTIVE_VALUES  # one entity that has (any) or has not (all) the value settles it

    def test(view: View) -> Truth:
        unknown = not entities
        for entity in entities:
            state = view.state(entity)
            if state.quality is not Quality.GOOD:
                unknown = True
            elif (state.value == wanted) is decides:
                return decides
        return None if unknown else not decides

    return test


def _witness(condition: Condition, zone: Zone, view: View) -> Witness:
    """Say what a condition was and which reading decided it."""
    truth = _test(condition, zone)(view)
    term = condition.term if isinstance(condition, Not) else condition
    negated = isinstance(condition, Not)
    if isinstance(term, ModeIs):
        return Witness(holds=truth, negated=negated, mode=term.mode)
    states = [(entity, view.state(entity)) for entity in zone.bound(term.role)]
    good = [pair for pair in states if pair[1].quality is Quality.GOOD and pair[1].value == term.value]
    entity, state = min(good or states, key=lambda pair: pair[1].since, default=(None, None))
    return Witness(
        holds=truth,
        negated=negated,
        role=term.role,
        wanted=str(term.value),
        entity=entity,
        value=None if state is None or state.value is None else str(state.value),
        since=None if state is None else state.since,
    )
