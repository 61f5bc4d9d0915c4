"""Reads one ``EventNotificationAlert``: a pure function.

Source: "XML_EventNotificationAlert" in Hikvision's Device Network SDK manual (open.hikvision.com), for example

::

    <EventNotificationAlert version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">
      <channelID>1</channelID> <dateTime>…</dateTime> <activePostCount>1</activePostCount>
      <eventType>VMD</eventType> <eventState>active</eventState> <eventDescription>…</eventDescription>
    </EventNotificationAlert>

Newer events come as a JSON object with the same names. The namespace differs by firmware (hikvision.com, isapi.org,
std-cgi.com, none) and is not looked at. The camera's clock is not used: many are wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from hub.sdk import DecodeError, clean, json_value

#: Largest message read, in bytes.
MAX_ALERT = 256 * 1024

_DECLARATION = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_CHANNEL = re.compile(r"[0-9]{1,5}")
_STATES = {"active": True, "inactive": False}
_NAMES = ("eventType", "eventState", "channelID", "dynChannelID")


@dataclass(frozen=True, slots=True)
class Alert:
    """What the camera said. An inactive ``videoloss`` is its heartbeat."""

    type: str
    """In small letters: firmwares do not agree on capitals."""
    active: bool
    channel: int | None
    """From 1; None or 0 for the whole device."""


def decode(part: bytes) -> Alert | None:
    """Read one part of the stream; None for a part of another kind (pictures). Raises DecodeError."""
    start = part[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"<":
        said = _from_xml(part)
    elif start == b"{":
        said = _from_json(part)
    else:
        return None
    event, state, channel = said["eventType"], said["eventState"].lower(), said["channelID"] or said["dynChannelID"]
    if not _TYPE.fullmatch(event):
        raise DecodeError(f"not an event type: {clean(event, 40)!r}")
    if state not in _STATES:
        raise DecodeError(f"not an event state: {clean(state, 40)!r}")
    if channel and not _CHANNEL.fullmatch(channel):
        raise DecodeError(f"not a channel: {clean(channel, 40)!r}")
    return Alert(event.lower(), _STATES[state], int(channel) if channel else None)


def xml(document: bytes) -> ET.Element:
    """Parse XML that a device sent: UTF-8, without document type or entities. Raises DecodeError."""
    if len(document) > MAX_ALERT:
        raise DecodeError(f"{len(document)} bytes are more than the {MAX_ALERT} allowed")
    try:
        # From text, so that no declaration hides in an encoding of the document's choice; expat takes NULs for UTF-16.
        text = document.decode("utf-8-sig").strip()
        if "\0" in text or _DECLARATION.search(text):
            raise DecodeError("XML with a document type or entities is refused")
        return ET.fromstring(text)  # noqa: S314 - nothing to expand is left
    except (ET.ParseError, ValueError) as error:
        raise DecodeError(f"not XML: {type(error).__name__}") from None


def _from_xml(part: bytes) -> dict[str, str]:
    root = xml(part)
    if root.tag.rpartition("}")[2] != "EventNotificationAlert":
        raise DecodeError(f"not an alert: {clean(root.tag, 40)!r}")
    return {name: (root.findtext(f"{{*}}{name}") or "").strip() for name in _NAMES}


def _from_json(part: bytes) -> dict[str, str]:
    value = json_value(part, MAX_ALERT)
    if not isinstance(value, dict):
        raise DecodeError("not an alert: no object")
    found = {name: value.get(name, "") for name in _NAMES}
    if not all(isinstance(entry, str | int) and not isinstance(entry, bool) for entry in found.values()):
        raise DecodeError("not an alert: a field is neither text nor a whole number")
    return {name: str(entry).strip() for name, entry in found.items()}
