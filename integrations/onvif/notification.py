"""Decodes what PullMessages brings (ONVIF Core Specification, section 9): pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.sdk import DecodeError
from integrations.onvif.kinds import Kind, kind_of
from integrations.onvif.moment import parse_time
from integrations.onvif.tree import Element, attribute, children, find, text

#: Most notifications read of one answer (we ask for 64), and most items of one.
MAX_MESSAGES, _MAX_ITEMS = 256, 16
_WORDS = {"true": True, "1": True, "active": True, "false": False, "0": False, "inactive": False}


class Operation(StrEnum):
    """Whether a message tells how things were at the start, what changed, or that its rule is gone."""

    INITIALIZED = "Initialized"
    CHANGED = "Changed"
    DELETED = "Deleted"


@dataclass(frozen=True, slots=True)
class Event:
    """One message on a topic that we know."""

    kind: Kind
    source: tuple[tuple[str, str], ...]
    """The topic and the source items (rule, input, video source): what the value belongs to."""
    active: bool | None
    """None for the moment at which a line is crossed, and for a rule that is gone."""
    operation: Operation
    at: datetime | None
    """The camera's time."""


def events(answer: Element) -> tuple[Event, ...]:
    """Read a PullMessagesResponse. What cannot be understood is left out: it costs no other message."""
    read = []
    for message in list(children(answer, "NotificationMessage"))[:MAX_MESSAGES]:
        try:
            event = decode(message)
        except DecodeError:
            continue
        if event is not None:
            read.append(event)
    return tuple(read)


def decode(notification: Element) -> Event | None:
    """Read one NotificationMessage; None on a topic that is not ours. Raises DecodeError."""
    topic = text(notification, "Topic", limit=256)
    kind = kind_of(topic)
    if kind is None:
        return None
    message = find(notification, "Message", "Message")
    if message is None:
        raise DecodeError("a notification without a message")
    operation = _operation(attribute(message, "PropertyOperation"))
    data = _items(find(message, "Data"))
    said = next((data[name] for name in kind.items if name in data), None)
    if operation is Operation.DELETED:
        active = None
    elif said is not None:
        active = _truth(said)
    elif kind.momentary:
        active = None
    else:
        raise DecodeError(f"no {' or '.join(kind.items)} in the data")
    source = (("", topic), *sorted(_items(find(message, "Source")).items()))
    return Event(kind, source, active, operation, parse_time(attribute(message, "UtcTime")))


def _operation(said: str) -> Operation:
    """Events that are no properties carry none (Core, 9.4)."""
    try:
        return Operation(said or Operation.CHANGED)
    except ValueError:
        raise DecodeError("a PropertyOperation that the standard does not know") from None


def _truth(said: str) -> bool:
    """Read an xs:boolean; relay inputs of old firmware say ``active``."""
    try:
        return _WORDS[said.lower()]
    except KeyError:
        raise DecodeError("neither true nor false") from None


def _items(element: Element | None) -> dict[str, str]:
    if element is None:
        return {}
    items = list(children(element, "SimpleItem"))
    if len(items) > _MAX_ITEMS:
        raise DecodeError(f"more than {_MAX_ITEMS} items")
    return {attribute(item, "Name"): attribute(item, "Value", limit=128) for item in items}
