"""What a camera keeps as pieces for a browser that looks on: fragmented MP4 of the packets as they came, per group.

HTTP Live Streaming (RFC 8216) asks for an initialization section and for segments; both are cut out of the same bytes
(ISO/IEC 14496-12: ``ftyp`` and ``moov``; ``moof`` and ``mdat``). Nothing is decoded or encoded, and nothing is made
before it is asked for.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import av

from hub.model.errors import DecodeError
from hub.model.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

    from hub.vision.worker.ring import Kept

#: One fragment, its offsets counted from itself, and no table at the end (FFmpeg's documentation, "mov, mp4, ismv").
_FLAGS = {"movflags": "empty_moov+default_base_moof+skip_trailer", "avoid_negative_ts": "disabled"}
#: Length and name of a box; version, flags and the 64 bits of a ``tfdt`` (14496-12 section 8.8.12).
_BOX, _FULL = struct.Struct(">I4s"), struct.Struct(">I")
_HEVC = {"hevc": "hvc1"}


def pieces(header: bytes, base: Fraction, packets: Sequence[Kept], since: float) -> tuple[bytes, bytes]:
    """Return the initialization section and the segment of a group that begins ``since`` seconds after the first.

    Raises DecodeError where the packets cannot be put into MP4.
    """
    memory = io.BytesIO()
    try:
        with av.open(io.BytesIO(header)) as known, av.open(memory, "w", format="mp4", options=_FLAGS) as file:
            template = known.streams.video[0]
            stream = file.add_stream_from_template(template)
            stream.time_base = base
            if template.codec_context.name in _HEVC:
                stream.codec_context.codec_tag = _HEVC[template.codec_context.name]
            for item in packets:
                file.mux(packet_of(item, packets[0].stamp, stream, base))
            scale = stream.time_base
    except (av.error.FFmpegError, ValueError) as error:  # the second is PyAV's for a codec that MP4 does not know
        raise DecodeError(f"this stream fits into no MP4 ({clean(str(error), 80)})") from None
    whole = memory.getvalue()
    cut = _find(whole, b"moof")
    ticks = round(since / scale) if scale else 0
    return whole[:cut], _placed(whole[cut:], ticks)


def packet_of(item: Kept, zero: int, stream: VideoStream, base: Fraction) -> Packet[Stream]:
    """Return a packet of the ring as it came, its times counted from ``zero``."""
    packet = av.Packet(item.data)
    packet.stream, packet.time_base = stream, base
    packet.dts, packet.pts = item.stamp - zero, item.shown - zero
    packet.is_keyframe = item.key
    return packet


def _find(data: bytes, wanted: bytes) -> int:
    """Return where a box on the outermost level begins. Raises DecodeError."""
    place = 0
    while place + _BOX.size <= len(data):
        size, name = _BOX.unpack_from(data, place)
        if name == wanted:
            return place
        if size < _BOX.size:
            break
        place += size
    raise DecodeError(f"no {wanted.decode()} in what was written")


def _placed(segment: bytes, ticks: int) -> bytes:
    """Say in a segment when it begins: each was written as if it were the first."""
    moof = _find(segment, b"moof") + _BOX.size
    size = _BOX.unpack_from(segment, moof - _BOX.size)[0]
    traf = moof + _find(segment[moof : moof - _BOX.size + size], b"traf") + _BOX.size
    tfdt = traf + _find(segment[traf:], b"tfdt") + _BOX.size
    wide = _FULL.unpack_from(segment, tfdt)[0] >> 24 == 1
    value = struct.pack(">Q" if wide else ">I", ticks if wide else ticks & 0xFFFFFFFF)
    begin = tfdt + _FULL.size
    return segment[:begin] + value + segment[begin + len(value) :]
