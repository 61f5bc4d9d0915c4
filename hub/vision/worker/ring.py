"""The last minute of a camera as it came, compressed; a clip is cut out of it without decoding or encoding anything."""

from __future__ import annotations

import io
import itertools
import os
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av

from hub.model.errors import DecodeError
from hub.model.text import clean
from hub.vision.worker.live import packet_of, pieces
from hub.vision.worker.wire import Group

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

#: Most bytes of one camera: 60 s at 8 Mbit/s.
MAX_BYTES = 64 * 1024 * 1024
#: Clock of video over RTP (RFC 6184 section 8.2.1).
_RTP = Fraction(1, 90_000)
#: Seconds by which a stream's stamps may part from the time that has passed, before those kept are set right: what
#: came while the stream was looked at (5 s: FFmpeg's ``analyzeduration``) arrives at once.
PART = 8.0


@dataclass(frozen=True)
class Kept:
    """One packet; ``stamp`` and ``shown`` count units of the stream's time base (decoding and presentation time)."""

    at: float
    key: bool
    stamp: int
    shown: int
    data: bytes


@dataclass(frozen=True)
class Clip:
    """What was written: from and until, in seconds since 1970, and how many packets."""

    start: float
    end: float
    packets: int


class Ring:
    """Packets of one stream, over several connections where they need the same header. ``first`` numbers its groups."""

    def __init__(self, stream: VideoStream, seconds: float, first: int = 1) -> None:
        self.next = first
        """Number of the group that will come next."""
        self._began: float | None = None
        self._shift = 0
        self._anchor = 0.0, 0
        self._stream: VideoStream | None = stream
        self._kind = _kind(stream)
        self._waits_for_key = True
        self._listed = first
        """The first group of this connection: one who looks on is shown no others."""
        self._header = b""
        self._base: Fraction = stream.time_base or _RTP
        self._seconds = seconds
        self._packets: deque[Kept] = deque()
        self.size = 0
        """Bytes kept."""

    def add(self, packet: Packet[VideoStream], at: float) -> None:
        """Keep a packet that arrived ``at``; drop whole groups that are older than asked for."""
        stamp = self._stamp(packet, at)
        shown = stamp if packet.pts is None else packet.pts + self._shift
        if not 0 <= (shown - stamp) * self._base <= PART:
            shown = stamp
        if self._waits_for_key and not packet.is_keyframe:
            return
        self._waits_for_key = False
        if self._stream is not None:
            self._header, self._stream = _header(self._stream, packet), None
        self._began = at if self._began is None else self._began
        self.next += packet.is_keyframe
        self._packets.append(Kept(at, packet.is_keyframe, stamp, shown, bytes(packet)))
        self.size += packet.size
        while self._packets and (self._is_old(at) or self.size > MAX_BYTES):
            self.size -= len(self._packets.popleft().data)

    def resume(self, stream: VideoStream) -> bool:
        """Go on with what another connection brings; False where that needs another header, and so another ring."""
        if self._stream is not None or self._kind != _kind(stream):
            return False
        self._waits_for_key, self._began, self._listed = True, None, self.next
        return True

    def _stamp(self, packet: Packet[VideoStream], at: float) -> int:
        """Return when a packet is to be decoded: as the camera says, unless that jumps or stands still."""
        told = packet.dts if packet.dts is not None else packet.pts
        if not self._packets:
            self._shift, self._anchor = 0, (at, told or 0)
            return told or 0
        least = self._packets[-1].stamp + 1
        since, stamp = self._anchor
        due = max(stamp + round((at - since) / self._base), least)
        if told is None:
            return due
        if abs(told + self._shift - due) * self._base > PART:
            self._shift, self._anchor = due - told, (at, due)
        return max(told + self._shift, least)

    def _is_old(self, now: float) -> bool:
        """Keep a little more than asked for, so that the group of the oldest asked second is whole."""
        return self._packets[0].at < now - self._seconds - 10

    def groups(self) -> list[Group]:
        """Return the groups that are whole: the last one still grows."""
        begins = [packet.at for packet in self._packets if packet.key]
        first = self.next - len(begins)
        return [
            Group(first + place, at, max(0.0, after - at))
            for place, (at, after) in enumerate(itertools.pairwise(begins))
            if first + place >= self._listed
        ]

    def group(self, number: int) -> tuple[bytes, bytes] | None:
        """Return a group for a browser (hub.vision.worker.live); None where it is not kept. Raises DecodeError."""
        if number < self._listed:
            return None
        current = self.next - sum(packet.key for packet in self._packets) - 1
        chosen: list[Kept] = []
        for packet in self._packets:
            current += packet.key
            if current == number:
                chosen.append(packet)
            elif current > number:
                return pieces(self._header, self._base, chosen, chosen[0].at - (self._began or 0.0)) if chosen else None
        return None

    def clip(self, start: float, end: float, path: Path) -> Clip | None:
        """Write an MP4 from the last key frame before ``start`` until ``end``; None where there is none.

        The file appears whole or not at all. Raises OSError, and DecodeError where the packets fit into no MP4.
        """
        packets = [packet for packet in self._packets if packet.at <= end]
        keys = [index for index, packet in enumerate(packets) if packet.key]
        if not keys:
            return None
        first = max((index for index in keys if packets[index].at <= start), default=keys[0])
        chosen = packets[first:]
        half = path.with_name(f".{path.name}.part")
        try:
            with av.open(io.BytesIO(self._header)) as known, av.open(str(half), "w", format="mp4") as file:
                stream = file.add_stream_from_template(known.streams.video[0])
                for item in chosen:
                    file.mux(packet_of(item, chosen[0].stamp, stream, self._base))
        except BaseException as error:
            half.unlink(missing_ok=True)
            if isinstance(error, (av.error.FFmpegError, ValueError)) and not isinstance(error, OSError):
                raise DecodeError(f"this stream fits into no MP4 ({clean(str(error), 80)})") from None
            raise
        os.replace(half, path)  # noqa: PTH105 - the same call, and it says what it does
        return Clip(chosen[0].at, chosen[-1].at, len(chosen))


def _kind(stream: VideoStream) -> tuple[str, int, int, Fraction | None, bytes]:
    """Return what must be the same for packets of two connections to lie in one file."""
    codec = stream.codec_context
    return codec.name, codec.width, codec.height, stream.time_base, codec.extradata or b""


def _header(stream: VideoStream, key: Packet[VideoStream]) -> bytes:
    """Return a container that keeps what a decoder must know; NUT leaves it as it came."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="nut") as file:
        copy = av.Packet(bytes(key))
        copy.stream, copy.time_base = file.add_stream_from_template(stream), stream.time_base or _RTP
        copy.dts = copy.pts = 0
        copy.is_keyframe = True
        file.mux(copy)
    return memory.getvalue()
