"""What is wrong with a rule that reads well: it could never fire, never end, speak to nobody, or fight with another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from hub.engine.parse import MAX_SPEECH
from hub.engine.rule import Rule
from hub.engine.terms import Is, Preceded, Term, leaves, roles
from hub.engine.worlds import truths
from hub.model.decision import Capture, Say, Switch
from hub.model.document import Finding, Mapping, Mark, Node, Sequence
from hub.model.ids import EntityId
from hub.model.site import Role
from hub.model.time import DAY, Duration, format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hub.model.ids import RuleId
    from hub.model.site import Site, Zone

#: Latest step of an escalation after the activation began, repeats included.
MAX_ESCALATION = 7 * DAY
#: Characters after which a driver has stopped listening: about 20 s of Mandarin.
LONG_SPEECH = 80
#: A whole number plate (GA 36-2018): province, letter, then five or six letters and digits.
_PLATE = re.compile("[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·• ]?[A-HJ-NP-Z0-9]{5,6}")
_FIT = {Say: (Role.SPEAKER, "say"), Capture: (Role.CAMERA, "capture")}


class Hold(msgspec.Struct, frozen=True):
    """A rule holds a relay."""

    relay: EntityId
    hold: Duration
    mark: Mark


class Checked(msgspec.Struct, frozen=True):
    """A rule that was checked alone, and what of it must be compared with others."""

    rule: Rule
    findings: tuple[Finding, ...]
    name_mark: Mark
    holds: tuple[Hold, ...]


class Checker:
    """Checks rules against one site, one at a time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._by_kind: dict[str, list[Zone]] = {}
        for zone in site.zones.values():
            self._by_kind.setdefault(zone.kind, []).append(zone)

    def check(self, rule: Rule, document: Node) -> Checked:
        """Check one rule with the document it was read from."""
        known = [self._site.zones[name] for name in rule.only] if rule.only else self._by_kind.get(rule.zone_kind, ())
        one = _One(rule, document, [zone for zone in known if rule.applies_to(zone.id)])
        findings = (*one.logic(), *one.places(), *one.texts(), *one.steps())
        return Checked(rule, findings, one.mark("name"), tuple(one.holds()))


def compare(checked: Iterable[Checked]) -> list[Finding]:
    """Return all findings, those between rules among them; near-linear in the number of rules."""
    names: dict[str, Rule] = {}
    held: dict[EntityId, tuple[RuleId, Duration]] = {}
    findings: list[Finding] = []
    for one in checked:
        rule = one.rule
        findings += one.findings
        findings += _conflicts(one, held)
        other = names.setdefault(rule.name.zh, rule)
        if other is not rule:
            sentence = f"rule `{other.id}` has the same name; people cannot tell them apart"
            findings.append(_warn(one.name_mark, sentence))
    return findings


def check(rules: Iterable[tuple[Rule, Node]], site: Site) -> list[Finding]:
    """Check a set of rules, each with the document it was read from."""
    checker = Checker(site)
    return compare(checker.check(rule, document) for rule, document in rules)


def _conflicts(one: Checked, held: dict[EntityId, tuple[RuleId, Duration]]) -> Iterator[Finding]:
    """Find a relay that two rules hold for different times: one would let go while the other still wants it."""
    for mine in one.holds:
        rule, hold = held.setdefault(mine.relay, (one.rule.id, mine.hold))
        if rule != one.rule.id and hold != mine.hold:
            times = f"{format_duration(hold)}, this one {format_duration(mine.hold)}"
            sentence = f"rule `{rule}` holds {mine.relay} for {times}: they would cut each other short"
            yield _warn(mine.mark, sentence)


def _warn(mark: Mark, sentence: str) -> Finding:
    return Finding(mark, sentence, warning=True)


