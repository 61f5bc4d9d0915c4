"""What a site enters for one BACnet device."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from hub.sdk import Text

DOMAIN = "bacnet"

#: Stable identifier of a lift or input within its device; it becomes part of the entity ids.
Key = Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z0-9_]{0,31}\Z")]
#: Instance number of an object: 22 bits, of which the last number means "any" (ASHRAE 135, 20.2.14).
Instance = Annotated[int, msgspec.Meta(ge=0, le=4_194_302)]
Name = Text | str


class LiftConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One Lift object (ASHRAE 135-2016, 12.59)."""

    instance: Instance
    key: Key
    name: Name
    lowest_floor: Annotated[int, msgspec.Meta(ge=-20, le=20)] = 1
    """What people call the floor that the controller counts as 1. Below 0 there is no floor 0: -1 is under 1."""
    door: Annotated[int, msgspec.Meta(ge=1, le=8)] = 1
    """Which door of the car, counted from 1."""
    rated_kg: Annotated[float, msgspec.Meta(gt=0, le=100_000)] | None = None
    """Rated load in kg, for controllers that tell the load in kg and not in percent."""


class InputConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One Binary Input object (12.6)."""

    instance: Instance
    key: Key
    name: Name
    meaning: Literal["contact", "presence", "alarm"]
    inverted: bool = False
    """INACTIVE is open, present or active."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One BACnet/IP device, such as a lift controller or a gateway in the machine room."""

    name: Text
    address: str
    """IPv4 address or name of the device, ``192.168.1.20`` or ``192.168.1.20:47808``."""
    device_id: Instance
    """Instance of its Device object: a device that took over the address is not mistaken for it."""
    local: str = "0.0.0.0:47808"
    """Own address and UDP port; several devices may share it. Port 0 takes a free one."""
    lifts: Annotated[tuple[LiftConfig, ...], msgspec.Meta(max_length=32)] = ()
    inputs: Annotated[tuple[InputConfig, ...], msgspec.Meta(max_length=64)] = ()
    poll_s: Annotated[float, msgspec.Meta(ge=0.05, le=60)] = 1.0
    """Seconds from the start of one round to that of the next."""
    cov: bool = False
    """Have the device tell changes: what it tells of is read then and every 5 s, not in each round."""
    timeout_s: Annotated[float, msgspec.Meta(ge=0.05, le=10)] = 2.0
    """Seconds for one answer; each question is sent twice before the device counts as lost."""
