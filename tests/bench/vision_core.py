"""How much of a core is left for cameras when every frame of a facade is also looked at, against decoding alone.

A generated facade is coded (H.264, no B-frames, as cameras do), then decoded by PyAV on one thread, first alone and
then with the detector behind it, in turn, by CPU time of the thread. Of each picture the quickest round counts: on a
virtual machine what others do, on it and beside it, would double the time of some.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np

from hub.vision.falling.detector import FallDetector
from hub.vision.falling.event import Fall
from tests.bench.figure import Figure
from tests.vision.facade import Scene
from tests.vision.movers import FPS

BENCH = "vision"
#: Sizes with their bit rates as of VISION.md, table C; seconds of the stream, and how often each way is run.
SIZES = ((1280, 720, 2_000_000), (1920, 1080, 4_000_000))
SECONDS, ROUNDS = 16, 5
#: Seconds at the beginning that are run but not measured: the background is new once, then runs for months.
WARM = 4
SEED = 40_000


def figures() -> Iterator[Figure]:
    """Measure both sizes."""
    shares = []
    for width, height, rate in SIZES:
        scene = Scene(SEED, width=width, height=height)
        scene.fall(8.0, 8 * height / 720, 60, least=9)
        stream = encode(scene, rate)
        alone, both, falls = [], [], 0
        for _ in range(ROUNDS):
            alone.append(decode(stream, None)[0])
            spent, falls = decode(stream, FallDetector(scene.facade()))
            both.append(spent)
        alone_ms, both_ms = (float(np.min(rounds, 0).mean()) * 1e3 for rounds in (alone, both))
        shares.append(alone_ms / both_ms)
        note = (
            f"decoding {alone_ms:.2f} ms, with detector {both_ms:.2f} ms a frame; bound {1000 / FPS / alone_ms:.1f}; "
            f"{falls} of 1 fall found; {len(stream) * 8 / SECONDS / 1e6:.1f} Mbit/s"
        )
        cameras = 1000 / FPS / both_ms
        yield Figure(BENCH, f"vision.facade_cameras_{height}p", round(cameras, 2), "", len(both[0]), note)
    note = "the worse of 720p and 1080p: cameras per core with the detector over those with decoding alone; want 0.55"
    yield Figure(BENCH, "vision.facade_core_share", round(min(shares), 3), "", ROUNDS, note)


def encode(scene: Scene, rate: int, seconds: int = SECONDS) -> bytes:
    """Code a scene as a camera does."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "bf": "0", "g": str(2 * FPS)})
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = scene.width, scene.height, "yuv420p", rate
        grey = np.full((scene.height // 2, scene.width), 128, np.uint8)
        for number, (_, luma) in enumerate(scene.frames(seconds)):
            frame = av.VideoFrame.from_ndarray(np.concatenate([luma, grey]), format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


def decode(stream: bytes, detector: FallDetector | None) -> tuple[list[float], int]:
    """Decode on this thread; return its CPU seconds for each picture after ``WARM``, and the falls that were found."""
    falls, ends = 0, []
    with av.open(io.BytesIO(stream), "r") as container:
        video = container.streams.video[0]
        video.thread_type, video.codec_context.thread_count = "NONE", 1
        for frame in container.decode(video):
            if detector is not None and frame.time is not None:
                plane = frame.planes[0]
                luma = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[
                    : frame.height, : frame.width
                ]
                falls += sum(isinstance(event, Fall) for event in detector.step(luma, frame.time))
            ends.append(time.thread_time())
    return np.diff(ends[WARM * FPS - 1 :]).tolist(), falls
