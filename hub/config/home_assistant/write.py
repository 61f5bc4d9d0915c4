"""A rule as YAML that the strict loader reads back to the same rule, whatever its texts hold."""

from __future__ import annotations

import re
from typing import Any

from hub.engine.rule import CloseIncident, Escalation, OpenIncident, Rule, RuleAction
from hub.engine.terms import All, AnyOf, Beyond, Is, Not, SunIs, Term, TimeIs, WeekdayIs
from hub.model.decision import Capture, Notify, Say, Switch
from hub.model.text import Text, clean
from hub.model.time import Duration, format_duration

#: What needs no quotes: a word of the language, or a duration. All else is quoted, which is always right.
_PLAIN = re.compile(r"(?:[a-z][a-z0-9_]*|[0-9]{1,6}(?:\.[0-9]{1,3})? (?:s|min|h|d))\Z")
_SWITCHES = {"yes", "no", "on", "off", "y", "n", "true", "false", "null"}
_ESCAPED = {'"': '\\"', "\\": "\\\\"}
#: In these a line is given to each part.
_BLOCKS = {"trigger", "conditions", "actions", "escalation", "clear"}


def write(rule: Rule, comments: tuple[str, ...], added: str) -> str:
    """Return the file of a rule; ``comments`` are its first lines, ``added`` explains its ``clear``."""
    document: dict[str, Any] = {"rule": rule.id, "name": _words(rule.name)}
    document["zones"] = {"kind": rule.zone_kind, "only": list(rule.only)}
    # above what acts, so that even a file that was cut off acts on nothing
    document |= ({"dry_run": True} if rule.dry_run else {}) | _hold("cooldown", rule.cooldown)
    document["trigger"] = _term(rule.trigger.condition) | _hold("for", rule.trigger.hold)
    if rule.conditions:
        document["conditions"] = [_term(condition) for condition in rule.conditions]
    document["actions"] = _actions(rule.actions)
    if rule.escalation:
        document["escalation"] = [_step(step) for step in rule.escalation]
    document["clear"] = _term(rule.clear.condition) | _hold("for", rule.clear.hold)
    lines = [f"# {clean(comment, 300)}" for comment in comments]
    for key, value in document.items():
        if key == "clear":
            lines.append(f"# {added}")
        lines += _block(key, value) if key in _BLOCKS else [f"{key}: {flow(value)}"]
    return "\n".join(lines) + "\n"


def flow(value: Any) -> str:
    """Write a value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(part) for part in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return _text(str(value))


def _text(text: str) -> str:
    if _PLAIN.match(text) and text not in _SWITCHES:
        return text
    return '"' + "".join(_ESCAPED.get(char) or (char if char.isprintable() else _code(char)) for char in text) + '"'


def _code(char: str) -> str:
    """Escape what is no visible character; the double quotes of YAML know these three forms."""
    number = ord(char)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _block(key: str, value: dict[str, Any] | list[dict[str, Any]]) -> list[str]:
    if isinstance(value, dict):
        return [f"{key}:", *(f"  {name}: {flow(part)}" for name, part in value.items())]
    if not value:
        return [f"{key}: []"]
    lines = [f"{key}:"]
    for item in value:
        pairs = [f"{name}: {flow(part)}" for name, part in item.items()]
        lines += [f"  - {pairs[0]}", *(f"    {pair}" for pair in pairs[1:])]
    return lines


def _words(text: Text) -> dict[str, str]:
    return {"zh": text.zh} | ({"en": text.en} if text.en else {})


def _hold(key: str, hold: Duration) -> dict[str, str]:
    return {key: format_duration(hold)} if hold else {}


def _step(step: Escalation) -> dict[str, Any]:
    return {"after": format_duration(step.after), "actions": _actions(step.actions)}


def _actions(actions: tuple[RuleAction, ...]) -> list[dict[str, Any]]:
    return [_action(action) for action in actions]


def _action(action: RuleAction) -> dict[str, Any]:
    match action:
        case Capture():
            return {"capture": "snapshot"}
        case Say():
            return {"say": {"text": _words(action.text)}}
        case Notify():
            return {"notify": action.contact}
        case Switch():
            return {"switch": {"role": action.role, "for": format_duration(action.hold)}}
        case OpenIncident() | CloseIncident():
            raise TypeError("an automation knows no incidents")


def _term(term: Term) -> dict[str, Any]:
    match term:
        case Is():
            confirm = {} if term.confirm == 1 else {"confirm": term.confirm or "all"}
            return {term.role: term.value} | confirm
        case Beyond():
            return {term.role: {term.direction: term.limit}}
        case TimeIs():
            return {"time": {"from": _clock(term.begin), "to": _clock(term.end)}}
        case WeekdayIs():
            return {"weekday": list(term.days)}
        case SunIs():
            return {"sun": term.sun}
        case Not():
            return {"not": _term(term.term)}
        case All():
            return {"all": [_term(part) for part in term.terms]}
        case AnyOf():
            return {"any": [_term(part) for part in term.terms]}
        case _:
            raise TypeError(f"no automation gives {type(term).__name__}")


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"
