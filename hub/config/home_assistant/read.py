"""Reads what Home Assistant writes: automations in old and new syntax, durations, times of day, numbers, entity ids.

Sources: Home Assistant documentation, "Automation YAML", "Automation triggers", "Conditions", "Script syntax".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from hub.config.yaml import load
from hub.model.document import Finding, Mapping, Mark, Node, Scalar, Sequence
from hub.model.errors import ConfigError, HubError
from hub.model.text import clean
from hub.model.time import DAY, HOUR, MILLISECOND, MINUTE, SECOND, Duration

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = re.compile(r"automation(?: .*)?\Z")
_ENTITY = re.compile(r"[a-z0-9_]{1,64}\.[a-z0-9_]{1,190}\Z")
_CLOCK = re.compile(r"(\d{1,3}):([0-5]?\d)(?::([0-5]?\d(?:\.\d{1,6})?))?\Z", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,8})(?:\.\d{1,6})?\Z", re.ASCII)
#: What YAML 1.1, which Home Assistant reads, turns into a number to the base of sixty.
_SIXTY = re.compile(r"[1-9]\d*(?::[0-5]?\d){1,2}\Z", re.ASCII)
HOURS_A_DAY = 24
_UNITS = {"days": DAY, "hours": HOUR, "minutes": MINUTE, "seconds": SECOND, "milliseconds": MILLISECOND}
#: Said by the strict loader of what Home Assistant resolves.
_RESOLVED = ("is a tag", "is an anchor", "is an alias", "merges another")
#: Longest sentence of a note, in characters.
LONGEST = 240
_NULL, _FALSE = {"", "~", "null", "Null", "NULL"}, {"false", "no", "off"}
_TEMPLATE = ("{{", "{%", "{#")


class NotTurned(HubError):
    """A part of an automation has no counterpart. ``finding`` says where it stands, and why.

    ``ends`` tells that the part decides whether, or when, the rest of a sequence is done.
    """

    def __init__(self, node: Node, sentence: str, *, ends: bool = False) -> None:
        self.ends = ends
        self.finding = Finding(node.mark, clean(sentence, LONGEST))  # it may quote the file
        super().__init__(str(self.finding))


class Automation(msgspec.Struct, frozen=True):
    """One automation, its parts still as they were written."""

    node: Mapping
    alias: str
    """Cleaned; empty where it has none."""
    mode: str
    triggers: tuple[Node, ...]
    conditions: tuple[Node, ...]
    actions: tuple[Node, ...]

    @property
    def mark(self) -> Mark:
        """Where it stands."""
        return self.node.mark


def load_automations(path: Path) -> tuple[Node, ...]:
    """Read the automations of a file, each still as it was written. Raises ConfigError."""
    try:
        return automations(load(path))
    except NotTurned as error:
        raise ConfigError((error.finding,)) from None
    except ConfigError as error:
        raise ConfigError(tuple(_explained(finding) for finding in error.findings)) from None


def _explained(finding: Finding) -> Finding:
    """Add what to do with what Home Assistant resolves while it reads a file."""
    if not any(word in finding.sentence for word in _RESOLVED):
        return finding
    return Finding(finding.mark, f"{finding.sentence} (Home Assistant resolves it, this command does not)")


def automations(document: Node) -> tuple[Node, ...]:
    """Return the automations of a file: a list, one alone, or those of a configuration. Raises NotTurned."""
    if isinstance(document, Sequence):
        return document.items
    if isinstance(document, Mapping):
        blocks = [value for key, value in document.items if _BLOCK.match(key.text)]
        if blocks:
            return tuple(item for block in blocks for item in items(block))
        if any(document.get(key) is not None for key in ("trigger", "triggers", "use_blueprint")):
            return (document,)
    raise NotTurned(document, "holds no automations: a list of them, or `automation:` with a list, is expected")


def automation(node: Node) -> Automation:
    """Read one automation. Raises NotTurned."""
    if not isinstance(node, Mapping):
        raise NotTurned(node, "an automation must be a list of `key: value` lines")
    if node.get("use_blueprint") is not None:
        raise NotTurned(node, "is made from a blueprint; in Home Assistant, take control of it first")
    triggers = items(_either(node, "trigger", "triggers"))
    if not triggers:
        raise NotTurned(node, "has no trigger")
    return Automation(
        node=node,
        alias=title(node),
        mode="single" if (mode := node.get("mode")) is None else text(mode, "`mode`"),
        triggers=triggers,
        conditions=items(_either(node, "condition", "conditions")),
        actions=items(_either(node, "action", "actions")),
    )


def title(node: Node) -> str:
    """Return what an automation is called, cleaned; its id where it has no alias."""
    for key in ("alias", "id"):
        found = node.get(key) if isinstance(node, Mapping) else None
        if isinstance(found, Scalar) and (words := clean(found.text, 40)):
            return words
    return ""


def _either(node: Mapping, old: str, new: str) -> Node | None:
    if node.get(old) is not None and node.get(new) is not None:
        raise NotTurned(node.key(new) or node, f"`{old}` and `{new}` stand side by side; keep one")
    return node.get(old) or node.get(new)


def items(node: Node | None) -> tuple[Node, ...]:
    """Return the items of a list; one item alone is a list of one, and null is none."""
    if node is None or is_null(node):
        return ()
    return node.items if isinstance(node, Sequence) else (node,)


def is_null(node: Node) -> bool:
    """Tell whether nothing was written."""
    return isinstance(node, Scalar) and not node.quoted and node.text in _NULL


def fields(node: Node, what: str, *known: str) -> Mapping:
    """Return the keys of a part, all of them ``known``. Raises NotTurned: an unknown key may change the meaning."""
    if isinstance(node, Scalar) and is_template(node):
        raise NotTurned(node, "is a template; templates are not evaluated")
    if not isinstance(node, Mapping):
        raise NotTurned(node, f"{what} must be a list of `key: value` lines")
    for key, _ in node.items:
        if key.text not in known:
            raise NotTurned(key, f"{what} with `{clean(key.text, 40)}` has no counterpart")
    return node


def disabled(node: Node) -> bool:
    """Tell whether a part is switched off. Raises NotTurned where a template decides."""
    return is_off(node, "enabled")


def is_off(node: Node, key: str) -> bool:
    """Tell whether a switch says no. Raises NotTurned where a template decides."""
    switch = node.get(key) if isinstance(node, Mapping) else None
    return switch is not None and text(switch, f"`{key}`").lower() in _FALSE


def is_template(node: Scalar) -> bool:
    """Tell whether Home Assistant would evaluate it."""
    return any(mark in node.text for mark in _TEMPLATE)


def scalar(node: Node | None, parent: Node, what: str) -> Scalar:
    """Return one value that is no template and not null. Raises NotTurned."""
    if node is None or is_null(node):
        raise NotTurned(node or parent, f"{what} is missing")
    if not isinstance(node, Scalar):
        raise NotTurned(node, f"{what} must be one value on one line")
    if is_template(node):
        raise NotTurned(node, f"{what} is a template; templates are not evaluated")
    return node


def text(node: Node, what: str) -> str:
    """Return one value as text. Raises NotTurned."""
    return scalar(node, node, what).text


def entities(node: Node | None, parent: Node) -> tuple[tuple[Scalar, str], ...]:
    """Read entity ids with their places: one, several with commas, or a list. Raises NotTurned."""
    found: list[tuple[Scalar, str]] = []
    for item in items(node):
        place = scalar(item, parent, "`entity_id`")
        for name in place.text.split(","):
            if not _ENTITY.match(name.strip().lower()):
                raise NotTurned(place, f"`{clean(name, 60)}` is no entity id, like `binary_sensor.door`")
            found.append((place, name.strip().lower()))
    if not found:
        raise NotTurned(node or parent, "`entity_id` is missing: only single entities can be looked up")
    return tuple(found)


def number(node: Node | None, parent: Node, what: str) -> float:
    """Read a number. Raises NotTurned."""
    place = scalar(node, parent, what)
    if not _NUMBER.match(place.text):
        raise NotTurned(place, f"{what} must be a number here, not `{clean(place.text, 60)}`")
    return float(place.text)


def duration(node: Node, what: str) -> Duration:
    """Read ``HH:MM``, ``HH:MM:SS``, seconds, or ``{hours, minutes, seconds}``. Raises NotTurned."""
    if isinstance(node, Mapping):
        parts = fields(node, what, *_UNITS)
        total = sum(number(value, node, what) * _UNITS[key.text] for key, value in parts.items)
    else:
        total = _seconds(scalar(node, node, what), what) * SECOND
    if total < 0:
        raise NotTurned(node, f"{what} must not be negative")
    return Duration(round(total / MILLISECOND) * MILLISECOND)


def _seconds(place: Scalar, what: str) -> float:
    if not place.quoted and _SIXTY.match(place.text):
        total = 0
        for part in place.text.split(":"):
            total = total * 60 + int(part[:9])
        return total
    if (match := _CLOCK.match(place.text)) is not None:
        return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3] or 0)
    return number(place, place, what)


def time_of_day(node: Node | None, parent: Node, what: str) -> float:
    """Read ``22:30`` or ``22:30:00`` as seconds after midnight. Raises NotTurned."""
    place = scalar(node, parent, what)
    match = _CLOCK.match(place.text)
    if match is None or int(match[1]) >= HOURS_A_DAY:
        raise NotTurned(place, f"{what} must be a time of day like 22:30:00, not `{clean(place.text, 60)}`")
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3] or 0)
