"""Tells open pages what changed. A slow page never holds anything up: what it has not been told is merged."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

import msgspec
from aiohttp import WSMsgType, web

from hub.model.decision import Command, Opened
from hub.model.errors import JournalError
from hub.model.ids import ZoneId
from hub.web.routing import UserRole
from hub.web.schema import Changed, Subscribe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from hub.model.entry import Entry
    from hub.model.ids import EntityId
    from hub.web.auth import User

    Served = Callable[[EntityId], Iterable[str]]
    Identify = Callable[[], Awaitable[User | None]]

Topic = Literal["incidents", "zones", "site"]

#: Pages open at a time, and bytes of one message from them.
MOST, MESSAGE = 200, 1_024
#: Ids told one by one; more become "all of them".
SINGLE = 20
#: The note that the hub works by another site or other rules from now on (hub.app).
EDITED = "rules_changed"
#: The least role that may hear of a topic; a topic that is not here is told to nobody.
LEAST: dict[Topic, UserRole] = {
    "incidents": UserRole.VIEWER,
    "zones": UserRole.VIEWER,
    "site": UserRole.VIEWER,
}
_NOBODY = max(UserRole) + 1
#: Seconds after which it is asked again whether a page may still come in, and how often where nothing happens.
AGAIN, QUIET = 1.0, 5.0
#: Seconds between pings; a dead page is noticed within twice that.
HEARTBEAT = 20.0


class _Client:
    def __init__(self, identify: Identify, user: User) -> None:
        self._identify = identify
        self._asked = asyncio.get_running_loop().time()
        self.user: User | None = user
        self.topics: set[Topic] = set()
        self.pending: dict[Topic, set[str] | None] = {}
        self.wake = asyncio.Event()

    def tell(self, topic: Topic, ids: Iterable[str]) -> None:
        if topic not in self.topics:
            return
        new, known = set(ids), self.pending.get(topic, set())
        merged = None if known is None or not new else known | new  # no ids mean all of them
        self.pending[topic] = None if merged is None or len(merged) > SINGLE else merged
        self.wake.set()

    async def may_stay(self) -> bool:
        """Tell whether the page's session or token is still good; asked again every second at most."""
        now = asyncio.get_running_loop().time()
        if now - self._asked >= AGAIN:
            self._asked, self.user = now, None
            with suppress(JournalError):  # who cannot be known now is told nothing; the page tries again
                self.user = await self._identify()
        return self.user is not None

    def subscribe(self, topics: Iterable[Topic]) -> bool:
        """Hear of these topics from now on, and at once of all; False where one is above the role.

        Said once the page is on the list: what changed while it was away, and what it fetched before, is fetched again.
        """
        wanted = set(topics)
        if not all(self._may_hear(topic) for topic in wanted):
            return False
        self.topics = wanted
        for topic in sorted(wanted):
            self.tell(topic, ())
        return True

    def _may_hear(self, topic: Topic) -> bool:
        return self.user is not None and LEAST.get(topic, _NOBODY) <= self.user.role

    def take(self) -> list[Changed]:
        """Return what to say now. No ids means the whole topic."""
        changes: list[Changed] = []
        for topic, ids in self.pending.items():
            if not self._may_hear(topic):  # the role is another one since
                continue
            changes.extend([Changed(topic, name) for name in sorted(ids)] if ids else [Changed(topic)])
        self.pending.clear()
        self.wake.clear()
        return changes


class Live:
    """All open pages."""

    def __init__(self, served: Served) -> None:
        """``served`` names the zones that an entity is bound to: what its readings change."""
        self._served = served
        self._clients: set[_Client] = set()
        self._sockets: set[web.WebSocketResponse] = set()

    def committed(self, entry: Entry) -> None:
        """Tell what a committed entry changed."""
        if entry.outcomes or any(not isinstance(decision, Command) for decision in entry.decisions):
            self._tell("incidents", ())
        zones = {key.zone for key in entry.slots} | {d.zone for d in entry.decisions if isinstance(d, Opened)}
        zones.update(ZoneId(zone) for entity in entry.states for zone in self._served(entity))
        edited = any(note.kind == EDITED for note in entry.notes)  # zones, bindings or rules are others
        if entry.modes or edited:
            self._tell("zones", ())
            self._tell("site", ())
        elif zones:
            self._tell("zones", zones)

    def problems_changed(self) -> None:
        """Tell that the banner changed."""
        self._tell("site", ())

    def incidents_changed(self) -> None:
        """Tell that a person did something with an incident."""
        self._tell("incidents", ())

    async def serve(self, request: web.Request, identify: Identify, user: User) -> web.WebSocketResponse:
        """Serve one page until it goes, or until ``identify`` does not know it any more."""
        if len(self._clients) >= MOST:
            raise web.HTTPServiceUnavailable(text="too many pages are open")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=MESSAGE)
        await socket.prepare(request)
        client = _Client(identify, user)
        self._clients.add(client)
        self._sockets.add(socket)
        sender = asyncio.create_task(self._send(socket, client))
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                try:
                    wanted = msgspec.json.decode(message.data, type=Subscribe).subscribe
                except msgspec.DecodeError:
                    await socket.close(code=1008, message=b"not a subscription")
                    break
                if not (await client.may_stay() and client.subscribe(wanted)):
                    await socket.close(code=1008, message=b"not for this role")
        finally:
            sender.cancel()
            self._clients.discard(client)
            self._sockets.discard(socket)
        return socket

    async def close(self) -> None:
        """Close every page's socket."""
        await asyncio.gather(*(socket.close(code=1001) for socket in tuple(self._sockets)))

    async def _send(self, socket: web.WebSocketResponse, client: _Client) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(QUIET):
                    await client.wake.wait()
            if not await client.may_stay():
                await socket.close(code=1008, message=b"signed out")
                return
            for change in client.take():
                await socket.send_str(msgspec.json.encode(change).decode())

    def _tell(self, topic: Topic, ids: Iterable[str]) -> None:
        for client in self._clients:
            client.tell(topic, ids)
