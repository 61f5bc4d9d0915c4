"""Links that several nodes share: opened by the first, closed by the last, and their registry kept on the disk."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from firmware_bridge.ble import open_ble
from firmware_bridge.errors import LinkLost
from firmware_bridge.link import Link
from firmware_bridge.registry import BadRegistry, Registry
from firmware_bridge.serial_port import open_serial
from firmware_bridge.udp import open_udp
from hub.sdk import Newcomer, Unsupported, clean

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from firmware_bridge.link import Carrier
    from firmware_bridge.messages import Hello
    from firmware_bridge.peer import Address
    from hub.sdk import Tools
    from integrations.firmware_node.config import Place

#: Seconds between two looks whether the registry must be written: what a power cut may take of the counters.
KEEP = 5.0


class Hall:
    """A link, the registry behind it, and how many use them."""

    def __init__(self, place: Place, registry: Registry) -> None:
        self.place = place
        self.registry = registry
        self.link = Link(registry, asyncio.get_running_loop().time)
        self.link.on_stranger = self._stranger
        self.users: list[Tools] = []
        self._opening = asyncio.Lock()
        self._keeper: asyncio.Task[None] | None = None
        self._errands: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Open the link, unless it is open. Raises Unreachable or Unsupported."""
        async with self._opening:
            if self._keeper is None:
                await self.link.open(_carry(self.place))
                self._keeper = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Close the link and write the registry."""
        for task in (self._keeper, *self._errands):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        await self.link.close()
        self.registry.save()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(KEEP)
            data = self.registry.changed()
            if data is not None:
                await asyncio.to_thread(self.registry.write, data)

    def _stranger(self, hello: Hello, address: Address) -> None:
        """Put a node that nobody configured into the inbox."""
        if not self.users:
            return
        facts = {"model": clean(hello.model), "version": clean(hello.ver), "address": clean(str(address[0]))}
        if hello.claimed:
            facts["note"] = "belongs to another hub"
        node = hello.id.hex()
        where: dict[str, str | int] = {"node": node, self.place.kind: self.place.value}
        newcomer = Newcomer(node, clean(f"{hello.model} {node}"), facts, where)
        task = asyncio.ensure_future(_found(self.users[0], newcomer))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)


#: By data folder and place: sessions have nobody above them who could hold what they share.
_halls: dict[tuple[Path, Place], Hall] = {}
_registries: WeakValueDictionary[Path, Registry] = WeakValueDictionary()


async def enter(place: Place, tools: Tools) -> Hall:
    """Return the link of a place, opened if nobody has it. Raises Unreachable or Unsupported."""
    hall = _halls.get((tools.data, place))
    if hall is None or hall.link.gone.done():
        hall = _halls[tools.data, place] = Hall(place, registry(tools.data))
    hall.users.append(tools)
    try:
        await hall.open()
    except BaseException:  # cancelled, too: who did not get in is no user of the link
        await leave(hall, tools)
        raise
    return hall


async def leave(hall: Hall, tools: Tools) -> None:
    """Give a link back; the last one closes it."""
    hall.users.remove(tools)
    if not hall.users:
        if _halls.get((tools.data, hall.place)) is hall:
            del _halls[tools.data, hall.place]
        await hall.close()


def registry(data: Path) -> Registry:
    """Return the nodes of a data folder, open or not. Raises Unsupported."""
    found = _registries.get(data)
    if found is None:
        try:
            found = _registries[data] = Registry(data / "nodes.json")
        except (BadRegistry, OSError) as error:
            raise Unsupported(clean(f"the registry of nodes cannot be read: {error}", 160)) from None
    return found


def _carry(place: Place) -> Callable[[Link], Awaitable[Carrier]]:
    async def carry(link: Link) -> Carrier:
        if place.kind == "serial":
            return await open_serial(link, place.value)
        if place.kind == "udp":
            host, _, port = place.value.rpartition(":")
            if int(port) > 65_535:
                raise LinkLost(f"no port {port}")
            return await open_udp(link, host.strip("[]"), int(port))
        return await open_ble(link, place.value)

    return carry


async def _found(tools: Tools, newcomer: Newcomer) -> None:
    await tools.found(newcomer)
