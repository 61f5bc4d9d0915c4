"""Cameras that show one coded film over and over, by real RTSP, in a process of their own: they cost almost nothing."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

import av
import numpy as np

from integrations.sim.broadcast import Broadcast, Shot, Viewer
from integrations.sim.digest import Guard
from integrations.sim.h264 import PPS, SPS, kind, split
from integrations.sim.process import Address
from integrations.sim.rtsp import serving_rtsp
from tests.vision.facade import Scene
from tests.vision.film import codec_for
from tests.vision.movers import FPS


@dataclass(frozen=True)
class Reel:
    """NAL units of each picture; the first is a key frame, and so the last is followed by the first."""

    pictures: list[list[bytes]]

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.pictures) / FPS


def coded(scene: Scene, seconds: float, rate: str) -> Reel:
    """Draw and code a scene once, with at most ``rate`` bits a second such as ``4M``; a key frame each second."""
    codec = codec_for(scene.width, scene.height, FPS)
    codec.options = {**codec.options, "crf": "24", "maxrate": rate, "bufsize": rate}
    pictures = []
    for _, luma in scene.frames(seconds):
        frame = av.VideoFrame.from_ndarray(luma, format="gray").reformat(format="yuv420p")
        pictures.append([unit for packet in codec.encode(frame) for unit in split(bytes(packet))])
    return Reel(pictures)


def decoded(reel: Reel) -> Iterator[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    """Give the luma of each picture as the hub's decoder does."""
    codec = av.CodecContext.create("h264", "r")
    assert isinstance(codec, av.VideoCodecContext)
    codec.thread_count, codec.options = 1, {"flags": "low_delay"}
    packets = [av.Packet(b"".join(b"\0\0\0\1" + unit for unit in units)) for units in reel.pictures]
    for packet in (*packets, None):
        for picture in codec.decode(packet):
            plane = picture.planes[0]
            luma = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            yield luma[: picture.height, : picture.width].copy()


class Looping(Broadcast):
    """Shows a reel; ``begins`` is when its first picture is due, in monotonic seconds."""

    def __init__(self, reel: Reel, begins: float) -> None:
        self.reel, self._begins, self._rate = reel, begins, FPS
        self._viewers: list[Viewer] = []
        self._wanted = asyncio.Event()
        self._key = True
        self.sps, self.pps = (next(unit for unit in reel.pictures[0] if kind(unit) == wanted) for wanted in (SPS, PPS))

    async def run(self) -> None:
        number = 0
        while True:
            at = number / FPS
            await asyncio.sleep(max(0.0, self._begins + at - time.monotonic()))
            shot = Shot(self.reel.pictures[number % len(self.reel.pictures)], int(at * 90_000) & 0xFFFFFFFF)
            for viewer in self._viewers:
                viewer.offer(shot)
            number += 1


@contextmanager
def rolling(reel: Reel, begins: list[float]) -> Iterator[list[int]]:
    """Run a camera for each time at which its first picture is due (monotonic seconds); give their ports."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, reel, begins), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join(5)


def _serve(pipe: Connection, reel: Reel, begins: list[float]) -> None:
    async def serve() -> None:
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            ports = []
            for when in begins:
                camera = Looping(reel, when)
                guard = Guard("none", "", "", "reel", ("MD5",))
                ports.append(await stack.enter_async_context(serving_rtsp(camera, guard, Address("127.0.0.1", 0))))
                group.create_task(camera.run())
            pipe.send(ports)
            await asyncio.Event().wait()

    asyncio.run(serve())
