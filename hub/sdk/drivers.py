"""What commands a device: a plugin's class offers one of these, and the hub calls it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import msgspec

from hub.model.ids import CommandKey
from hub.model.text import Text, clean
from hub.sdk.media import Clip, Picture


@runtime_checkable
class Camera(Protocol):
    """Something that takes pictures."""

    async def snapshot(self) -> Picture:
        """Take one picture now. Raises DeviceError."""
        ...


@runtime_checkable
class Watchable(Protocol):
    """A camera with a video stream, so that the hub can watch it."""

    @property
    def video(self) -> str:
        """Address of the stream (``rtsp://``, ``rtsps://``) with user and password: never shown; empty without one."""
        ...


@runtime_checkable
class Turnable(Protocol):
    """A camera that turns to places which were stored in it under names (presets)."""

    async def go_to(self, preset: str) -> None:
        """Turn to a preset, named as people named it in the camera, and return once it stands still.

        Raises DeviceError; Unsupported says which presets there are.
        """
        ...

    async def go_home(self) -> None:
        """Turn back to where it looks when nobody turns it. Raises DeviceError; Unsupported without such a place."""
        ...


@runtime_checkable
class Clocked(Protocol):
    """A device with a clock of its own that can be asked."""

    async def clock_ahead(self) -> float | None:
        """Return by how many seconds its clock is ahead of ours (late: less than 0); None where it does not say.

        Raises DeviceError.
        """
        ...


@runtime_checkable
class Speaker(Protocol):
    """Something that speaks. The hub plays one clip at a time on each."""

    async def play(self, clip: Clip, volume: int, key: CommandKey) -> None:
        """Play ``clip`` at ``volume`` (0 to 100) and return when it was sent. Raises DeviceError.

        ``key`` names this one utterance: pass it to the device where its protocol has a place for it, so that a
        repeat after a crash can be recognised. When the call is cancelled, the device must fall silent.
        """
        ...


@runtime_checkable
class Relay(Protocol):
    """Something that can be held for a time."""

    async def hold(self, seconds: float, key: CommandKey) -> None:
        """Hold the relay for ``seconds`` and return at once. Raises DeviceError.

        The device itself must let go when the time is over, also when the hub is gone: set its watchdog.
        """
        ...


class Notice(msgspec.Struct, frozen=True):
    """What a person is told."""

    key: CommandKey
    """Idempotency key: the same one twice is the same notice."""
    site: Text
    zone: Text
    rule: str
    contact: Text
    decided_at: str
    """RFC 3339, UTC."""
    text: Text
    local: str = ""
    """The same moment as people there read a clock, with the name of their time: ``北京时间 2026-11-21 00:03:09``."""

    def line(self, limit: int) -> str:
        """Say it in Chinese, in one printable line of at most ``limit`` characters."""
        when = self.local or self.decided_at
        return clean(f"【{self.site.zh}】{self.text.zh}（{self.zone.zh}，规则 {self.rule}，{when}）", limit)


@runtime_checkable
class Notifier(Protocol):
    """Something that tells people: a chat robot, a mail server, an SMS gateway."""

    async def tell(self, notice: Notice) -> None:
        """Send ``notice`` once. Raises DeviceError; Unreachable when a rate limit says to wait."""
        ...


class Parcel(msgspec.Struct, frozen=True):
    """A file that people are sent, with a few words."""

    key: CommandKey
    """Idempotency key: the same one twice is the same parcel."""
    subject: str
    text: str
    sent_at: str
    """RFC 3339, UTC."""
    name: str
    """Of the file, in ASCII."""
    media: str
    """Its media type, like ``application/pdf``."""
    content: bytes


@runtime_checkable
class Courier(Protocol):
    """A notifier that can send a file, too: a mail server."""

    async def deliver(self, parcel: Parcel) -> None:
        """Send ``parcel`` once. Raises DeviceError; Unreachable when it is worth another try."""
        ...


Driver = Camera | Speaker | Relay | Notifier
