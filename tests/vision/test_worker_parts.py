"""What a worker makes of what cameras do wrong, part by part: time, load, noise, what fits into no file."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from hub.model.errors import DecodeError
from hub.model.ids import EntityId
from hub.seeing.blind import MISSED, why_blind, why_poor
from hub.seeing.shapes import Shapes
from hub.vision.detect.box import Detection
from hub.vision.frame import Frame
from hub.vision.worker.camera import Camera
from hub.vision.worker.clock import UNRULY, WITHIN, StreamClock
from hub.vision.worker.load import LEAST, OVER, Load
from hub.vision.worker.parent import ENDED
from hub.vision.worker.ring import PART, Ring
from hub.vision.worker.turn import Turn
from hub.vision.worker.unread import BAD, FAILURES, NONE, Unread
from hub.vision.worker.wire import FAULT, Health, Link
from tests.kit.patience import until
from tests.vision.film import Film, showing
from tests.vision.test_onlook import RATE, filmed
from tests.vision.test_worker import lane_film, order

CAMERA = EntityId("test.camera")


def test_the_part_that_was_left_out_is_that_of_the_last_seconds() -> None:
    load = Load()
    for at in range(LEAST - 1):
        load.add(1000.0 + at / 10, looked=False)
    assert load.missed(1000.5) == 0.0, "too few to say"
    for at in range(10):
        load.add(1001.0 + at, looked=at % 2 == 0)
    assert load.missed(1010.5) == pytest.approx(8 / 13, abs=0.01)
    for at in range(OVER):
        load.add(1020.0 + at, looked=True)
    assert load.missed(1020.0 + OVER - 1) == 0.0


def test_what_fails_again_and_again_cannot_be_read_and_one_bad_picture_is_nothing() -> None:
    unread = Unread(100.0)
    unread.failed()
    unread.came(100.0 + BAD + 1)
    assert unread.seconds == 0.0
    for _ in range(FAILURES):
        unread.failed()
    assert unread.seconds == BAD + 1
    unread.read(100.0 + BAD + 2)
    assert unread.seconds == 0.0
    unread.came(100.0 + BAD + 2 + NONE)
    assert unread.seconds == 0.0, "nobody said that a picture was due"
    unread.came(100.0 + BAD + 2 + NONE + 1)
    assert unread.seconds == NONE + 1, "packets came for a minute, and no key frame"


def test_one_jump_is_a_clock_that_was_set_and_many_are_a_fault() -> None:
    clock = StreamClock()
    for at in range(30):
        clock.at(float(at), 1000.0 + at)
    for number in range(UNRULY):
        assert not clock.unruly(1030.0 + number)
        clock.at(5_000.0 * (number + 1), 1030.0 + number)
    assert clock.jumps == UNRULY
    assert clock.unruly(1030.0 + UNRULY)
    assert not clock.unruly(1030.0 + WITHIN + 1)


def test_a_stream_that_stands_still_in_time_is_one_that_jumps() -> None:
    clock = StreamClock()
    told = [clock.at(7.0, 1000.0 + at / 4) for at in range(100)]
    assert clock.unruly(1025.0)
    assert told == sorted(told)
    assert all(abs(at - 1000.0 - number / 4) <= 5.25 for number, at in enumerate(told))


@pytest.mark.parametrize("wrong", [-900.0, 3_600.0, "same", "none"])
def test_a_clip_lasts_as_long_as_it_did_whatever_the_stamps_say(wrong: float | str, tmp_path: Path) -> None:
    sent = []
    with av.open(io.BytesIO(filmed(20)), "r") as file:
        stream = file.streams.video[0]
        ring = Ring(stream, 60.0)
        base = stream.time_base or Fraction(1)
        for number, packet in enumerate(packet for packet in file.demux(stream) if packet.size):
            sent.append(bytes(packet))
            if wrong == "same":
                packet.pts = packet.dts = 0
            elif wrong == "none":
                packet.pts = packet.dts = None
            elif number > 10 * RATE and packet.pts is not None and packet.dts is not None:
                packet.pts += round(float(wrong) / base)
                packet.dts += round(float(wrong) / base)
            ring.add(packet, 1000.0 + number / RATE)
    clip = ring.clip(1000.0, 1030.0, tmp_path / "clip.mp4")
    assert clip is not None
    with av.open(str(tmp_path / "clip.mp4"), "r") as file:
        found = [packet for packet in file.demux(video=0) if packet.size]
    assert [bytes(packet) for packet in found] == sent
    times = [float((packet.dts or 0) * (packet.time_base or 0)) for packet in found]
    assert times[-1] - times[0] == pytest.approx(20.0, abs=PART + 0.5), "not the blink or the hour that the stamps say"


def test_a_stream_that_fits_into_no_mp4_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    memory = io.BytesIO()
    with av.open(memory, "w", format="matroska") as film:
        coded = film.add_stream("libvpx", rate=RATE)
        coded.width, coded.height, coded.pix_fmt = 160, 96, "yuv420p"
        for level in range(3):
            picture = av.VideoFrame.from_ndarray(np.full((144, 160), level, np.uint8), format="yuv420p")
            film.mux(coded.encode(picture))
        film.mux(coded.encode(None))
    memory.seek(0)
    with av.open(memory, "r") as file:
        ring = Ring(file.streams.video[0], 60.0)
        for number, packet in enumerate(packet for packet in file.demux(video=0) if packet.size):
            packet.is_keyframe = True
            ring.add(packet, 1000.0 + number)
    with pytest.raises(DecodeError, match="no MP4"):
        ring.clip(0.0, 2e9, tmp_path / "clip.mp4")
    with pytest.raises(DecodeError, match="no MP4"):
        ring.group(1)
    assert list(tmp_path.iterdir()) == []


def test_another_size_is_news_and_another_shape_a_fault_until_it_is_drawn_anew() -> None:
    shapes = Shapes()
    assert shapes.why(CAMERA) is None
    assert shapes.see(CAMERA, (0, 0)) is None, "no picture yet"
    assert shapes.see(CAMERA, (1920, 1080)) is None
    assert shapes.see(CAMERA, (1280, 720)) == (1920, 1080)
    assert shapes.why(CAMERA) is None
    shapes.see(CAMERA, (1920, 1088))
    assert shapes.why(CAMERA) is None, "the margin of a coder"
    shapes.see(CAMERA, (640, 480))
    said = shapes.why(CAMERA)
    assert said is not None
    assert "1920×1080 → 640×480" in said.zh
    shapes.forget(CAMERA)
    shapes.see(CAMERA, (640, 480))
    assert shapes.why(CAMERA) is None


def test_each_has_words_of_its_own() -> None:
    lost = [why_blind(Health("c", Link.LOST, reason)) for reason in (ENDED, f"{FAULT}: x", "no answer")]
    faults = [
        *lost,
        why_blind(Health("c", Link.REFUSED, "wrong password")),
        why_blind(Health("c", Link.STREAMING, unread_s=5.0)),
        why_poor(Health("c", Link.STREAMING, missed=MISSED)),
        why_poor(Health("c", Link.STREAMING, unruly=True)),
    ]
    assert len({said.zh for said in faults if said is not None}) == len(faults)
    assert why_poor(Health("c", Link.STREAMING, missed=MISSED / 2)) is None


class Moody:
    """A detector that raises what nobody expects, until it is told to behave."""

    def __init__(self) -> None:
        self.wrong = True

    def detect(self, frames: Sequence[Frame]) -> list[tuple[Detection, ...]]:
        if self.wrong:
            raise IndexError(str(len(frames)))
        return [() for _ in frames]


@pytest.mark.slow
async def test_a_fault_in_looking_is_that_cameras_own_and_told() -> None:
    scene, show = lane_film(500, 501)
    moody = Moody()
    async with showing(Film(show)) as port:
        camera = Camera(order(port, scene), lambda _: None, Turn(), moody)
        camera.start()
        try:
            await until(lambda: camera.health().link is Link.LOST, 30)
            assert "IndexError in detect" in camera.health().reason
            assert camera in threading.enumerate(), "it tries again"
            moody.wrong = False
            await until(lambda: camera.health().link is Link.STREAMING and camera.health().decoded > 3, 30)
        finally:
            camera.stop()
            await asyncio.to_thread(camera.join, 15)  # it ends with the next packet
    assert not camera.is_alive()
