"""How an integration declares itself: a decoder of MQTT messages, a session with commanded devices, or both."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import aiohttp
import msgspec

from hub.model.ids import CommandKey
from hub.model.reading import Entity
from hub.sdk.media import Clip, Picture
from hub.sdk.message import Announcement, Message


@runtime_checkable
class Camera(Protocol):
    """Something that takes pictures."""

    async def snapshot(self) -> Picture:
        """Take one picture now. Raises DeviceError."""
        ...


@runtime_checkable
class Speaker(Protocol):
    """Something that speaks. The hub plays one clip at a time on each."""

    async def play(self, clip: Clip, volume: int, key: CommandKey) -> None:
        """Play ``clip`` at ``volume`` (0 to 100) and return when it was sent. Raises DeviceError.

        ``key`` names this one utterance: pass it to the device where its protocol has a place for it, so that a
        repeat after a crash can be recognised.
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


Driver = Camera | Speaker | Relay


@dataclass(frozen=True, slots=True)
class Equipment:
    """One entity that a session brings, and what commands it."""

    entity: Entity
    driver: Driver


@dataclass(frozen=True, slots=True)
class Tools:
    """What the hub lends to a session."""

    http: aiohttp.ClientSession
    """Shared; certificates are verified. Use ``hub.sdk.fetch`` for anything with a limit on size."""
    site: Path
    """The site folder; read only."""
    data: Path
    """A folder of this integration's own in the data folder."""


Config = TypeVar("Config", bound=msgspec.Struct)
Announce = Callable[[Message, Any], Announcement]
Connect = Callable[[str, Any, Tools], Awaitable[tuple[Equipment, ...]]]


@dataclass(slots=True)
class Decoder:
    """A pure function that reads the discovery messages on ``filters``."""

    filters: Callable[[Any], tuple[str, ...]]
    config: type[msgspec.Struct]
    announce: Announce


@dataclass(slots=True)
class Session:
    """A coroutine that opens one configured device."""

    config: type[msgspec.Struct]
    connect: Connect


class Plugin:
    """One integration. Its folder holds ``manifest.yaml`` and a module whose ``plugin`` is this."""

    def __init__(self, domain: str) -> None:
        self.domain = domain
        self.decoder: Decoder | None = None
        self.session: Session | None = None

    def announcement(
        self, config: type[Config], filters: Callable[[Config], tuple[str, ...]]
    ) -> Callable[[Callable[[Message, Config], Announcement]], Callable[[Message, Config], Announcement]]:
        """Declare the decoder of discovery messages on the MQTT topic filters that ``filters(config)`` names."""

        def register(announce: Callable[[Message, Config], Announcement]) -> Callable[[Message, Config], Announcement]:
            self.decoder = Decoder(filters=filters, config=config, announce=announce)
            return announce

        return register

    def device(
        self, config: type[Config]
    ) -> Callable[
        [Callable[[str, Config, Tools], Awaitable[tuple[Equipment, ...]]]],
        Callable[[str, Config, Tools], Awaitable[tuple[Equipment, ...]]],
    ]:
        """Declare the coroutine ``connect(name, config, tools)`` that opens one device of the site's configuration.

        It raises Unreachable to be tried again later, BadCredentials to wait for a person, Unsupported for never.
        """

        def register(
            connect: Callable[[str, Config, Tools], Awaitable[tuple[Equipment, ...]]],
        ) -> Callable[[str, Config, Tools], Awaitable[tuple[Equipment, ...]]]:
            self.session = Session(config=config, connect=connect)
            return connect

        return register