class _One:
    """One rule with the zones that it serves."""

    def __init__(self, rule: Rule, document: Node, zones: list[Zone]) -> None:
        self._rule = rule
        self._document = document
        self._zones = zones

    def mark(self, *path: str, word: str = "") -> Mark:
        """Return where a part of the rule stands; ``word`` looks for a key inside it."""
        node: Node = self._document
        for step in path:
            if isinstance(node, Mapping):
                node = node.get(step) or node
            elif isinstance(node, Sequence) and step.isdigit():
                node = node.items[int(step)]
        return (_find(node, word) if word else None) or node.mark

    def logic(self) -> Iterator[Finding]:
        """Find what can never be, what always is, and what would be over at once."""
        rule = self._rule
        trigger, clear = rule.trigger.condition, rule.clear.condition
        terms = (trigger, clear, *rule.conditions)
        asked = dict.fromkeys(role for term in terms for role in roles(term))
        sources = tuple((role, tuple(sorted({len(zone.bound(role)) for zone in self._zones}))) for role in asked)
        seen = truths(terms, sources)
        if seen is None:
            return
        if too_many := self._too_many_sources():
            yield too_many
        elif not any(world[0] for world in seen):
            yield Finding(self.mark("trigger"), "the trigger can never be true: its parts exclude each other")
        elif not any(world[0] and all(world[2:]) for world in seen):
            yield Finding(self.mark("conditions"), "the conditions exclude the trigger: this rule can never fire")
        elif all(world[0] for world in seen):
            yield _warn(self.mark("trigger"), "the trigger is always true: this rule fires at once and everywhere")
        if not any(world[1] for world in seen):
            yield Finding(self.mark("clear"), "`clear` can never be true: this rule would never be over")
        elif any(world[0] for world in seen) and all(world[1] for world in seen if world[0]):
            yield Finding(self.mark("clear"), "`clear` holds whenever the trigger does: the rule would be over at once")

    def _too_many_sources(self) -> Finding | None:
        """A zone may bind fewer sources than must agree."""
        for leaf in leaves(self._rule.trigger.condition):
            if isinstance(leaf, Is) and leaf.confirm > 1 and self._zones:
                most = max(len(zone.bound(leaf.role)) for zone in self._zones)
                if 0 < most < leaf.confirm and len(leaves(self._rule.trigger.condition)) == 1:
                    sentence = f"{leaf.confirm} sources must agree, but no zone binds more than {most} as `{leaf.role}`"
                    return _warn(self.mark("trigger", word="confirm"), sentence)
        return None

    def places(self) -> Iterator[Finding]:
        """Find roles that nothing is bound as, where there are zones of the kind at all."""
        rule, kind = self._rule, self._rule.zone_kind
        if not self._zones:
            return
        parts = [("trigger", rule.trigger.condition, "this rule can never fire")]
        parts += [("conditions", term, "the rule, which asks for it, never fires") for term in rule.conditions]
        parts.append(("clear", rule.clear.condition, "this rule would never be over"))
        for part, term, consequence in parts:
            for role in _needed(term):
                if not any(zone.bound(role) for zone in self._zones):
                    sentence = f"no {kind} binds a `{role}`: {consequence} until one does"
                    yield _warn(self.mark(part, word=role), sentence)
        for index, action in enumerate(rule.actions):
            fits = (action.role, "switch") if isinstance(action, Switch) else _FIT.get(type(action))
            lacking = [zone.id for zone in self._zones if fits is not None and not zone.bound(fits[0])]
            if fits is not None and lacking:
                where = ", ".join(lacking[:3]) + (" …" if len(lacking) > 3 else "")
                yield _warn(self.mark("actions", str(index), word=fits[1]), f"no `{fits[0]}` is bound in {where}")
            unseen = [zone.id for zone in self._zones if not zone.see]
            if isinstance(action, Capture) and action.is_clip and unseen:
                where = ", ".join(unseen[:3]) + (" …" if len(unseen) > 3 else "")
                sentence = f"no camera watches {where} (`see` in hub.yaml), so a picture is taken instead of a clip"
                yield _warn(self.mark("actions", str(index), word="capture"), sentence)

    def texts(self) -> Iterator[Finding]:
        """Find sentences that are too long once the zone's name is in them, and number plates."""
        longest = max((zone.name.zh for zone in self._zones), key=len, default="")
        for part, actions in self._steps():
            for index, action in enumerate(actions):
                if not isinstance(action, Say):
                    continue
                spoken = action.text.zh.replace("{zone}", longest).replace("{minutes}", "999")
                plated = _PLATE.search(action.text.zh + action.text.en)
                if not plated and len(spoken) <= LONG_SPEECH:
                    continue
                mark = self.mark(*part, str(index), word="say")
                if plated:
                    yield Finding(mark, "a text must not name a number plate; say 您的车辆 instead")
                if len(spoken) > MAX_SPEECH:
                    allowed = f"{len(spoken)} characters, {MAX_SPEECH} are allowed"
                    yield Finding(mark, f"with the zone's name this has {allowed}")
                elif len(spoken) > LONG_SPEECH:
                    length = f"{len(spoken)} characters take about {len(spoken) // 4} s"
                    yield _warn(mark, f"{length}; nobody listens that long: say it in {LONG_SPEECH}")

    def steps(self) -> Iterator[Finding]:
        """Find escalation that comes too late to matter."""
        for index, step in enumerate(self._rule.escalation):
            last = step.after + (step.times - 1) * step.every
            if last > MAX_ESCALATION:
                late = f"the last repetition comes after {format_duration(last)}"
                sentence = f"{late}; an escalation ends after {format_duration(MAX_ESCALATION)}"
                yield Finding(self.mark("escalation", str(index)), sentence)

    def holds(self) -> Iterator[Hold]:
        """Find every relay that the rule holds."""
        for part, actions in self._steps():
            for index, action in enumerate(actions):
                if isinstance(action, Switch):
                    mark = self.mark(*part, str(index), word="switch")
                    for zone in self._zones:
                        yield from (Hold(relay, action.hold, mark) for relay in zone.bound(action.role))

    def _steps(self) -> Iterator[tuple[tuple[str, ...], tuple[object, ...]]]:
        rule = self._rule
        yield ("actions",), rule.actions
        for index, step in enumerate(rule.escalation):
            yield ("escalation", str(index), "actions"), step.actions
        yield ("clear", "actions"), rule.clear.actions


def _needed(term: Term) -> tuple[Role, ...]:
    """Return the roles without which ``term`` is never known; where no card reader is bound there was no card."""
    found = dict.fromkeys(roles(term))
    for leaf in leaves(term):
        if isinstance(leaf, Preceded) and leaf.negated:
            found.pop(leaf.by.role, None)
    return tuple(found)


def _find(node: Node, word: str) -> Mark | None:
    """Return the place of a key, wherever it stands below ``node``."""
    if isinstance(node, Mapping):
        for key, value in node.items:
            if key.text == word:
                return key.mark
            if (found := _find(value, word)) is not None:
                return found
    elif isinstance(node, Sequence):
        for item in node.items:
            if (found := _find(item, word)) is not None:
                return found
    return None
