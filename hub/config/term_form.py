"""A condition as the fields of a form, from its document and back."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from hub.engine.parse_terms import MEASURED, SENSED

#: What a field holds, right or wrong.
Value = str | int | float | bool | None
#: Deeper groups are shown as they are written.
DEEPEST = 6


class Event(msgspec.Struct, frozen=True):
    """Something that had (``after``), or had not (``without``), happened before."""

    kind: Literal["after", "without"]
    role: str
    value: Value
    within: Value


class IsForm(msgspec.Struct, frozen=True, tag="is", tag_field="kind"):
    """A role has a value; ``confirm`` null, ``all`` or a number of sources."""

    role: str
    value: Value
    negated: bool = False
    confirm: Value = None
    before: Event | None = None


class BeyondForm(msgspec.Struct, frozen=True, tag="beyond", tag_field="kind"):
    """A number lies beyond a limit."""

    role: str
    side: Literal["above", "below"]
    limit: Value
    until: Value = None
    negated: bool = False


class CountForm(msgspec.Struct, frozen=True, tag="count", tag_field="kind"):
    """Something began so often within a time."""

    role: str
    value: Value
    times: Value
    within: Value
    negated: bool = False


class SilentForm(msgspec.Struct, frozen=True, tag="silent", tag_field="kind"):
    """Nothing was heard of a role for a time."""

    role: str
    within: Value
    negated: bool = False


class TimeForm(msgspec.Struct, frozen=True, tag="time", tag_field="kind"):
    """The local time lies in a window."""

    begin: Value
    end: Value
    negated: bool = False


class WordForm(msgspec.Struct, frozen=True, tag="word", tag_field="kind"):
    """A mode, a kind of day or the place of the sun."""

    head: Literal["mode", "day", "sun"]
    value: Value
    negated: bool = False


class DaysForm(msgspec.Struct, frozen=True, tag="weekday", tag_field="kind"):
    """It is one of these days."""

    days: list[Value]
    negated: bool = False


class GroupForm(msgspec.Struct, frozen=True, tag="group", tag_field="kind"):
    """All or any of several."""

    join: Literal["all", "any"]
    terms: list[Term]
    negated: bool = False


class OtherTerm(msgspec.Struct, frozen=True, tag="other", tag_field="kind"):
    """A condition that no field can show, as it stands."""

    source: Any


Term = IsForm | BeyondForm | CountForm | SilentForm | TimeForm | WordForm | DaysForm | GroupForm | OtherTerm


def is_value(value: Any) -> bool:
    """Tell whether a field can hold it."""
    return value is None or isinstance(value, str | int | float)


def read_term(item: Any, depth: int = 0) -> Term:
    """Turn plain values into fields."""
    if isinstance(item, dict) and item.keys() == {"not"}:
        inner = _read(item["not"], depth)
        if inner is None or isinstance(inner, OtherTerm) or inner.negated:
            return OtherTerm(item)
        return msgspec.structs.replace(inner, negated=True)
    return _read(item, depth) or OtherTerm(item)


def _read(item: Any, depth: int) -> Term | None:
    if not isinstance(item, dict) or not item or depth > DEEPEST:
        return None
    head = next((key for key in item if key in _HEADS or key in SENSED or key in MEASURED), None)
    if head is None:
        return None
    value = item[head]
    if head in SENSED:
        return _is(head, item)
    if len(item) != 1:
        return None
    if head in {"all", "any"} and isinstance(value, list):
        return GroupForm(head, [read_term(part, depth + 1) for part in value])
    if head == "weekday":
        days = value if isinstance(value, list) else [value]
        return DaysForm(days) if all(map(is_value, days)) else None
    if head in {"mode", "day", "sun"}:
        return WordForm(head, value) if is_value(value) else None
    return _with_fields(head, value) if isinstance(value, dict) and all(map(is_value, value.values())) else None


_HEADS = frozenset({"all", "any", "weekday", "mode", "day", "sun", "time", "count", "silent", "not"})


def _is(role: str, item: dict[str, Any]) -> IsForm | None:
    beside = item.keys() - {role}
    if not is_value(item[role]) or not beside <= {"confirm", "after", "without"} or {"after", "without"} <= beside:
        return None
    before: Event | None = None
    for kind in ("after", "without"):
        event = item.get(kind)
        if event is None:
            continue
        roles = [key for key in event if key in SENSED] if isinstance(event, dict) else []
        if len(roles) != 1 or event.keys() != {roles[0], "within"} or not all(map(is_value, event.values())):
            return None
        before = Event(kind, roles[0], event[roles[0]], event["within"])
    confirm = item.get("confirm")
    return IsForm(role, item[role], confirm=confirm, before=before) if is_value(confirm) else None


def _with_fields(head: str, fields: dict[str, Any]) -> Term | None:
    keys = fields.keys()
    if head == "time" and keys == {"from", "to"}:
        return TimeForm(fields["from"], fields["to"])
    if head == "silent" and len(keys) == 1:
        ((role, within),) = fields.items()
        return SilentForm(role, within)
    if head == "count":
        roles = [key for key in fields if key in SENSED]
        if len(roles) == 1 and keys == {roles[0], "times", "within"}:
            return CountForm(roles[0], fields[roles[0]], fields["times"], fields["within"])
    if head in MEASURED:
        sides: list[Literal["above", "below"]] = [side for side in ("above", "below") if side in fields]
        if len(sides) == 1 and keys <= {sides[0], "until"}:
            return BeyondForm(head, sides[0], fields[sides[0]], fields.get("until"))
    return None


def write_term(form: Term) -> Any:
    """Turn fields into plain values."""
    if isinstance(form, OtherTerm):
        return form.source
    plain = _write(form)
    return {"not": plain} if form.negated else plain


def _write(form: Term) -> Any:
    match form:
        case IsForm():
            confirm = {} if form.confirm is None else {"confirm": form.confirm}
            event = form.before
            before = {} if event is None else {event.kind: {event.role: event.value, "within": event.within}}
            return {form.role: form.value, **confirm, **before}
        case BeyondForm():
            until = {} if form.until is None else {"until": form.until}
            return {form.role: {form.side: form.limit, **until}}
        case CountForm():
            return {"count": {form.role: form.value, "times": form.times, "within": form.within}}
        case SilentForm():
            return {"silent": {form.role: form.within}}
        case TimeForm():
            return {"time": {"from": form.begin, "to": form.end}}
        case WordForm():
            return {form.head: form.value}
        case DaysForm():
            return {"weekday": form.days[0] if len(form.days) == 1 else form.days}
        case GroupForm():
            return {form.join: [write_term(term) for term in form.terms]}
        case OtherTerm():
            return form.source
