"""What is asked of a device and what it answers, free of the wire format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from hub.sdk import BadCredentials, DeviceError, Unreachable, Unsupported

#: Object types (BACnetObjectType, ASHRAE 135-2016 clause 21).
BINARY_INPUT, DEVICE, LIFT = 3, 8, 59
#: Error classes and codes (18.2, 18.3), reject reasons (18.9), abort reasons (18.10).
_SECURITY, _UNKNOWN_OBJECT, _UNRECOGNIZED_SERVICE = 4, 31, 9


class Target(NamedTuple):
    """An object of the device."""

    kind: int
    instance: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """The device will not say. ``kind`` is the class of an error, 0 for the others; ``code`` its code or reason."""

    how: Literal["error", "reject", "abort"]
    kind: int
    code: int

    @property
    def no_such_object(self) -> bool:
        """Tell whether the object asked for is not there."""
        return self.how == "error" and self.code == _UNKNOWN_OBJECT

    def as_error(self, what: str) -> DeviceError:
        """Say what it means for the whole device that it refuses to read ``what``."""
        if self.no_such_object:
            return Unsupported(f"the device has no {what}: compare its number")
        if self.how == "error" and self.kind == _SECURITY:
            return BadCredentials("the device takes secured BACnet only (BACnet/SC), which has no place here")
        if self.how == "reject" and self.code == _UNRECOGNIZED_SERVICE:
            return Unsupported("the device knows no ReadProperty")
        return Unreachable(f"the device refuses to read {what} ({self.how} {self.kind}:{self.code})")


#: One primitive value; None stands for one that no lift has any use for (text, dates, structures).
Primitive = bool | int | float | None
#: All primitives of one property: one, or those of an array or list.
Values = tuple[Primitive, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the device says of one object, by property."""

    target: Target
    properties: Mapping[int, Values | Refusal]


@dataclass(frozen=True, slots=True)
class Done:
    """The device has done what it was asked to."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to the request with this number."""

    invoke_id: int
    content: Reading | Refusal | Done
