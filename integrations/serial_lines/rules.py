"""From a line to values: pure functions of the line and of the configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from hub.sdk import (
    Alarm,
    Capability,
    Contact,
    DecodeError,
    Entity,
    EntityId,
    Presence,
    Sample,
    Text,
    Unsupported,
    Value,
    clean,
    entity_id,
    json_object,
)
from integrations.serial_lines.config import DOMAIN, Config, Line, Means

_MEANINGS: dict[Means, tuple[Capability, Value | None]] = {
    "open": (Capability.CONTACT, Contact.OPEN),
    "closed": (Capability.CONTACT, Contact.CLOSED),
    "present": (Capability.PRESENCE, Presence.PRESENT),
    "absent": (Capability.PRESENCE, Presence.ABSENT),
    "active": (Capability.ALARM, Alarm.ACTIVE),
    "clear": (Capability.ALARM, Alarm.CLEAR),
    "number": (Capability.MEASURE, None),
}
#: A decimal number as microcontrollers print it; ``float`` alone would take "nan", "1_0" and other alphabets' digits.
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?(?:[eE][+-]?[0-9]{1,2})?\Z")


@dataclass(frozen=True)
class Rules:
    """The lines of one board."""

    entities: tuple[Entity, ...]
    lines: tuple[tuple[EntityId, Line], ...]


def rules(name: str, config: Config, counter: EntityId) -> Rules:
    """Build the entities of the board ``name``. Raises Unsupported where lines contradict each other or themselves."""
    entities: dict[str, Entity] = {}
    for line in config.lines:
        _check(line)
        capability, _ = _MEANINGS[line.means]
        entity = Entity(
            id=entity_id(DOMAIN, f"{name}_{line.entity}"),
            capability=capability,
            name=line.name or _name(config.name, line.entity),
            device=clean(config.name.zh),
            unit=clean(line.unit, 16),
            expire_after=config.expire_s * 1_000_000 or None,
        )
        known = entities.setdefault(line.entity, entity)
        if (known.capability, known.unit) != (entity.capability, entity.unit):
            raise Unsupported(f"the lines of {line.entity} do not mean the same kind of thing")
        if line.name:
            entities[line.entity] = entity
    if len({counter, *(entity.id for entity in entities.values())}) != len(entities) + 1:
        raise Unsupported("two entities of the board have one id: choose other or shorter names (garbage is taken)")
    return Rules(tuple(entities.values()), tuple((entities[line.entity].id, line) for line in config.lines))


def _name(board: Text, entity: str) -> Text:
    return Text(f"{board.zh} {entity}", board.en and f"{board.en} {entity}")


def _check(line: Line) -> None:
    given = [text for text in (line.text, line.prefix, line.key) if text is not None]
    if len(given) != 1:
        raise Unsupported(f"a line of {line.entity} needs one of text, prefix and key")
    if line.key is None and (given[0] != given[0].lstrip() or not given[0].isprintable()):
        raise Unsupported(f"a line of {line.entity} begins with a blank or has a control character")
    if line.text != (line.text and line.text.strip()):
        raise Unsupported(f"a text of {line.entity} ends with a blank, which is cut off from what the board says")
    number = line.means == "number"
    if (line.equals is None) is (line.key is not None and not number):
        raise Unsupported(f"a line of {line.entity} needs `equals` with `key`, and only there, unless it is a number")
    if number and line.text is not None:
        raise Unsupported(f"a number of {line.entity} stands behind a prefix or at a key")
    if line.unit and not number:
        raise Unsupported(f"{line.entity} is no number and has no unit")


def decode(line: bytes, rules: Rules) -> tuple[Sample, ...]:
    """Return what one line says, one sample for each entity; the first rule that matches has it.

    A line that no rule knows says nothing. Raises DecodeError for one that is not printable UTF-8, begins with ``{``
    and is no JSON object, or has something else where a rule wants a number.
    """
    try:
        text = line.decode().replace("\t", " ").strip()
    except UnicodeDecodeError:
        raise DecodeError("not UTF-8") from None
    if not text.isprintable():
        raise DecodeError("control characters")
    values = json_object(text.encode()) if text.startswith("{") else None
    found: dict[EntityId, Sample] = {}
    for entity, rule in rules.lines:
        if entity not in found and (value := _value(text, values, rule)) is not None:
            found[entity] = Sample(entity, value)
    return tuple(found.values())


def _value(text: str, values: dict[str, Any] | None, rule: Line) -> Value | None:
    """Return what ``rule`` makes of the line, None where it does not match."""
    _, meaning = _MEANINGS[rule.means]
    if rule.text is not None:
        return meaning if text == rule.text else None
    if rule.prefix is not None:
        if not text.startswith(rule.prefix):
            return None
        return _printed(text[len(rule.prefix) :], rule.unit) if meaning is None else meaning
    if values is None or rule.key is None or (said := values.get(rule.key)) is None:
        return None
    if meaning is None:
        return _measured(said)
    return meaning if type(said) is type(rule.equals) and said == rule.equals else None  # 1 is not true


def _printed(text: str, unit: str) -> float:
    number = text.strip().removesuffix(unit).strip()
    if not _NUMBER.match(number):
        raise DecodeError("no number behind the prefix")
    return float(number)


def _measured(said: Any) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise DecodeError(f"expected a number, got {type(said).__name__}")
    return float(said)  # finite: ``json_object`` takes no other, and 256 bytes hold no integer that is too large
