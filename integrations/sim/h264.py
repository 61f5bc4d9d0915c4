"""H.264 from PyAV's libx264, without delay: pictures in, NAL units out."""

from __future__ import annotations

import re
from fractions import Fraction

import av
from av.video.frame import PictureType
from PIL import Image

_START = re.compile(b"\x00\x00\x00?\x01")

#: Types of NAL units (ITU-T H.264 table 7-1).
IDR, SPS, PPS = 5, 7, 8


class Encoder:
    """One encoder; used by one thread at a time."""

    def __init__(self, width: int, height: int, rate: int) -> None:
        codec = av.CodecContext.create("libx264", "w")
        assert isinstance(codec, av.VideoCodecContext)  # noqa: S101 - what a video codec's name gives
        codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
        codec.framerate, codec.time_base = Fraction(rate, 1), Fraction(1, rate)
        codec.thread_count = 1  # more threads would cut each picture into slices
        codec.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "crf": "24",
            "maxrate": "4M",
            "bufsize": "4M",
            "g": str(rate),  # a key frame every second
            "forced-idr": "1",
        }
        self._codec = codec
        self._count = 0

    def encode(self, picture: Image.Image, *, key: bool) -> list[bytes]:
        """Return the NAL units of one picture; a key picture brings its parameter sets."""
        image = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]  # PyAV leaves it untyped
        frame = image.reformat(format="yuv420p")
        frame.pts, frame.time_base = self._count, self._codec.time_base
        frame.pict_type = PictureType.I if key else PictureType.NONE
        self._count += 1
        return [unit for packet in self._codec.encode(frame) for unit in split(bytes(packet))]


def split(stream: bytes) -> list[bytes]:
    """Cut a byte stream with start codes into NAL units (ITU-T H.264 annex B)."""
    return [unit for unit in _START.split(stream) if unit]


def kind(unit: bytes) -> int:
    """Return the type of a NAL unit."""
    return unit[0] & 0x1F
