"""One encoder for all viewers: it draws only while somebody looks, and begins with a key frame for each."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from integrations.sim.h264 import IDR, PPS, SPS, Encoder, kind
from integrations.sim.scene import VIEW, Scene

#: Pictures that may wait for one viewer; a slower one loses pictures up to the next key frame.
MAX_WAITING = 30


@dataclass(frozen=True)
class Shot:
    """One encoded picture and its time on the RTP clock of 90 kHz (RFC 6184 section 8.2.1)."""

    units: list[bytes]
    clock: int

    @property
    def is_key(self) -> bool:
        """Whether decoding can begin here."""
        return any(kind(unit) == IDR for unit in self.units)


@dataclass
class Viewer:
    """One client's queue."""

    queue: asyncio.Queue[Shot] = field(default_factory=lambda: asyncio.Queue(MAX_WAITING))
    waits_for_key: bool = True

    def offer(self, shot: Shot) -> None:
        """Queue a picture, unless what comes before it was lost."""
        if self.waits_for_key and not shot.is_key:
            return
        self.waits_for_key = self.queue.full()
        if not self.waits_for_key:
            self.queue.put_nowait(shot)


class Broadcast:
    """Draws, encodes and hands out; drawing and encoding have one thread of their own."""

    ahead_s = 0.0
    """Seconds that the camera's clock is ahead."""

    def __init__(self, scene: Scene, rate: int) -> None:
        self._scene = scene
        self._rate = rate
        self._encoder = Encoder(VIEW.width, VIEW.height, rate)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="camera")
        self._viewers: list[Viewer] = []
        self._wanted = asyncio.Event()
        self._key = True
        first = self._encoder.encode(scene.image(), key=True)
        self.sps = next(unit for unit in first if kind(unit) == SPS)
        self.pps = next(unit for unit in first if kind(unit) == PPS)

    @contextmanager
    def viewer(self) -> Iterator[Viewer]:
        """Lend a queue that begins with a key frame."""
        made = Viewer()
        self._viewers.append(made)
        self._key = True
        self._wanted.set()
        try:
            yield made
        finally:
            self._viewers.remove(made)
            if not self._viewers:
                self._wanted.clear()

    async def jpeg(self) -> bytes:
        """Return the present picture as JPEG."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._scene.jpeg)

    async def run(self) -> None:
        """Hand out pictures until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while True:
                await self._wanted.wait()
                due = max(due + 1 / self._rate, loop.time() - 1 / self._rate)
                key, self._key = self._key, False
                shot = await loop.run_in_executor(self._thread, self._shoot, key)
                for viewer in self._viewers:
                    viewer.offer(shot)
                await asyncio.sleep(max(0.0, due - loop.time()))
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    def sdp(self, host: str) -> str:
        """Describe the stream (RFC 8866; H.264 parameters: RFC 6184 section 8.2)."""
        level = self.sps[1:4].hex().upper()
        sets = ",".join(base64.b64encode(unit).decode() for unit in (self.sps, self.pps))
        lines = (
            "v=0",
            f"o=- 1 1 IN IP4 {host}",
            "s=Menshen lane camera",
            f"c=IN IP4 {host}",
            "t=0 0",
            "a=control:*",
            "m=video 0 RTP/AVP 96",
            "a=rtpmap:96 H264/90000",
            f"a=fmtp:96 packetization-mode=1;profile-level-id={level};sprop-parameter-sets={sets}",
            f"a=framerate:{self._rate}",
            "a=control:trackID=0",
            "",
        )
        return "\r\n".join(lines)

    def _shoot(self, key: bool) -> Shot:
        picture = self._scene.image()
        clock = int(time.monotonic() * 90_000)
        return Shot(self._encoder.encode(picture, key=key), clock)
