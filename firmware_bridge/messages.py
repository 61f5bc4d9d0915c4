"""What group 80 says, typed: nothing of a node's map is used before it has passed through here (PROTOCOL.md, 3)."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Annotated, Any, TypeVar

import msgspec

from firmware_bridge.auth import ID_BYTES
from firmware_bridge.errors import BadFrame
from hub.model.text import clean

U32 = Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]
#: Milliseconds; msgspec takes no bound beyond 63 bits.
Millis = Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]
#: What a point's ``i`` may be, and how many points a node has at most.
MAX_POINTS = 64
Index = Annotated[int, msgspec.Meta(ge=0, lt=MAX_POINTS)]
Short = Annotated[str, msgspec.Meta(max_length=64)]
Bytes8 = Annotated[bytes, msgspec.Meta(min_length=ID_BYTES, max_length=ID_BYTES)]
Said = TypeVar("Said", bound=msgspec.Struct)


class OsCommand(IntEnum):
    """Commands of group 0."""

    ECHO = 0
    DATETIME = 4
    RESET = 5
    PARAMETERS = 6


class ImageCommand(IntEnum):
    """Commands of group 1."""

    STATE = 0
    UPLOAD = 1
    ERASE = 5


class NodeCommand(IntEnum):
    """Commands of group 80."""

    DESCRIBE = 0
    HELLO = 1
    EVENT = 2
    SET = 3
    CLAIM = 4
    HEALTH = 5


class PointClass(StrEnum):
    """What a point senses or does."""

    CONTACT = "contact"
    PRESENCE = "presence"
    FIELD = "field"
    RELAY = "relay"
    TEMPERATURE = "temperature"
    BATTERY = "battery"
    SIGNAL = "signal"
    BUTTON = "button"


class Point(msgspec.Struct, frozen=True):
    """One thing that a node senses or switches."""

    i: Index
    n: Short
    c: PointClass
    u: Annotated[str, msgspec.Meta(max_length=16)] = ""
    lo: float = 0.0
    hi: float = 0.0

    @property
    def key(self) -> str:
        """Return the point's name, cleaned, or its number where it has none."""
        return clean(self.n, 40) or str(self.i)


class Hello(msgspec.Struct, frozen=True):
    """A node says that it is there."""

    id: Bytes8
    model: Short
    ver: Short
    dig: Bytes8
    boot: U32
    up: Millis
    why: Short
    claimed: bool


class Description(msgspec.Struct, frozen=True):
    """What a node is."""

    id: Bytes8
    model: Short
    ver: Short
    claimed: bool
    pts: Annotated[tuple[Point, ...], msgspec.Meta(max_length=MAX_POINTS)]


class Event(msgspec.Struct, frozen=True):
    """Something happened at a point; ``boot`` and ``seq`` name it for ever."""

    boot: U32
    seq: U32
    up: Millis
    t: Millis
    pt: Index
    v: bool | float


class Health(msgspec.Struct, frozen=True):
    """How a node is."""

    ok: bool
    bat: Annotated[int, msgspec.Meta(ge=-1, le=100)]
    """Percent; -1 on mains."""
    alarm: bool
    up: Millis
    t: Millis
    """Its wall clock, 0 when nobody has set it."""
    dropped: U32
    fail: Annotated[str, msgspec.Meta(max_length=256)] = ""


class ImageSlot(msgspec.Struct, frozen=True):
    """One slot of the image state (MCUmgr, group 1, command 0)."""

    slot: Annotated[int, msgspec.Meta(ge=0, le=7)]
    version: Short
    hash: Annotated[bytes, msgspec.Meta(max_length=64)] = b""
    pending: bool = False
    confirmed: bool = False
    active: bool = False
    permanent: bool = False


class ImageState(msgspec.Struct, frozen=True):
    """Both slots."""

    images: Annotated[tuple[ImageSlot, ...], msgspec.Meta(max_length=8)]

    @property
    def active(self) -> ImageSlot | None:
        """Return the slot that runs."""
        return next((slot for slot in self.images if slot.active), None)

    def having(self, digest: bytes) -> ImageSlot | None:
        """Return the slot that holds the image with this hash."""
        return next((slot for slot in self.images if slot.hash == digest), None)


def read(body: dict[str, Any], kind: type[Said]) -> Said:
    """Return ``body`` as ``kind``. Raises BadFrame; what ``kind`` does not name is ignored."""
    try:
        return msgspec.convert(body, kind, builtin_types=(bytes,))
    except (msgspec.ValidationError, RecursionError) as error:
        raise BadFrame(clean(f"no {kind.__name__.lower()}: {error}", 120)) from None
