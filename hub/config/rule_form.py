"""A rule as the fields of a form, from its document and back; what no field can show stays as it was written.

A document that does not check reads all the same: a form must show what is wrong. Values are those of the YAML 1.2
core schema (``3 min`` is text, ``80`` a number); hub.engine.parse alone says whether they are right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from hub.config.term_form import Term, Value, is_value, read_term, write_term
from hub.model.document import Finding, Mark
from hub.model.errors import ConfigError

Form = TypeVar("Form")


class Words(msgspec.Struct, frozen=True):
    """A sentence; ``en`` empty where it was not translated."""

    zh: Value
    en: Value = ""


class CaptureForm(msgspec.Struct, frozen=True, tag="capture", tag_field="kind"):
    """Take a picture, or a clip that begins ``before`` and ends ``after`` now."""

    before: Value = None
    after: Value = None


class SayForm(msgspec.Struct, frozen=True, tag="say", tag_field="kind"):
    """Speak a sentence of this rule, ``volume`` 0 to 100."""

    text: Words
    volume: Value = None


class PromptForm(msgspec.Struct, frozen=True, tag="prompt", tag_field="kind"):
    """Speak a prompt of hub.yaml."""

    name: Value


class NotifyForm(msgspec.Struct, frozen=True, tag="notify", tag_field="kind"):
    """Tell a contact."""

    contact: Value


class SwitchForm(msgspec.Struct, frozen=True, tag="switch", tag_field="kind"):
    """Hold a relay."""

    role: Value
    hold: Value


class IncidentForm(msgspec.Struct, frozen=True, tag="open_incident", tag_field="kind"):
    """Open an incident."""

    severity: Value


class CloseForm(msgspec.Struct, frozen=True, tag="close_incident", tag_field="kind"):
    """Close the incident."""


class OtherAction(msgspec.Struct, frozen=True, tag="other", tag_field="kind"):
    """An action that no field can show, as it stands."""

    source: Any


Action = CaptureForm | SayForm | PromptForm | NotifyForm | SwitchForm | IncidentForm | CloseForm | OtherAction


class Watch(msgspec.Struct, frozen=True):
    """A condition and how long it must hold; ``hold`` null where nothing is said."""

    term: Term | None
    hold: Value = None


class StepForm(msgspec.Struct, frozen=True):
    """An escalation step; ``more`` holds keys that no field shows."""

    after: Value
    actions: list[Action]
    every: Value = None
    times: Value = None
    more: dict[str, Any] = {}


class QuietForm(msgspec.Struct, frozen=True):
    """A window of the day in which voices are at most so loud; 0 or null: none speaks."""

    begin: Value
    end: Value
    volume: Value = None


class RuleForm(msgspec.Struct, frozen=True):
    """A whole rule. ``kept`` names the parts that only the YAML can show; they are not written from here."""

    rule: Value
    name: Words
    zone_kind: Value
    only: list[Value]
    without: list[Value]
    trigger: Watch
    conditions: list[Term]
    actions: list[Action]
    escalation: list[StepForm]
    clear: Watch
    clear_actions: list[Action]
    enabled: bool = True
    dry_run: bool = False
    cooldown: Value = None
    quiet_hours: QuietForm | None = None
    kept: list[str] = []


def read_form(document: Any) -> RuleForm:
    """Turn plain values (hub.config.yaml.plain) into fields."""
    root = document if isinstance(document, dict) else {}
    zones = _mapping(root, "zones")
    clear = _mapping(root, "clear")
    steps = _list(root, "escalation")
    return RuleForm(
        rule=_value(root.get("rule")),
        name=_words(root.get("name")) or Words(""),
        zone_kind=_value(zones.get("kind")),
        only=_names(zones.get("only")),
        without=_names(zones.get("without")),
        trigger=_watch(_mapping(root, "trigger")),
        conditions=[read_term(item) for item in _list(root, "conditions")],
        actions=[_action(item) for item in _list(root, "actions")],
        escalation=[_step(item) for item in steps],
        clear=_watch({key: value for key, value in clear.items() if key != "actions"}),
        clear_actions=[_action(item) for item in _list(clear, "actions")],
        enabled=root.get("enabled") is not False,
        dry_run=root.get("dry_run") is True,
        cooldown=_value(root.get("cooldown")),
        quiet_hours=_quiet(root.get("quiet_hours")),
        kept=[key for key in root if not _shown(key, root[key])],
    )


def write_form(form: RuleForm, document: Any) -> dict[str, Any]:
    """Return ``document`` with what the form changed; what it did not change is the very same.

    Raises ConfigError for a condition that cannot stand beside ``for``, which no form of ``read_form`` holds.
    """
    old = document if isinstance(document, dict) else {}
    before = read_form(old)
    parts: dict[str, Any] = {
        "rule": form.rule,
        "name": _if_new(form.name, before.name, old.get("name"), _write_words),
        "zones": _write_zones(form, before, old.get("zones")),
        "trigger": _write_watch(form.trigger, before.trigger, old.get("trigger")),
        "conditions": kept_list(form.conditions, _list(old, "conditions"), read_term, write_term),
        "actions": _write_actions(form.actions, _list(old, "actions")),
        "escalation": kept_list(form.escalation, _list(old, "escalation"), _step, _write_step),
        "clear": _write_clear(form, before, old.get("clear")),
        "cooldown": form.cooldown,
        "quiet_hours": _write_quiet(form.quiet_hours) if form.quiet_hours is not None else None,
        "enabled": None if form.enabled else False,
        "dry_run": True if form.dry_run else None,
    }
    needed = {"rule", "zones", "trigger", "actions", "clear"}
    result: dict[str, Any] = {}
    for key in (*parts, *(key for key in old if key not in parts)):
        if key not in parts or key in form.kept or (key in old and _part(form, key) == _part(before, key)):
            if key in old:
                result[key] = old[key]
        elif parts[key] not in (None, [], "") or key in needed:
            result[key] = parts[key]
    return result


def kept_list(
    forms: list[Form], old: list[Any], read: Callable[[Any], Form], write: Callable[[Form], Any]
) -> list[Any]:
    """Write a list; an entry that reads the same as one that was there is that one."""
    known = [(read(item), item) for item in old]
    return [next((item for seen, item in known if seen == form), None) or write(form) for form in forms]


def _part(form: RuleForm, key: str) -> Any:
    """Return the fields that a key of the document holds."""
    if key == "zones":
        return form.zone_kind, form.only, form.without
    return (form.clear, form.clear_actions) if key == "clear" else getattr(form, key)


def _shown(key: str, value: Any) -> bool:
    """Tell whether the form shows a key of the document with this value."""
    match key:
        case "rule" | "cooldown":
            return is_value(value)
        case "name":
            return _words(value) is not None
        case "trigger" | "clear":
            return isinstance(value, dict)
        case "zones":
            if not isinstance(value, dict) or not value.keys() <= {"kind", "only", "without"}:
                return False
            return all(_is_names(value.get(name, [])) for name in ("only", "without"))
        case "conditions" | "actions" | "escalation":
            return isinstance(value, list)
        case "quiet_hours":
            return _quiet(value) is not None
        case "enabled" | "dry_run":
            return isinstance(value, bool)
        case _:
            return False


def _mapping(root: dict[str, Any], key: str) -> dict[str, Any]:
    value = root.get(key)
    return value if isinstance(value, dict) else {}


def _list(root: dict[str, Any], key: str) -> list[Any]:
    value = root.get(key)
    return value if isinstance(value, list) else []


def _value(value: Any) -> Value:
    return value if is_value(value) else None


def _is_names(value: Any) -> bool:
    return is_value(value) or (isinstance(value, list) and all(map(is_value, value)))


def _names(value: Any) -> list[Value]:
    if isinstance(value, list):
        return [item for item in value if is_value(item)]
    return [] if value is None or not is_value(value) else [value]


def _words(value: Any) -> Words | None:
    if (
        isinstance(value, dict)
        and "zh" in value
        and value.keys() <= {"zh", "en"}
        and all(map(is_value, value.values()))
    ):
        return Words(value["zh"], value.get("en", ""))
    return Words(value) if value is not None and is_value(value) else None


def _write_words(words: Words) -> Any:
    return {"zh": words.zh, "en": words.en} if words.en else words.zh


def _quiet(value: Any) -> QuietForm | None:
    fields = value.keys() if isinstance(value, dict) else set()
    if not {"from", "to"} <= fields or not fields <= {"from", "to", "volume"} or not all(map(is_value, value.values())):
        return None
    return QuietForm(value["from"], value["to"], value.get("volume"))


def _write_quiet(form: QuietForm) -> dict[str, Any]:
    return {"from": form.begin, "to": form.end, **({} if form.volume is None else {"volume": form.volume})}


def _watch(value: dict[str, Any]) -> Watch:
    rest = {key: item for key, item in value.items() if key != "for"}
    return Watch(read_term(rest) if rest else None, _value(value.get("for")))


def _if_new(form: Form, before: Form, old: Any, write: Callable[[Form], Any]) -> Any:
    return old if form == before and old is not None else write(form)


def _write_watch(form: Watch, before: Watch, old: Any) -> dict[str, Any]:
    there = {key: value for key, value in old.items() if key not in {"for", "actions"}} if isinstance(old, dict) else {}
    term = there if form.term == before.term else write_term(form.term) if form.term is not None else {}
    if not isinstance(term, dict):
        raise ConfigError((Finding(Mark("rule", 1, 1), "a condition must be a list of `key: value` lines"),))
    return {**term, **({} if form.hold is None else {"for": form.hold})}


def _write_clear(form: RuleForm, before: RuleForm, old: Any) -> dict[str, Any]:
    there = old if isinstance(old, dict) else {}
    actions = _write_actions(form.clear_actions, _list(there, "actions"))
    return {**_write_watch(form.clear, before.clear, there), **({"actions": actions} if actions else {})}


def _write_zones(form: RuleForm, before: RuleForm, old: Any) -> dict[str, Any]:
    there = old if isinstance(old, dict) else {}
    result = {"kind": form.zone_kind}
    for key, names, known in (("only", form.only, before.only), ("without", form.without, before.without)):
        if names:
            result[key] = there[key] if names == known else names  # type: ignore[assignment]
    return result


def _action(item: Any) -> Action:
    if not isinstance(item, dict) or len(item) != 1:
        return OtherAction(item)
    (key, value), keys = next(iter(item.items())), item[next(iter(item))]
    fields = keys.keys() if isinstance(keys, dict) else set()
    match key:
        case "capture" if value == "snapshot":
            return CaptureForm()
        case "capture" if fields and fields <= {"before", "after"} and all(map(is_value, value.values())):
            return CaptureForm(value.get("before"), value.get("after"))
        case "close_incident" if value == "cleared":
            return CloseForm()
        case "notify" if is_value(value):
            return NotifyForm(value)
        case "say" if is_value(value):
            return PromptForm(value)
        case "say" if "text" in fields and fields <= {"text", "volume"} and is_value(value.get("volume")):
            text = _words(value["text"])
            return OtherAction(item) if text is None else SayForm(text, value.get("volume"))
        case "switch" if fields == {"role", "for"} and all(map(is_value, value.values())):
            return SwitchForm(value["role"], value["for"])
        case "open_incident" if fields == {"severity"} and is_value(value["severity"]):
            return IncidentForm(value["severity"])
    return OtherAction(item)


def _write_action(form: Action) -> Any:
    match form:
        case CaptureForm():
            clip = {key: one for key, one in (("before", form.before), ("after", form.after)) if one is not None}
            return {"capture": clip or "snapshot"}
        case CloseForm():
            return {"close_incident": "cleared"}
        case NotifyForm():
            return {"notify": form.contact}
        case PromptForm():
            return {"say": form.name}
        case SayForm():
            volume = {} if form.volume is None else {"volume": form.volume}
            return {"say": {"text": _write_words(form.text), **volume}}
        case SwitchForm():
            return {"switch": {"role": form.role, "for": form.hold}}
        case IncidentForm():
            return {"open_incident": {"severity": form.severity}}
        case OtherAction():
            return form.source


def _write_actions(forms: list[Action], old: list[Any]) -> list[Any]:
    return kept_list(forms, old, _action, _write_action)


_STEP = ("after", "every", "times")


def _step(item: Any) -> StepForm:
    there = item if isinstance(item, dict) else {}
    shown: set[str] = {key for key in _STEP if key in there and is_value(there[key])}
    actions = there.get("actions")
    if isinstance(actions, list):
        shown.add("actions")
    more = {key: value for key, value in there.items() if key not in shown} if there else {"": item}
    every, times = (there.get(key) if key in shown else None for key in ("every", "times"))
    after = there.get("after") if "after" in shown else None
    return StepForm(after, [_action(one) for one in _list(there, "actions")], every, times, more)


def _write_step(form: StepForm) -> dict[str, Any]:
    repeats = {key: value for key, value in (("every", form.every), ("times", form.times)) if value is not None}
    return {"after": form.after, **repeats, **form.more, "actions": [_write_action(item) for item in form.actions]}
