"""Cameras in a process of their own that can be told, one by one, to go wrong and to be right again."""

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

from integrations.sim.broadcast import Broadcast
from integrations.sim.h264 import split
from tests.bench.reel import Looping, Reel
from tests.vision.film import Film, codec_for, showing
from tests.vision.movers import FPS
from tests.vision.test_worker import lane_film

#: Pictures of the film that is shown over and over at the full rate, and its two sizes.
PICTURES = 25
SMALL, HUGE = (640, 360), (3840, 2160)


@dataclass(frozen=True)
class Cameras:
    """The far end: the port of each camera, and how to tell it something."""

    ports: dict[str, int]
    pipe: Connection

    def tell(self, name: str, **how: object) -> None:
        """Set what a camera does (tests.vision.film.Film); ``plugged`` puts it on the net, ``huge`` makes it 4K."""
        self.pipe.send((name, how))
        self.pipe.recv()


@contextmanager
def filming(names: tuple[str, ...], fast: str) -> Iterator[Cameras]:
    """Run a camera over an empty lane for each name, four pictures a second, and one at the full rate."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(theirs, names, fast), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Cameras(ours.recv(), ours)
    finally:
        process.terminate()
        process.join(5)


def reel(size: tuple[int, int]) -> Reel:
    """Code a second of a still with something that moves in it; the first picture is a key frame."""
    width, height = size
    block = height // 45
    still = np.random.default_rng(5).integers(40, 200, (45, 80), np.uint8).repeat(block, 0).repeat(block, 1)
    codec = codec_for(width, height, FPS)
    pictures = []
    for number in range(PICTURES):
        picture = still.copy()
        at = width * number // PICTURES
        picture[height // 3 : height // 2, at : at + width // 20] = 250
        frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p")
        pictures.append([unit for packet in codec.encode(frame) for unit in split(bytes(packet))])
    return Reel(pictures)


def _run(pipe: Connection, names: tuple[str, ...], fast: str) -> None:
    asyncio.run(_serve(pipe, names, fast))


async def _serve(pipe: Connection, names: tuple[str, ...], fast: str) -> None:
    small, huge = reel(SMALL), reel(HUGE)
    quick = Looping(small, time.monotonic())
    films: dict[str, Broadcast] = {name: Film(lane_film(500, 501)[1]) for name in names} | {fast: quick}
    plugs = {name: AsyncExitStack() for name in films}
    ports = {name: await plugs[name].enter_async_context(showing(film)) for name, film in films.items()}
    pipe.send(ports)
    while True:
        name, how = await asyncio.to_thread(pipe.recv)
        for what, value in how.items():
            if what == "plugged":
                await plugs[name].aclose()
                if value:
                    await plugs[name].enter_async_context(showing(films[name], port=ports[name]))
            elif what == "huge":
                quick.reel = huge if value else small
            else:
                setattr(films[name], what, value)
        pipe.send(None)
