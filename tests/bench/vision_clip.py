"""What a camera's stream costs and takes away: CPU time of a clip from the ring, and small falls after H.264."""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from hub.vision.worker.ring import Ring
from tests.bench.figure import Figure
from tests.bench.vision_core import encode
from tests.vision.facade import Scene
from tests.vision.falling_trial import REPORTED, Frames, falls
from tests.vision.film import codec_for
from tests.vision.movers import FPS

BENCH = "vision"
#: Bit rate of a coded facade at 720p, of the camera that is cut, and seconds and number of its clips.
RATE, CAMERA, CLIP, TIMES = "2M", 4_000_000, 15.0, 20
#: Scenes of five falls that are coded.
SCENES = 10


def figures() -> Iterator[Figure]:
    """Measure."""
    yield clip()
    found = falls(range(REPORTED, REPORTED + SCENES), 3, 20, through=coded)
    note = f"contrast 20, 720p at {RATE}bit/s, no B-frames; the same seeds as before coding; no promise"
    yield Figure(BENCH, "vision.falling_recall_3px_h264", round(found.recall, 4), "", found.falls, note)


def clip() -> Figure:
    """Keep a minute of 1080p, and cut clips out of it."""
    stream = encode(Scene(REPORTED, width=1920, height=1080), CAMERA, seconds=6)
    spent = []
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder:
        ring = _filled(stream, 70.0)
        for number in range(TIMES):
            began = time.process_time()
            cut = ring.clip(20.0 + number, 20.0 + number + CLIP, Path(folder) / "clip.mp4")
            spent.append((time.process_time() - began) * 1000)
            assert cut is not None
            size = (Path(folder) / "clip.mp4").stat().st_size
    note = f"{CLIP:.0f} s of 1080p, {size / 1e6:.1f} MB; at most {max(spent):.1f}; want 50"
    return Figure(BENCH, "vision.clip_cpu_ms", round(statistics.median(spent), 2), "ms", TIMES, note)


def _filled(stream: bytes, seconds: float) -> Ring:
    """Return a ring that has heard a stream again and again for so long."""
    at, ring = 0.0, None
    while at < seconds:
        with av.open(io.BytesIO(stream), "r") as container:
            video = container.streams.video[0]
            ring = ring or Ring(video, 60.0)
            base = video.time_base or Fraction(1, FPS)
            for packet in container.demux(video):
                if packet.size:
                    packet.pts = packet.dts = round(at / base)
                    ring.add(packet, at)
                    at += 1 / FPS
    assert ring is not None
    return ring


def coded(scene: Scene, frames: Frames) -> Frames:
    """Film a scene with a camera that codes it."""
    coder = codec_for(scene.width, scene.height, FPS)
    coder.options = {**coder.options, "maxrate": RATE, "bufsize": RATE}
    codec = av.CodecContext.create("h264", "r")
    assert isinstance(codec, av.VideoCodecContext)
    codec.thread_count = 1
    times: list[float] = []
    for at, luma in frames:
        times.append(at)
        for packet in coder.encode(av.VideoFrame.from_ndarray(luma, format="gray").reformat(format="yuv420p")):
            for picture in codec.decode(av.Packet(bytes(packet))):
                plane = picture.planes[0]
                seen = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
                yield times.pop(0), seen[: picture.height, : picture.width]
