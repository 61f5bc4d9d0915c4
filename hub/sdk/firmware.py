"""What the hub's page and commands ask of an integration that keeps the firmware of its devices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from hub.model.time import Instant


class FirmwareUnit(msgspec.Struct, frozen=True):
    """One device with firmware. All text is cleaned."""

    name: str
    """As in hub.yaml."""
    model: str
    version: str
    online: bool
    stand: str = ""
    """``waiting``, ``updating``, ``done``, ``failed`` or ``reverted``; empty when it takes no part in a roll-out."""
    phase: str = ""
    share: float = 0.0
    """Of its phase, 0 to 1."""
    reason: str = ""


class FirmwareImage(msgspec.Struct, frozen=True):
    """An image that was verified and can be rolled out."""

    digest: str
    """Hexadecimal SHA-256, as the device knows it."""
    version: str
    model: str
    size: int
    """Bytes."""


class RolloutState(msgspec.Struct, frozen=True):
    """The present roll-out, or the last one."""

    image: FirmwareImage
    outcome: str
    """``running``, ``done``, ``stopped`` or ``expired``."""
    reason: str
    by: str
    """Who began it."""


class RolloutOrder(msgspec.Struct, frozen=True):
    """What a person wants."""

    digest: str
    """Of the image that was loaded last."""
    by: str
    units: tuple[str, ...] = ()
    """Names; none means all devices of the image's model."""
    begin_minute: int = 60
    end_minute: int = 300
    """Minutes of the local day between which updates may begin; both 0 for any time."""
    quiet_s: float = 300.0
    """For how long a new image must run well before it is kept, in seconds."""
    hours: float = 24.0
    """After which those that never were ready are left as they are."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a roll-out must know of the hub."""

    now: Callable[[], Instant]
    minute: Callable[[], int]
    """Minute of the local day."""
    alarm: Callable[[], Awaitable[str]]
    """Why nothing may begin now: an incident that is open, in words; empty when all is calm."""


class FirmwareKeeper(Protocol):
    """Keeps the firmware of one integration's devices. What a person asks for wrongly raises DeviceError."""

    def units(self) -> tuple[FirmwareUnit, ...]:
        """Return all devices."""
        ...

    def state(self) -> RolloutState | None:
        """Return the roll-out or the last one, also of before a restart of the hub; None when there was none."""
        ...

    def load(self, data: bytes) -> FirmwareImage:
        """Verify an image and keep it for a roll-out."""
        ...

    def begin(self, order: RolloutOrder, surroundings: Surroundings) -> None:
        """Begin a roll-out."""
        ...

    def stop(self, by: str) -> None:
        """Begin with no further device."""
        ...

    async def release(self, name: str) -> None:
        """Give up the ownership of a device."""
        ...
