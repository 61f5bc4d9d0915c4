"""The JSON Schema (2020-12) of a rule, from the same tables and limits that the parser reads by; for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub.engine.calendar import Day, Sun, Weekday
from hub.engine.parse import ACTIONS, KEYS, MAX_RATE, MAX_SPEECH, MAX_TIMES, NAME_LENGTH, REQUIRED, SWITCHED
from hub.engine.parse_terms import MEASURED, MOST, SENSED, SPEAKING, SUPPLY
from hub.model.decision import Severity
from hub.model.ids import NAME
from hub.model.reading import VALUES
from hub.model.site import ROLE_CAPABILITY, Mode, Role, ZoneKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import StrEnum

Schema = dict[str, Any]

_DURATION = {"$ref": "#/$defs/duration"}
_TERM = {"$ref": "#/$defs/condition"}
_ACTIONS = {"type": "array", "items": {"$ref": "#/$defs/action"}}


def rule_schema() -> Schema:
    """Return the schema. What it refuses the parser refuses, too; the parser knows more (zones, prompts, order)."""
    properties: Schema = {
        "rule": _says("规则的名字，a-z 0-9 _ / id of the rule", {"type": "string", "pattern": _pattern(NAME.pattern)}),
        "name": _says("显示的名称 / name on the page", _words(NAME_LENGTH)),
        "zones": _says("对哪类防区生效 / kind of zone it serves", _zones()),
        "trigger": _says("看什么、持续多久 / what to watch and how long", _watch({})),
        "conditions": _says("还要同时满足 / must hold, too", {"type": "array", "items": _TERM}),
        "actions": _says("触发时做什么 / what to do", _ACTIONS),
        "escalation": _says("仍未解除时再做什么 / what to do when it goes on", {"type": "array", "items": _step()}),
        "clear": _says("什么情况算解除 / when it is over", _watch({"actions": _ACTIONS})),
        "tolerate_gap": _says("测点失联多久以内照常计时 / how long a blind source is tolerated", _DURATION),
        "stale_after": _says("喊话迟于此就不再喊 / a voice later than this is dropped", _DURATION),
        "cooldown": _says("解除后多久内不再触发 / quiet time after clear", _DURATION),
        "quiet_hours": _says("安静时段与音量上限 / window with a cap on volume", _quiet()),
        "rate": _says("同一喇叭的喊话次数上限 / voices per loudspeaker", _rate()),
        "dry_run": _says("只记录，不动作 / decide and record, act on nothing", {"type": "boolean"}),
        "enabled": _says("false：停用 / switched off", {"type": "boolean"}),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "门神规则 / Menshen rule",
        **_object({key: properties[key] for key in (*REQUIRED, *KEYS)}, REQUIRED),
        "$defs": {
            "duration": {
                "type": "string", "pattern": r"^\s*\d{1,6}(\.\d{1,3})?\s*(ms|s|min|h|d)\s*$",
                "description": "带单位的时长 / a number with its unit", "examples": ["30 s", "3 min", "1 h"],
            },
            "time": {"type": "string", "pattern": "^([01][0-9]|2[0-3]):([0-5][0-9])$", "examples": ["22:30"]},
            "condition": _watch({}, held=False),
            "action": {"oneOf": [_object({name: value}, (name,)) for name, value in _actions().items()]},
        },
    }  # fmt: skip


def _object(properties: Schema, required: Iterable[str] = ()) -> Schema:
    return {
        "type": "object", "properties": properties, "required": list(required), "additionalProperties": False,
    }  # fmt: skip


def _says(description: str, schema: Schema) -> Schema:
    return {"description": description, **schema}


def _words(limit: int) -> Schema:
    text = {"type": "string", "minLength": 1, "maxLength": limit}
    return {"oneOf": [text, _object({"zh": text, "en": text}, ("zh",))]}


def _choice(words: Iterable[StrEnum | str]) -> Schema:
    return {"enum": [str(word) for word in words]}


def _one_or_list(item: Schema) -> Schema:
    return {"oneOf": [item, {"type": "array", "items": item}]}


def _zones() -> Schema:
    names = _one_or_list({"type": "string"})
    return _object({"kind": _choice(ZoneKind), "only": names, "without": names}, ("kind",))


def _quiet() -> Schema:
    volume = {"type": "integer", "minimum": 0, "maximum": 100}
    time = {"$ref": "#/$defs/time"}
    return _object({"from": time, "to": time, "volume": volume}, ("from", "to"))


def _rate() -> Schema:
    times = {"type": "integer", "minimum": 1, "maximum": MAX_RATE}
    return _object({"times": times, "within": _DURATION}, ("times", "within"))


def _step() -> Schema:
    times = {"type": "integer", "minimum": 2, "maximum": MAX_TIMES}
    fields = {"after": _DURATION, "actions": _ACTIONS, "every": _DURATION, "times": times}
    schema = _object(fields, ("after", "actions"))
    return {**schema, "dependentRequired": {"every": ["times"], "times": ["every"]}}


def _watch(also: Schema, *, held: bool = True) -> Schema:
    """Return one condition with what may stand beside it: exactly one head, and ``for`` where it is held."""
    also = {**also, **({"for": _DURATION} if held else {})}
    options = [_object({**also, **_sensed(role)}, (role,)) for role in SENSED]
    options += [_object({**also, role: _number()}, (role,)) for role in MEASURED]
    options += [_object({**also, head: value}, (head,)) for head, value in _others().items()]
    return {"oneOf": options}


def _value(role: Role) -> Schema:
    return _choice(VALUES[ROLE_CAPABILITY[role]])


def _event(more: Schema) -> Schema:
    """Return ``role: value`` with further keys."""
    return {"oneOf": [_object({role: _value(role), **more}, (role, *more)) for role in SENSED]}


def _sensed(role: Role) -> Schema:
    confirm = {"oneOf": [{"enum": ["any", "all"]}, {"type": "integer", "minimum": 1, "maximum": 9}]}
    order = _event({"within": _DURATION})
    return {role: _value(role), "confirm": confirm, "after": order, "without": order}


def _number() -> Schema:
    number = {"type": "number"}
    return {
        "oneOf": [_object({side: number, "until": number}, (side,)) for side in ("above", "below")],
    }  # fmt: skip


def _others() -> Schema:
    several = {"type": "array", "items": _TERM, "minItems": 2}
    time = {"$ref": "#/$defs/time"}
    count = {"type": "integer", "minimum": 1, "maximum": MOST}
    return {
        "any": several,
        "all": several,
        "not": _TERM,
        "mode": _choice(Mode),
        "time": _object({"from": time, "to": time}, ("from", "to")),
        "weekday": _one_or_list(_choice(Weekday)),
        "day": _choice(Day),
        "sun": _choice(Sun),
        "count": _event({"times": count, "within": _DURATION}),
        "silent": {"oneOf": [_object({role: _DURATION}, (role,)) for role in (*SPEAKING, SUPPLY)]},
    }


def _actions() -> Schema:
    volume = {"type": "integer", "minimum": 0, "maximum": 100}
    spoken = _object({"text": _words(MAX_SPEECH), "volume": volume}, ("text",))
    clip = _object({"before": _DURATION, "after": _DURATION}, ())
    found: Schema = {
        "capture": _says("拍照或录像 / take a picture or a clip", {"oneOf": [{"const": "snapshot"}, clip]}),
        "say": _says("喊话：提示语的名字或一句话 / a prompt or a sentence", {"oneOf": [{"type": "string"}, spoken]}),
        "notify": _says("通知联系人 / tell a contact", {"type": "string", "maxLength": 64}),
        "switch": _says("接通继电器一段时间 / hold a relay", _object({"role": _choice(SWITCHED), "for": _DURATION},
                                                             ("role", "for"))),
        "open_incident": _says("立案 / open an incident", _object({"severity": _choice(Severity)}, ("severity",))),
        "close_incident": _says("结案 / close the incident", {"const": "cleared"}),
    }  # fmt: skip
    return {name: found[name] for name in ACTIONS}


def _pattern(pattern: str) -> str:
    """Turn a Python pattern that is matched from its beginning into one of ECMA 262."""
    return f"^{pattern.removesuffix(chr(92) + 'Z')}$"
