"""From a document to a typed rule. Every finding names the place and what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.engine.rule import (
    Clear,
    CloseIncident,
    Condition,
    Escalation,
    Is,
    ModeIs,
    Not,
    OpenIncident,
    Rule,
    RuleAction,
    Trigger,
)
from hub.model.decision import Capture, Notify, Say, Severity
from hub.model.document import Mapping, Node, Scalar
from hub.model.ids import NAME, RuleId
from hub.model.reader import Reader, suggest
from hub.model.reading import VALUES
from hub.model.site import ROLE_CAPABILITY, Mode, Role, ZoneKind
from hub.model.text import Text
from hub.model.time import DAY, HOUR, SECOND, Duration

if TYPE_CHECKING:
    from hub.model.site import Site

_KEYS = ("name", "conditions", "escalation", "tolerate_gap", "stale_after", "cooldown")
#: Longest text a loudspeaker is given, in characters: about 40 s of Mandarin at four characters a second.
MAX_SPEECH = 160
#: Roles whose entities are read, not commanded.
SENSED = tuple(role for role, capability in ROLE_CAPABILITY.items() if capability in VALUES)


class RuleParser:
    """Reads one rule against the site whose zones, prompts and contacts it speaks of."""

    def __init__(self, reader: Reader, site: Site) -> None:
        self._reader = reader
        self._site = site

    def rule(self, document: Node) -> Rule | None:
        """Read a whole document; None when it had findings."""
        before = len(self._reader.findings)
        root = self._reader.mapping(
            document, "a rule", required=("rule", "zones", "trigger", "actions", "clear"), optional=_KEYS
        )
        if root is None:
            return None
        rule_id = self._reader.text(root.get("rule"), "`rule`", 64)
        if rule_id is not None and not NAME.match(rule_id):
            self._reader.report(root.get("rule") or root, f"`{rule_id}` is no name: use a-z, 0-9 and _")
        zone_kind = self._zones(root.get("zones"))
        trigger = self._trigger(root.get("trigger"))
        clear = self._clear(root.get("clear"))
        conditions = [self._condition(item) for item in self._reader.sequence(root.get("conditions"), "`conditions`")]
        actions = self._actions(root.get("actions"))
        escalation = self._escalation(root.get("escalation"))
        name = self._reader.words(root.get("name"), "`name`", 40)
        limits = {
            "tolerate_gap": self._reader.duration(root.get("tolerate_gap"), "`tolerate_gap`", 0, HOUR),
            "stale_after": self._reader.duration(root.get("stale_after"), "`stale_after`", SECOND, HOUR),
            "cooldown": self._reader.duration(root.get("cooldown"), "`cooldown`", 0, DAY),
        }
        if len(self._reader.findings) > before or not (rule_id and zone_kind and trigger and clear):
            return None
        return Rule(
            id=RuleId(rule_id),
            name=name or Text(zh=rule_id, en=rule_id),
            zone_kind=zone_kind,
            trigger=trigger,
            conditions=tuple(condition for condition in conditions if condition is not None),
            actions=actions,
            escalation=escalation,
            clear=clear,
            file=document.mark.file,
            **{key: value for key, value in limits.items() if value is not None},
        )

    def _zones(self, node: Node | None) -> ZoneKind | None:
        mapping = self._reader.mapping(node, "`zones`", required=("kind",), optional=())
        return self._reader.word(mapping.get("kind") if mapping else None, "zone kind", ZoneKind)

    def _trigger(self, node: Node | None) -> Trigger | None:
        condition, hold, _ = self._watch(node, "`trigger`", ())
        return None if condition is None else Trigger(condition=condition, hold=hold)

    def _clear(self, node: Node | None) -> Clear | None:
        condition, hold, mapping = self._watch(node, "`clear`", ("actions",))
        if condition is None or mapping is None:
            return None
        return Clear(condition=condition, hold=hold, actions=self._actions(mapping.get("actions")))

    def _watch(self, node: Node | None, what: str, also: tuple[str, ...]) -> tuple[Is | None, Duration, Mapping | None]:
        """Read ``role: value`` with an optional ``for``."""
        mapping = self._reader.mapping(node, what, optional=("for", *also, *SENSED))
        if mapping is None:
            return None, Duration(0), None
        hold = self._reader.duration(mapping.get("for"), "`for`", 0, DAY) or Duration(0)
        roles = [(key, value) for key, value in mapping.items if key.text in SENSED]
        if len(roles) != 1:
            self._reader.report(mapping, f"{what} needs exactly one role, like `vehicle: present`{suggest('', SENSED)}")
            return None, hold, mapping
        return self._is(*roles[0]), hold, mapping

    def _is(self, key: Scalar, value: Node) -> Is | None:
        role = Role(key.text)
        word = self._reader.word(value, f"value of {role}", VALUES[ROLE_CAPABILITY[role]])
        return None if word is None else Is(role=role, value=word)

    def _condition(self, node: Node) -> Condition | None:
        mapping = self._reader.mapping(node, "a condition", optional=("not", "mode", *SENSED))
        if mapping is None or len(mapping.items) != 1:
            self._reader.report(node, "a condition is one line, like `- not: {mode: maintenance}`")
            return None
        key, value = mapping.items[0]
        if key.text == "not":
            term = self._condition(value)
            if isinstance(term, Not):
                self._reader.report(value, "`not` of `not` says nothing; leave both out")
                return None
            return None if term is None else Not(term)
        if key.text == "mode":
            mode = self._reader.word(value, "mode", Mode)
            return None if mode is None else ModeIs(mode)
        return self._is(key, value) if key.text in SENSED else None

    def _escalation(self, node: Node | None) -> tuple[Escalation, ...]:
        steps: list[Escalation] = []
        for item in self._reader.sequence(node, "`escalation`"):
            mapping = self._reader.mapping(item, "an escalation step", required=("after", "actions"), optional=())
            after = self._reader.duration(mapping.get("after") if mapping else None, "`after`", SECOND, DAY)
            if mapping is None or after is None:
                continue
            if steps and after <= steps[-1].after:
                self._reader.report(item, "escalation steps must stand in the order of their time")
            steps.append(Escalation(after=after, actions=self._actions(mapping.get("actions"))))
        return tuple(steps)

    def _actions(self, node: Node | None) -> tuple[RuleAction, ...]:
        actions = (self._action(item) for item in self._reader.sequence(node, "`actions`"))
        return tuple(action for action in actions if action is not None)

    def _action(self, node: Node) -> RuleAction | None:
        names = ("capture", "say", "notify", "open_incident", "close_incident")
        mapping = self._reader.mapping(node, "an action", optional=names)
        if mapping is None or len(mapping.items) != 1:
            self._reader.report(node, "an action is one line, like `- capture: snapshot`")
            return None
        key, value = mapping.items[0]
        if key.text not in names:
            return None
        if key.text == "capture":
            return self._capture(value)
        if key.text == "say":
            return self._say(value)
        if key.text == "notify":
            return self._notify(value)
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
        self._reader.report(node, "`capture` takes `snapshot`; clips with `before` and `after` are not available yet")
        return None

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
        text = self._reader.words(mapping.get("text"), "`text`", MAX_SPEECH)
        volume = self._reader.integer(mapping.get("volume"), "`volume`", 0, 100)
        return None if text is None else Say(text=text, volume=80 if volume is None else volume)

    def _notify(self, node: Node) -> Notify | None:
        name = self._reader.text(node, "`notify`", 64)
        if name is not None and name not in self._site.contacts:
            self._reader.report(node, f"no contact `{name}` in hub.yaml{suggest(name, self._site.contacts)}")
            return None
        return None if name is None else Notify(name)
