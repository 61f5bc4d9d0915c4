"""What a session gets from the hub, and what it gives back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import aiohttp
import msgspec

from hub.model.reading import Entity
from hub.sdk.drivers import Driver
from hub.sdk.firmware import Surroundings
from hub.sdk.message import Sample, Vitals


@dataclass(frozen=True, slots=True)
class Equipment:
    """One entity that a session brings, and what commands it; None for one that is sensed."""

    entity: Entity
    driver: Driver | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """An open device. ``run`` works until the device is lost: it raises Unreachable then, and is opened anew."""

    equipment: tuple[Equipment, ...]
    run: Callable[[], Awaitable[None]] | None = None
    close: Callable[[], Awaitable[None]] | None = None
    """Called once when ``run`` has ended or the hub stops: leave no task, socket or file behind."""


class Push(msgspec.Struct, frozen=True):
    """An HTTP request that a device or its platform sent to the hub. Nothing in it is trusted yet."""

    method: Literal["GET", "POST"]
    query: dict[str, str]
    headers: dict[str, str]
    """Names in small letters."""
    body: bytes
    """At most 64 KiB."""


class PushAnswer(msgspec.Struct, frozen=True):
    """What the sender is told. A status other than 2xx makes most platforms send again."""

    status: int = 200
    body: bytes = b""
    media_type: str = "text/plain"


PushHandler = Callable[[Push], Awaitable[PushAnswer]]


class Newcomer(msgspec.Struct, frozen=True):
    """A device behind this one that nobody configured yet; a person finds it in the inbox. All text is cleaned."""

    identity: str
    """What stays when the address changes."""
    name: str
    facts: dict[str, str] = {}
    """What else it says."""
    values: dict[str, str | int] = {}
    """The part of its configuration that follows from what was found."""


class Report(Protocol):
    """Hands what a device said to the hub."""

    async def __call__(self, *said: Sample | Vitals) -> None:
        """Return when it is committed: acknowledge to the device after that, not before."""


class ReportMarked(Protocol):
    """Hands what a device said to the hub, and how far the device was heard with it."""

    async def __call__(self, bookmarks: Mapping[str, str], *said: Sample | Vitals) -> None:
        """Return when all of it is committed, in one transaction. Raises Unsupported for too many bookmarks.

        A key has 1 to 64 characters, a value at most 256; an empty value takes the bookmark out. One device has at
        most 32.
        """


async def _nowhere(*said: Sample | Vitals) -> None:
    raise RuntimeError(f"these tools belong to no hub, so {len(said)} samples have nowhere to go")


async def _unmarked(bookmarks: Mapping[str, str], *said: Sample | Vitals) -> None:
    await _nowhere(*said)


async def _unseen(newcomer: Newcomer) -> None:
    """Nobody looks at an inbox here."""


def _closed(handler: PushHandler) -> str:
    raise RuntimeError(f"these tools belong to no hub, so nothing can be pushed to {handler}")


@dataclass(frozen=True, slots=True)
class Tools:
    """What the hub lends to a session."""

    http: aiohttp.ClientSession
    """Shared; certificates are verified. Use ``hub.sdk.fetch`` for anything with a limit on size."""
    site: Path
    """The site folder; read only."""
    data: Path
    """A folder of this integration's own in the data folder."""
    report: Report = _nowhere
    """Hand samples to the hub."""
    receive: Callable[[PushHandler], str] = _closed
    """Take HTTP pushes at ``/hooks/<domain>/<device>`` of the hub's page; returns that path."""
    found: Callable[[Newcomer], Awaitable[None]] = _unseen
    """Put a device into the inbox that can be configured with this integration."""
    report_marked: ReportMarked = _unmarked
    """Hand samples to the hub together with bookmarks: what a device repeats after a crash of the hub is then known
    and not stored twice. Not lent to a device in a process of its own."""
    bookmarks: Callable[[], Mapping[str, str]] = dict
    """The bookmarks of this device as they are committed, by key."""
    surroundings: Surroundings | None = None
    """What a roll-out must know of the hub, to go on after a restart; None where no hub is."""
