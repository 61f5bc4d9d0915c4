"""Value templates: what a message says about one entity. The few kinds that devices send; Jinja is never run.

Source: HA documentation, "Using value templates with MQTT". template_parser.py makes the tree that is evaluated here.
An absent key is the empty text, as in Jinja, and an empty text says nothing about the entity. Other than in Jinja, a
choice between two texts is not made on an absent key or null: silence must not read as "calm".
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hub.sdk import DecodeError, clean, json_value

Scalar = str | int | float | bool

#: Longest state Home Assistant keeps, in characters; a plain payload beyond it is not a state.
MAX_STATE = 255
#: States that say "I do not know" (HA documentation, payload ``None``; and its two reserved states).
UNKNOWN = frozenset({"None", "unknown", "unavailable"})

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Operand:
    """``value`` (path None) or ``value_json.a.b`` (its keys), and the filters behind it."""

    path: tuple[str, ...] | None = None
    filters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """``then if operand [compare against] else otherwise``; without ``compare`` the operand's truth decides."""

    then: Scalar
    operand: Operand
    compare: str | None
    against: Scalar
    otherwise: Scalar


Template = Operand | Choice


def number(value: Scalar) -> float:
    """Return a finite number. Raises DecodeError."""
    if isinstance(value, str) and (len(value) > MAX_STATE or not _NUMBER.fullmatch(value)):
        raise DecodeError(f"'{clean(value, 40)}' is not a number")
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise DecodeError("the number is too large")
    return result


FILTERS: dict[str, Callable[[Scalar], Scalar]] = {
    "int": lambda value: int(number(value)),
    "float": number,
    "lower": lambda value: str(value).lower(),
    "upper": lambda value: str(value).upper(),
    "is_defined": lambda value: value,  # an absent key never comes this far
}
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def render(template: Template, payload: bytes) -> str:
    """Return the state that ``payload`` holds, or ``""`` when it says nothing. Raises DecodeError."""
    if not payload:
        return ""
    if isinstance(template, Operand):
        return str(_evaluate(template, payload)).strip()
    value = _evaluate(template.operand, payload)
    if value is None or value == "":
        return str(value)
    return str(template.then if _holds(template, value) else template.otherwise).strip()


def _holds(choice: Choice, value: Scalar) -> bool:
    if choice.compare is None:
        return bool(value)
    try:
        return COMPARISONS[choice.compare](value, choice.against)
    except TypeError:
        raise DecodeError("a text and a number cannot be compared by size") from None


def _evaluate(operand: Operand, payload: bytes) -> Scalar | None:
    value = _plain(payload) if operand.path is None else _lookup(json_value(payload), operand.path)
    for name in operand.filters:
        if value is None or value == "":
            break
        value = FILTERS[name](value)
    return value


def _plain(payload: bytes) -> str:
    try:
        text = payload.decode() if len(payload) <= MAX_STATE * 4 else None
    except UnicodeDecodeError:
        raise DecodeError("the payload is not UTF-8") from None
    if text is None or len(text) > MAX_STATE:
        raise DecodeError(f"the payload is longer than {MAX_STATE} characters")
    return text.strip()


def _lookup(value: Any, path: tuple[str, ...]) -> Scalar | None:
    for key in path:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise DecodeError(f"'{clean(key, 40)}' is looked for in something that is not a JSON object")
        value = value.get(key, "")
        if value == "":
            return ""
    if value is None or isinstance(value, str | int | float):
        return value
    raise DecodeError("the template names a whole object or list, not one value")
