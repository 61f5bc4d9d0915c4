"""What a site enters for one RS-485 line and the readers on it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from hub.sdk import Text

DOMAIN = "osdp"

ReaderName = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,31}\Z")]


class ReaderConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One reader or door controller."""

    name: Text | str
    address: Annotated[int, msgspec.Meta(ge=0, le=126)]
    """As set in the reader; 127 is for all of them."""
    key: Annotated[str, msgspec.Meta(pattern=r"^([0-9A-Fa-f]{32})?\Z")] = ""
    """Key of the secure channel (SCBK), 32 hexadecimal digits, then required; empty talks in the clear."""
    door_input: Annotated[int, msgspec.Meta(ge=0, le=63)] | None = None
    """Number of the input at which the door contact is, from 0; None where there is none."""
    door_active: Literal["open", "closed"] = "open"
    """What the door is while that input is active."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line."""

    port: Annotated[str, msgspec.Meta(pattern=r"^/[^\x00-\x1f\x7f]{1,250}\Z")]
    """Path of the device file, better one below ``/dev/serial/by-id``; what is no serial line is refused."""
    readers: Annotated[dict[ReaderName, ReaderConfig], msgspec.Meta(min_length=1, max_length=32)]
    baud: Literal[9600, 19200, 38400, 57600, 115200, 230400] = 9600
    """Bits a second: those of IEC 60839-11-5. New readers begin with 9600."""
    timeout_s: Annotated[float, msgspec.Meta(ge=0.5, le=25)] = 10.0
    """Seconds within which one reader at least must answer, when opened and later."""
