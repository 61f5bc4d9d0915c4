"""The event stream of a camera: what happens is written to all who listen, and a heartbeat while nothing does."""

from __future__ import annotations

import asyncio


class EventStream:
    """``beat`` is written each ``every`` seconds; ``write`` is the stream of a simulated Dahua or Hikvision camera."""

    def __init__(self, beat: bytes, every: float) -> None:
        self._beat, self._every = beat, every
        self._open: set[asyncio.Queue[bytes]] = set()

    def tell(self, part: bytes) -> None:
        """Write one part to all who listen now."""
        for queue in self._open:
            queue.put_nowait(part)

    async def write(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Write to one listener until he hangs up."""
        queue = asyncio.Queue[bytes]()
        self._open.add(queue)
        try:
            while True:
                writer.write(await self._next(queue))
                await writer.drain()
        finally:
            self._open.discard(queue)

    async def _next(self, queue: asyncio.Queue[bytes]) -> bytes:
        try:
            async with asyncio.timeout(self._every):
                return await queue.get()
        except TimeoutError:
            return self._beat
