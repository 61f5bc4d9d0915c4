"""The inbox: found devices until a person adopts or ignores them. One that comes back elsewhere is the same one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec
import structlog

from hub.model.errors import HubError, JournalError
from hub.model.found import Found, Inboxed
from hub.model.time import MINUTE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from hub.model.execution import Clock

log = structlog.get_logger()

#: Most devices kept: a network full of liars must not fill the disk.
MOST = 1_000
#: A device that is only seen again is written again after so long.
SEEN_AGAIN = 10 * MINUTE
_KEEP = "INSERT OR REPLACE INTO found VALUES (?, ?)"


class NotFound(HubError):
    """No such device in the inbox."""


class Store(Protocol):
    """What the inbox needs of the journal."""

    async def execute(self, job: Callable[[sqlite3.Connection], None]) -> None:
        """Run ``job`` inside the next transaction. Raises JournalError."""


class Inbox:
    """All found devices by their key."""

    def __init__(self, store: Store, clock: Clock, kept: Iterable[Inboxed]) -> None:
        self._store = store
        self._clock = clock
        self._items = {item.found.key: item for item in kept}

    @property
    def items(self) -> tuple[Inboxed, ...]:
        """Return all, the newest first."""
        return tuple(sorted(self._items.values(), key=lambda item: (-item.first_seen, item.found.key)))

    def get(self, key: str) -> Inboxed:
        """Return one. Raises NotFound."""
        item = self._items.get(key)
        if item is None:
            raise NotFound(f"no found device {key}")
        return item

    async def see(self, found: Found) -> None:
        """Take note of a device that is there now."""
        now = self._clock.now()
        known = self._items.get(found.key)
        if known is None:
            if len(self._items) >= MOST:
                return
            log.info("device.found", source=found.source, name=found.name, integration=found.integration)
            await self._put(Inboxed(found, now, now))
        elif known.found != found or now - known.last_seen >= SEEN_AGAIN:
            await self._put(msgspec.structs.replace(known, found=found, last_seen=now))

    async def ignore(self, key: str, *, ignored: bool) -> None:
        """Hide a device, or show it again. Raises NotFound."""
        await self._put(msgspec.structs.replace(self.get(key), ignored=ignored))

    async def adopted(self, key: str, device: str) -> None:
        """Note which configured device it became. Raises NotFound."""
        await self._put(msgspec.structs.replace(self.get(key), adopted=device, ignored=False))

    async def _put(self, item: Inboxed) -> None:
        self._items[item.found.key] = item
        body = msgspec.json.encode(item).decode()

        def keep(db: sqlite3.Connection) -> None:
            db.execute(_KEEP, (item.found.key, body))

        try:
            await self._store.execute(keep)
        except JournalError as error:
            log.warning("inbox.not_kept", reason=str(error))
