"""How an integration declares itself: a decoder of MQTT messages, a session with its devices, or both."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from hub.sdk.firmware import FirmwareKeeper
from hub.sdk.message import Announcement, Message, Uplink
from hub.sdk.tools import Connection, Equipment, Tools

Config = TypeVar("Config", bound=msgspec.Struct)
Announce = Callable[[Message, Any], Announcement]
Decode = Callable[[Message, Any], Uplink]
Opened = Connection | tuple[Equipment, ...]
Connect = TypeVar("Connect", bound=Callable[..., Awaitable[Connection | tuple[Equipment, ...]]])


@dataclass(slots=True)
class Decoder:
    """A pure function that reads the discovery messages on ``filters``."""

    filters: Callable[[Any], tuple[str, ...]]
    config: type[msgspec.Struct]
    announce: Announce


@dataclass(slots=True)
class UplinkDecoder:
    """A pure function that reads messages on ``filters`` that say themselves which device they are from."""

    filters: Callable[[Any], tuple[str, ...]]
    config: type[msgspec.Struct]
    decode: Decode


@dataclass(slots=True)
class Session:
    """A coroutine that opens one configured device."""

    config: type[msgspec.Struct]
    connect: Callable[[str, Any, Tools], Awaitable[Opened]]


class Plugin:
    """One integration. Its folder holds ``manifest.yaml`` and a module whose ``plugin`` is this."""

    def __init__(self, domain: str) -> None:
        self.domain = domain
        self.decoder: Decoder | None = None
        self.uplinks: UplinkDecoder | None = None
        self.session: Session | None = None
        self.firmware: FirmwareKeeper | None = None
        """Set by an integration whose devices get their firmware from the hub."""

    def announcement(
        self, config: type[Config], filters: Callable[[Config], tuple[str, ...]]
    ) -> Callable[[Callable[[Message, Config], Announcement]], Callable[[Message, Config], Announcement]]:
        """Declare the decoder of discovery messages on the MQTT topic filters that ``filters(config)`` names."""

        def register(announce: Callable[[Message, Config], Announcement]) -> Callable[[Message, Config], Announcement]:
            self.decoder = Decoder(filters=filters, config=config, announce=announce)
            return announce

        return register

    def uplink(
        self, config: type[Config], filters: Callable[[Config], tuple[str, ...]]
    ) -> Callable[[Callable[[Message, Config], Uplink]], Callable[[Message, Config], Uplink]]:
        """Declare the decoder of messages that say themselves which device they are from, as network servers send."""

        def register(decode: Callable[[Message, Config], Uplink]) -> Callable[[Message, Config], Uplink]:
            self.uplinks = UplinkDecoder(filters=filters, config=config, decode=decode)
            return decode

        return register

    def device(self, config: type[msgspec.Struct]) -> Callable[[Connect], Connect]:
        """Declare the coroutine ``connect(name, config, tools)`` that opens one device of the site's configuration.

        It raises Unreachable to be tried again later, BadCredentials to wait for a person, Unsupported for never.
        It returns the equipment, or a Connection when there is something to run (poll, subscribe).
        """

        def register(connect: Connect) -> Connect:
            self.session = Session(config=config, connect=connect)
            return connect

        return register
