"""From a document to a typed rule. Every finding names the place and what to write instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hub.engine.parse_terms import TermParser
from hub.engine.rule import (
    RATE,
    Clear,
    CloseIncident,
    Escalation,
    OpenIncident,
    QuietHours,
    Rule,
    RuleAction,
    Trigger,
)
from hub.engine.terms import SupplySilent, Term, leaves
from hub.model.decision import Capture, Notify, Rate, Say, Severity, Switch
from hub.model.document import Mapping, Node, Scalar, Sequence
from hub.model.ids import NAME, RuleId, ZoneId
from hub.model.reader import Reader, suggest
from hub.model.reading import Capability
from hub.model.site import ROLE_CAPABILITY, Role, ZoneKind
from hub.model.text import Text
from hub.model.time import DAY, HOUR, MINUTE, SECOND, Duration

if TYPE_CHECKING:
    from hub.model.site import Site

#: Keys of a rule: those that it must have, and the others.
REQUIRED = ("rule", "zones", "trigger", "actions", "clear")
KEYS = (
    "name", "conditions", "escalation", "tolerate_gap", "stale_after", "cooldown", "quiet_hours", "rate", "dry_run",
    "enabled",
)  # fmt: skip
#: What an action may be.
#: Longest clip: what cameras keep of the past, and what a person waits for.
LONGEST_BEFORE, LONGEST_AFTER = Duration(30 * SECOND), Duration(60 * SECOND)
ACTIONS = ("capture", "say", "notify", "switch", "open_incident", "close_incident")
#: Longest name of a rule, in characters.
NAME_LENGTH = 40
#: Longest text a loudspeaker is given, in characters: about 40 s of Mandarin at four characters a second.
MAX_SPEECH = 160
#: Longest that any relay is held, and most repetitions of an escalation step.
MAX_HOLD, MAX_TIMES = HOUR, 30
#: The longest door-hold request (DESIGN.md 6.9); hub.actions enforces it again.
MAX_DOOR_HOLD = 60 * SECOND
#: Most voices that a ``rate`` may allow; hub.actions.rate remembers as many.
MAX_RATE = 60
_REPEAT = ("every", "times")
#: Words that texts may hold in braces.
VARIABLES = ("{zone}", "{area}", "{minutes}")

_BRACES = re.compile(r"{[^}]*}?")
SWITCHED = tuple(role for role, capability in ROLE_CAPABILITY.items() if capability is Capability.RELAY)


class RuleParser:
    """Reads one rule against the site whose zones, prompts and contacts it speaks of."""

    def __init__(self, reader: Reader, site: Site) -> None:
        self._reader = reader
        self._site = site
        self._terms = TermParser(reader)

    def rule(self, document: Node) -> Rule | None:
        """Read a whole document; None when it had findings."""
        before = len(self._reader.findings)
        root = self._reader.mapping(document, "a rule", required=REQUIRED, optional=KEYS)
        if root is None:
            return None
        rule_id = self._reader.text(root.get("rule"), "`rule`", 64)
        if rule_id is not None and not NAME.match(rule_id):
            self._reader.report(root.get("rule") or root, f"`{rule_id}` is no name: use a-z, 0-9 and _")
        zone_kind, only, without = self._zones(root.get("zones"))
        trigger = self._trigger(root.get("trigger"))
        clear = self._clear(root.get("clear"))
        conditions = [self._terms.term(item) for item in self._reader.sequence(root.get("conditions"), "`conditions`")]
        actions = self._actions(root.get("actions"))
        escalation = self._escalation(root.get("escalation"))
        name = self._reader.words(root.get("name"), "`name`", NAME_LENGTH)
        quiet_hours = self._quiet_hours(root.get("quiet_hours"))
        rate = self._rate(root.get("rate"))
        dry_run = self._reader.boolean(root.get("dry_run"), "`dry_run`")
        enabled = self._reader.boolean(root.get("enabled"), "`enabled`")
        tolerate_gap = self._reader.duration(root.get("tolerate_gap"), "`tolerate_gap`", 0, HOUR)
        stale_after = self._reader.duration(root.get("stale_after"), "`stale_after`", SECOND, HOUR)
        cooldown = self._reader.duration(root.get("cooldown"), "`cooldown`", 0, DAY)
        if len(self._reader.findings) > before or not (rule_id and zone_kind and trigger and clear):
            return None
        return Rule(
            id=RuleId(rule_id),
            name=name or Text(zh=rule_id, en=rule_id),
            zone_kind=zone_kind,
            only=only,
            without=without,
            trigger=trigger,
            conditions=tuple(condition for condition in conditions if condition is not None),
            actions=actions,
            escalation=escalation,
            clear=clear,
            tolerate_gap=Duration(60 * SECOND) if tolerate_gap is None else tolerate_gap,
            stale_after=Duration(60 * SECOND) if stale_after is None else stale_after,
            cooldown=Duration(0) if cooldown is None else cooldown,
            quiet_hours=quiet_hours,
            rate=rate or RATE,
            dry_run=dry_run or False,
            enabled=enabled is not False,
            file=document.mark.file,
        )

    def _zones(self, node: Node | None) -> tuple[ZoneKind | None, tuple[ZoneId, ...], tuple[ZoneId, ...]]:
        mapping = self._reader.mapping(node, "`zones`", required=("kind",), optional=("only", "without"))
        if mapping is None:
            return None, (), ()
        kind = self._reader.word(mapping.get("kind"), "zone kind", ZoneKind)
        return kind, self._zone_ids(mapping.get("only"), kind), self._zone_ids(mapping.get("without"), kind)

    def _zone_ids(self, node: Node | None, kind: ZoneKind | None) -> tuple[ZoneId, ...]:
        found = []
        for item in node.items if isinstance(node, Sequence) else (node,) if node is not None else ():
            name = self._reader.text(item, "a zone", 64)
            zone = self._site.zones.get(ZoneId(name)) if name is not None else None
            if zone is not None and zone.kind is kind:
                found.append(zone.id)
            elif name is not None:
                known = [zone.id for zone in self._site.zones.values() if zone.kind is kind]
                self._reader.report(item, f"no zone `{name}` of this kind{suggest(name, known)}")
        return tuple(found)

    def _quiet_hours(self, node: Node | None) -> QuietHours | None:
        if node is None:
            return None
        window = self._terms.window(node, "`quiet_hours`", also=("volume",))
        fields = node if isinstance(node, Mapping) else None
        volume = self._reader.integer(fields.get("volume") if fields else None, "`volume`", 0, 100)
        return None if window is None else QuietHours(*window, volume=0 if volume is None else volume)

    def _rate(self, node: Node | None) -> Rate | None:
        if node is None:
            return None
        fields = self._reader.mapping(node, "`rate`", required=("times", "within"), optional=())
        if fields is None:
            return None
        times = self._reader.integer(fields.get("times"), "`times`", 1, MAX_RATE)
        within = self._reader.duration(fields.get("within"), "`within`", MINUTE, DAY)
        return None if times is None or within is None else Rate(times, within)

    def _trigger(self, node: Node | None) -> Trigger | None:
        condition, hold, _ = self._watch(node, "`trigger`", ())
        return None if condition is None else Trigger(condition=condition, hold=hold)

    def _clear(self, node: Node | None) -> Clear | None:
        condition, hold, mapping = self._watch(node, "`clear`", ("actions",))
        if condition is None or mapping is None:
            return None
        return Clear(condition=condition, hold=hold, actions=self._actions(mapping.get("actions")))

    def _watch(
        self, node: Node | None, what: str, also: tuple[str, ...]
    ) -> tuple[Term | None, Duration, Mapping | None]:
        """Read a condition with an optional ``for``."""
        if not isinstance(node, Mapping):
            self._reader.mapping(node, what)
            return None, Duration(0), None
        hold = self._reader.duration(node.get("for"), "`for`", 0, DAY) or Duration(0)
        term = self._terms.term(node, what, also=("for", *also))
        if term is not None and any(isinstance(leaf, SupplySilent) for leaf in leaves(term)):
            # only looked at when something else moves the rule: as a trigger it would be noticed late
            self._reader.report(node, f"`silent: {{supply: …}}` stands in `conditions` only, not in {what}")
        return term, hold, node

    def _escalation(self, node: Node | None) -> tuple[Escalation, ...]:
        steps: list[Escalation] = []
        for item in self._reader.sequence(node, "`escalation`"):
            mapping = self._reader.mapping(
                item, "an escalation step", required=("after", "actions"), optional=("every", "times")
            )
            after = self._reader.duration(mapping.get("after") if mapping else None, "`after`", SECOND, DAY)
            if mapping is None or after is None:
                continue
            if steps and after <= steps[-1].after:
                self._reader.report(item, "escalation steps must stand in the order of their time")
            every = self._reader.duration(mapping.get("every"), "`every`", SECOND, DAY)
            times = self._reader.integer(mapping.get("times"), "`times`", 2, MAX_TIMES)
            if (every is None) is not (times is None):
                self._reader.report(item, "a repeated step states both `every` and `times`")
            actions = self._actions(mapping.get("actions"))
            steps.append(Escalation(after=after, actions=actions, every=every or Duration(0), times=times or 1))
        return tuple(steps)

    def _actions(self, node: Node | None) -> tuple[RuleAction, ...]:
        actions = (self._action(item) for item in self._reader.sequence(node, "`actions`"))
        return tuple(action for action in actions if action is not None)

    def _action(self, node: Node) -> RuleAction | None:
        mapping = self._reader.mapping(node, "an action", optional=ACTIONS)
        if mapping is None or len(mapping.items) != 1:
            self._reader.report(node, "an action is one line, like `- capture: snapshot`")
            return None
        key, value = mapping.items[0]
        if key.text not in ACTIONS:
            return None
        if key.text == "capture":
            return self._capture(value)
        if key.text == "say":
            return self._say(value)
        if key.text == "notify":
            return self._notify(value)
        if key.text == "switch":
            return self._switch(value)
        if key.text == "open_incident":
            fields = self._reader.mapping(value, "`open_incident`", required=("severity",), optional=())
            severity = self._reader.word(fields.get("severity") if fields else None, "severity", Severity)
            return None if severity is None else OpenIncident(severity)
        if self._reader.text(value, "`close_incident`") not in {None, "cleared"}:
            self._reader.report(value, "the hub closes an incident only as `cleared`; people give other reasons")
        return CloseIncident()

    def _capture(self, node: Node) -> Capture | None:
        if isinstance(node, Scalar) and node.text == "snapshot":
            return Capture()
        if not isinstance(node, Mapping):
            self._reader.report(node, "`capture` takes `snapshot`, or a clip like `{before: 10 s, after: 20 s}`")
            return None
        fields = self._reader.mapping(node, "`capture`", optional=("before", "after"))
        before = self._reader.duration(node.get("before"), "`before`", 0, LONGEST_BEFORE)
        after = self._reader.duration(node.get("after"), "`after`", 0, LONGEST_AFTER)
        clip = Capture(before or Duration(0), after or Duration(0))
        if fields is not None and not node.items:
            self._reader.report(node, "a clip needs `before`, `after` or both")
        return clip if clip.is_clip else None

    def _say(self, node: Node) -> Say | None:
        if isinstance(node, Scalar):
            prompt = self._site.prompts.get(node.text)
            if prompt is None:
                self._reader.report(
                    node, f"no prompt `{node.text}` in hub.yaml{suggest(node.text, self._site.prompts)}"
                )
                return None
            return Say(text=prompt.text, prompt=prompt.id)
        mapping = self._reader.mapping(node, "`say`", required=("text",), optional=("volume",))
        if mapping is None:
            return None
        text = self._spoken(mapping.get("text"))
        volume = self._reader.integer(mapping.get("volume"), "`volume`", 0, 100)
        return None if text is None else Say(text=text, volume=80 if volume is None else volume)

    def _spoken(self, node: Node | None) -> Text | None:
        text = self._reader.words(node, "`text`", MAX_SPEECH)
        if text is None or node is None:
            return None
        for found in _BRACES.findall(text.zh + text.en):
            if found not in VARIABLES:
                self._reader.report(node, f"`{found}` is no variable{suggest(found, VARIABLES)}")
                return None
        return text

    def _switch(self, node: Node) -> Switch | None:
        fields = self._reader.mapping(node, "`switch`", required=("role", "for"), optional=())
        if fields is None:
            return None
        role = self._reader.word(fields.get("role"), "role", Role)
        if role is not None and role not in SWITCHED:
            self._reader.report(fields.get("role") or fields, f"`{role}` is no relay{suggest(role, SWITCHED)}")
            return None
        longest = MAX_DOOR_HOLD if role is Role.DOOR_HOLD else MAX_HOLD
        hold = self._reader.duration(fields.get("for"), "`for`", SECOND, longest)
        return None if role is None or hold is None else Switch(role, hold)

    def _notify(self, node: Node) -> Notify | None:
        name = self._reader.text(node, "`notify`", 64)
        if name is not None and name not in self._site.contacts:
            self._reader.report(node, f"no contact `{name}` in hub.yaml{suggest(name, self._site.contacts)}")
            return None
        return None if name is None else Notify(name)
