"""The body of the request: sound that is sent in the time it takes to hear it."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from aiohttp import Payload
from aiohttp.abc import AbstractStreamWriter

from hub.sdk import Clip, g711

#: Samples per second of audio/basic (RFC 2046, section 4.2), one byte each.
RATE = 8_000
#: Bytes of PCM in a chunk: 0.1 s.
CHUNK = RATE // 10 * 2
#: Seconds that are sent ahead of time, so that a late packet is not heard. Cancelled, it still speaks so long.
AHEAD = 0.4


class Sound(Payload):
    """One clip as G.711 µ-law. When ``sent`` is true, all of it was sent and is heard until ``ends`` (loop time)."""

    _autoclose = True  # there is nothing to be closed

    def __init__(self, clip: Clip, volume: int) -> None:
        pcm = clip.pcm[: len(clip.pcm) // 2 * 2]
        super().__init__(pcm, content_type="audio/basic")
        self._size = len(pcm) // 2
        self._pcm = pcm
        self._volume = volume
        self.sent = False
        self.ends = 0.0

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send a chunk each 0.1 s. Each is due at a multiple after the first, so that lateness does not add up."""
        loop = asyncio.get_running_loop()
        start = loop.time() - AHEAD
        for place in range(0, len(self._pcm), CHUNK):
            await asyncio.sleep(max(0.0, start + place / 2 / RATE - loop.time()))
            await writer.write(g711.encode(self._pcm[place : place + CHUNK], "pcmu", self._volume))
        self.ends = start + AHEAD + len(self._pcm) / 2 / RATE
        self.sent = True

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> NoReturn:
        """Sound is no text."""
        raise TypeError("sound is no text")
