"""Drivers whose device lives in another process. What comes back is checked like anything a device says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec

from hub.model.errors import DecodeError, Unreachable
from hub.runtime.isolation.wire import encode
from hub.sdk import Equipment, Picture

if TYPE_CHECKING:
    from hub.model.ids import CommandKey, EntityId
    from hub.runtime.isolation.wire import Method, Opened
    from hub.sdk import Clip, Driver, Notice

Ask = Callable[["EntityId", "Method", bytes], Awaitable[bytes]]


class RemoteCamera:
    """A camera."""

    def __init__(self, entity: EntityId, ask: Ask) -> None:
        self._entity = entity
        self._ask = ask

    async def snapshot(self) -> Picture:
        """Take one picture now. Raises DeviceError."""
        try:
            picture = msgspec.msgpack.decode(await self._ask(self._entity, "snapshot", b""), type=Picture)
            return Picture.from_bytes(picture.data)
        except (msgspec.MsgspecError, DecodeError) as error:
            raise Unreachable(f"no picture: {error}") from None


class RemoteSpeaker:
    """A loudspeaker."""

    def __init__(self, entity: EntityId, ask: Ask) -> None:
        self._entity = entity
        self._ask = ask

    async def play(self, clip: Clip, volume: int, key: CommandKey) -> None:
        """Play. Raises DeviceError."""
        await self._ask(self._entity, "play", encode(clip, volume, key))


class RemoteRelay:
    """A relay."""

    def __init__(self, entity: EntityId, ask: Ask) -> None:
        self._entity = entity
        self._ask = ask

    async def hold(self, seconds: float, key: CommandKey) -> None:
        """Hold. Raises DeviceError."""
        await self._ask(self._entity, "hold", encode(seconds, key))


class RemoteNotifier:
    """A chat robot, a mail server."""

    def __init__(self, entity: EntityId, ask: Ask) -> None:
        self._entity = entity
        self._ask = ask

    async def tell(self, notice: Notice) -> None:
        """Send. Raises DeviceError."""
        await self._ask(self._entity, "tell", encode(notice))


_DRIVERS: dict[Method, Callable[[EntityId, Ask], Driver]] = {
    "snapshot": RemoteCamera,
    "play": RemoteSpeaker,
    "hold": RemoteRelay,
    "tell": RemoteNotifier,
}


def equipment(opened: Opened, ask: Ask) -> tuple[Equipment, ...]:
    """Return what a process brought, each with a driver that asks it."""
    return tuple(
        Equipment(item.entity, _DRIVERS[item.methods[0]](item.entity.id, ask) if item.methods else None)
        for item in opened.equipment
    )
