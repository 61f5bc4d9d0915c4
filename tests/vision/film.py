"""A camera that shows a film over real RTSP, and can misbehave: garbage, another size, jumping time, silence."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt

from integrations.sim.broadcast import Broadcast, Shot, Viewer
from integrations.sim.digest import Guard
from integrations.sim.h264 import PPS, SPS, kind, split
from integrations.sim.process import Address
from integrations.sim.rtsp import serving_rtsp

Show = Callable[[float], npt.NDArray[np.uint8]]


class Stage:
    """A show that waits for its cue, so that no test depends on how fast the machine is: at 4 s, until ``go``."""

    def __init__(self, show: Show) -> None:
        self._show, self._time, self._last, self._until = show, 0.0, 0.0, 4.0

    def __call__(self, at: float) -> npt.NDArray[np.uint8]:
        """Show the present moment; noise and rain go on while it waits."""
        self._time, self._last = min(self._time + max(0.0, at - self._last), self._until), at
        return self._show(self._time)

    def skip(self, to: float) -> None:
        """Go on at a later moment of the show, in which nothing more happens than now."""
        self._time = max(self._time, to)

    def go(self, until: float) -> None:
        """Play on until this moment of the show, in seconds."""
        self._until = until


class Film(Broadcast):
    """Shows ``show(seconds since the first viewer)``, ``rate`` pictures a second, a key frame each second."""

    def __init__(self, show: Show, rate: int = 4) -> None:
        self._show, self._rate = show, rate
        self._viewers: list[Viewer] = []
        self._wanted = asyncio.Event()
        self._key = True
        self._shape = (0, 0)
        self.jump = 0.0
        """Seconds that the time stamps are off."""
        self.wild = False
        """Whether each picture's time stamp is off by another hour."""
        self.rows = 0
        """Rows that are left of a picture; 0 for all."""
        self.garbage = False
        self.silent = False
        self.every = 1
        """Of so many pictures one is sent."""
        self.scale = 1
        """Pictures are so many times as large."""
        self.lost = 0
        """Pictures that were not shown, as this machine had no time for them."""
        self.sent: list[bytes] = []
        first = self._encode(0.0)
        self.sps, self.pps = (next(unit for unit in first if kind(unit) == wanted) for wanted in (SPS, PPS))

    async def run(self) -> None:
        """Show it until cancelled."""
        await self._wanted.wait()
        began, count, at = time.monotonic(), 0, 0.0
        while True:
            count += 1
            before, at = at, time.monotonic() - began
            self.lost += max(0, round((at - before) * self._rate) - 1)
            units = await asyncio.to_thread(self._encode, at)
            if self.garbage:
                units = [unit[:4] + bytes(255 - byte for byte in unit[4:]) for unit in units]
            off = self.jump + 3_600.0 * (count % 3) * self.wild
            shot = Shot(units, int((at + off) * 90_000) & 0xFFFFFFFF)
            if not self.silent and (count % self.every == 0 or self._is_key(units)):
                self.sent += units
                for viewer in self._viewers:
                    viewer.offer(shot)
            await asyncio.sleep(max(0.0, began + at + 1 / self._rate - time.monotonic()))

    def _is_key(self, units: list[bytes]) -> bool:
        return any(kind(unit) == SPS for unit in units)

    def _encode(self, at: float) -> list[bytes]:
        picture = self._show(at)[: self.rows or None].repeat(self.scale, 0).repeat(self.scale, 1)
        if picture.shape[:2] != self._shape:
            self._shape, self._codec = picture.shape[:2], codec_for(picture.shape[1], picture.shape[0], self._rate)
        form = "gray" if picture.ndim == 2 else "rgb24"
        frame = av.VideoFrame.from_ndarray(picture, format=form).reformat(format="yuv420p")
        return [unit for packet in self._codec.encode(frame) for unit in split(bytes(packet))]


def codec_for(width: int, height: int, rate: int) -> av.VideoCodecContext:
    """Return an encoder as cameras have one: no B-frames, a key frame each second."""
    codec = av.CodecContext.create("libx264", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.framerate = Fraction(rate)
    codec.thread_count = 1
    codec.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "crf": "22", "g": str(rate)}
    return codec


@asynccontextmanager
async def showing(film: Broadcast, user: str = "", password: str = "", port: int = 0) -> AsyncIterator[int]:
    """Serve a film; give the port."""
    guard = Guard("digest" if user else "none", user, password, "film", ("MD5",))
    running = asyncio.create_task(film.run())
    try:
        async with serving_rtsp(film, guard, Address("127.0.0.1", port)) as given:
            yield given
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
