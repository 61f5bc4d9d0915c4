"""Reads one message of the event stream, and the list of what lasts: pure functions.

Source: "DAHUA HTTP API", "Subscribe to Event Message":

::

    Code=VideoMotion;action=Start;index=0;data={ "Id" : [ 0 ], … }
    Heartbeat

and "Get Indexes of Events Happened": ``channels[0]=0`` for each channel, or ``Error: No Events``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hub.sdk import DecodeError, clean

#: Largest message read, in bytes.
MAX_MESSAGE = 256 * 1024

_EVENT = re.compile(rb"Code=([A-Za-z0-9_]{1,64});action=([A-Za-z]{1,16})(?:;index=([0-9]{1,5}))?(?=[;\s]|\Z)")
_CHANNEL = re.compile(rb"^channels\[[0-9]{1,5}\]=([0-9]{1,5})[ \t]*\r?$", re.M)


@dataclass(frozen=True, slots=True)
class Event:
    """What the camera said of one event. Its ``data`` is not read: nothing in it is needed, and it is often cut off."""

    code: str
    action: str
    """Start, Stop or Pulse; others are known and mean nothing here."""
    index: int | None
    """Channel from 0; None where the camera names none."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The camera is there."""


def decode(part: bytes) -> Event | Heartbeat:
    """Read one part of the stream. Raises DecodeError."""
    if len(part) > MAX_MESSAGE:
        raise DecodeError(f"{len(part)} bytes are more than the {MAX_MESSAGE} allowed")
    message = part.strip()
    if message == b"Heartbeat":
        return Heartbeat()
    match = _EVENT.match(message)
    if match is None:
        raise DecodeError(f"not an event: {clean(message[:40].decode('ascii', 'replace'), 40)!r}")
    return Event(match[1].decode(), match[2].decode(), int(match[3]) if match[3] is not None else None)


def channels(answer: bytes) -> frozenset[int] | None:
    """Return the channels (from 0) on which an event lasts; None when the camera does not say."""
    found = frozenset(int(match[1]) for match in _CHANNEL.finditer(answer[:MAX_MESSAGE]))
    if found:
        return found
    return frozenset() if b"no events" in answer[:200].lower() else None
