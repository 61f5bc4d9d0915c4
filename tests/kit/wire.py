"""A wire between the hub and its broker that can be made slow, lossy, silent or cut, without ``tc netem``.

It passes TCP on, so a lost packet shows as TCP shows it: what follows it is late, and in its order.
"""

from __future__ import annotations

import asyncio
import random
import threading
from enum import StrEnum
from types import TracebackType
from typing import Self

from tests.kit.broker import free_port

#: Seconds of a slow wire in each direction; part of the pieces that are lost, and seconds until TCP sends one again.
DELAY, LOSS, AGAIN = 2.0, 0.3, (0.2, 0.8)


class State(StrEnum):
    """What the wire does."""

    GOOD = "good"
    SLOW = "slow"
    LOSSY = "lossy"
    SILENT = "silent"
    """Half-open: connections stand and are taken, nothing comes through."""
    CUT = "cut"
    """Parted: what stands is ended, nothing new is passed on."""


class Wire:
    """Passes on between ``port``, where the hub connects, and the broker's."""

    def __init__(self, broker: int) -> None:
        self.port = free_port()
        self._broker = broker
        self._state = State.GOOD
        self._dice = random.Random(broker)
        self._loop = asyncio.new_event_loop()
        self._ends: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)

    def become(self, state: State) -> None:
        """Behave like that from now on."""

        async def change() -> None:
            self._state = state
            for end in list(self._ends) if state is State.CUT else ():
                end.transport.abort()

        asyncio.run_coroutine_threadsafe(change(), self._loop).result(5)

    def __enter__(self) -> Self:
        self._thread.start()
        serving = asyncio.start_server(self._take, "127.0.0.1", self.port)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result(5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async def end() -> None:
            self._server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._state is State.CUT:
            writer.transport.abort()
            return
        there, far = await asyncio.open_connection("127.0.0.1", self._broker)
        self._ends |= {writer, far}
        try:
            await asyncio.gather(self._pass(reader, far), self._pass(there, writer), return_exceptions=True)
        finally:
            self._ends -= {writer, far}
            for end in (writer, far):
                end.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Pass on until one end is gone; what comes while it is silent is lost with the connection."""
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        writing = asyncio.ensure_future(self._write(pieces, sink))
        try:
            while data := await source.read(1400):  # a packet
                if self._state is not State.SILENT:
                    pieces.put_nowait((self._loop.time() + self._late(), data))
        finally:
            writing.cancel()
            sink.transport.abort()

    async def _write(self, pieces: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter) -> None:
        while True:
            due, data = await pieces.get()
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            sink.write(data)

    def _late(self) -> float:
        if self._state is State.SLOW:
            return DELAY
        return self._dice.uniform(*AGAIN) if self._state is State.LOSSY and self._dice.random() < LOSS else 0.0
