"""What a site enters for one board: the port, and what its lines mean, as data."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec

from hub.sdk import Text, Unsupported

DOMAIN = "serial_lines"

Means = Literal["open", "closed", "present", "absent", "active", "clear", "number"]
#: Text of a rule: printable and without blanks at its ends is checked in ``rules``.
Short = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]

#: ``usb:<vid>:<pid>``, four hexadecimal digits each, and the serial number where there is more than one such board.
_USB = re.compile(r"usb:([0-9A-Fa-f]{4}):([0-9A-Fa-f]{4})(?::([^\x00-\x20:]{1,126}))?\Z")
_PATH = re.compile(r"/[^\x00-\x1f\x7f]{1,250}\Z")


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of line and what it means. Exactly one of ``text``, ``prefix`` and ``key`` is given."""

    entity: Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z0-9_]{0,31}\Z")]
    means: Means
    text: Short | None = None
    """The whole line."""
    prefix: Short | None = None
    """How the line begins; behind it stands the number of ``means: number``, and anything otherwise."""
    key: Short | None = None
    """A key of the JSON object that the line is."""
    equals: bool | int | str | None = None
    """The value of ``key`` that means it. A number needs none."""
    name: Text | None = None
    """Name of the entity; on one of its lines is enough."""
    unit: Annotated[str, msgspec.Meta(max_length=16)] = ""
    """Unit of a number; it may also stand behind the number in the line."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One board on one port."""

    name: Text
    port: str
    """Path of the device file, better one below ``/dev/serial/by-id``, or ``usb:<vid>:<pid>[:<serial number>]``."""
    lines: Annotated[tuple[Line, ...], msgspec.Meta(min_length=1, max_length=64)]
    baudrate: Annotated[int, msgspec.Meta(ge=50, le=4_000_000)] = 115_200
    """Bits a second; 8 data bits, no parity, 1 stop bit."""
    expire_s: Annotated[int, msgspec.Meta(ge=0, le=31_622_400)] = 0
    """Seconds without a line of an entity after which it is stale; 0 for a board that does not repeat itself."""


class Usb(msgspec.Struct, frozen=True):
    """A board as USB names it, wherever it is plugged in."""

    vid: int
    pid: int
    serial: str | None


def address(port: str) -> str | Usb:
    """Return the path or the USB identity that ``port`` names. Raises Unsupported."""
    if match := _USB.match(port):
        return Usb(int(match[1], 16), int(match[2], 16), match[3])
    if _PATH.match(port):
        return port
    raise Unsupported("the port is a path like /dev/ttyUSB0, or usb:<vid>:<pid> with four hexadecimal digits each")
