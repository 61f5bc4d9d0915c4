"""Tells open pages what changed. A slow page never holds anything up: what it has not been told is merged."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import msgspec
from aiohttp import WSMsgType, web

from hub.model.decision import Command, Opened
from hub.web.schema import Changed, Subscribe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub.model.entry import Entry

Topic = Literal["incidents", "zones", "site"]

#: Pages open at a time, and bytes of one message from them.
MOST, MESSAGE = 200, 1_024
#: Ids told one by one; more become "all of them".
SINGLE = 20
#: Seconds between pings; a dead page is noticed within twice that.
HEARTBEAT = 20.0


class _Client:
    def __init__(self) -> None:
        self.topics: set[Topic] = set()
        self.pending: dict[Topic, set[str] | None] = {}
        self.wake = asyncio.Event()

    def tell(self, topic: Topic, ids: Iterable[str]) -> None:
        if topic not in self.topics:
            return
        known = self.pending.get(topic, set())
        merged = None if known is None else known | set(ids)
        self.pending[topic] = None if merged is None or len(merged) > SINGLE else merged
        self.wake.set()

    def take(self) -> list[Changed]:
        """Return what to say now. No ids means the whole topic."""
        changes: list[Changed] = []
        for topic, ids in self.pending.items():
            changes.extend([Changed(topic, name) for name in sorted(ids)] if ids else [Changed(topic)])
        self.pending.clear()
        self.wake.clear()
        return changes


class Live:
    """All open pages."""

    def __init__(self) -> None:
        self._clients: set[_Client] = set()
        self._sockets: set[web.WebSocketResponse] = set()

    def committed(self, entry: Entry) -> None:
        """Tell what a committed entry changed."""
        if entry.outcomes or any(not isinstance(decision, Command) for decision in entry.decisions):
            self._tell("incidents", ())
        zones = {key.zone for key in entry.slots} | {d.zone for d in entry.decisions if isinstance(d, Opened)}
        if entry.states or entry.modes:
            self._tell("zones", ())
        elif zones:
            self._tell("zones", zones)
        if entry.modes:
            self._tell("site", ())

    def problems_changed(self) -> None:
        """Tell that the banner changed."""
        self._tell("site", ())

    def incidents_changed(self) -> None:
        """Tell that a person did something with an incident."""
        self._tell("incidents", ())

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one page until it goes."""
        if len(self._clients) >= MOST:
            raise web.HTTPServiceUnavailable(text="too many pages are open")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=MESSAGE)
        await socket.prepare(request)
        client = _Client()
        self._clients.add(client)
        self._sockets.add(socket)
        sender = asyncio.create_task(self._send(socket, client))
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                try:
                    client.topics = set(msgspec.json.decode(message.data, type=Subscribe).subscribe)
                except msgspec.DecodeError:
                    await socket.close(code=1008, message=b"not a subscription")
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
            await client.wake.wait()
            for change in client.take():
                await socket.send_str(msgspec.json.encode(change).decode())

    def _tell(self, topic: Topic, ids: Iterable[str]) -> None:
        for client in self._clients:
            client.tell(topic, ids)
