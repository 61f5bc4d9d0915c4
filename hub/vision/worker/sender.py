"""The camera's own clock, as its RTCP sender reports tell it (RFC 3550 section 6.4.1): what it burns into pictures.

FFmpeg hands it out with each packet (``AVProducerReferenceTime``: microseconds since 1970, then flags).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

#: Seconds by which a camera's clock may be off, as pictures come late; for which it must be off.
OFF, LASTS = 20.0, 10.0
_WALL = struct.Struct("=q")


class SenderClock:
    """Compares a camera's clock with ours. Times in seconds since 1970."""

    def __init__(self) -> None:
        self._since: float | None = None
        self.ahead: float | None = None
        """Seconds that it is ahead of ours, less than 0 where it is late; None while it does not tell."""
        self.wrong = False
        """Whether it has been off for some time."""

    def add(self, packet: Packet[VideoStream], now: float) -> None:
        """Note what a packet that arrives ``now`` says."""
        told = wall(packet)
        if told is None:
            return
        self.ahead = told - now
        if abs(self.ahead) <= OFF:
            self._since, self.wrong = None, False
        elif self._since is None:
            self._since = now
        else:
            self.wrong = now - self._since >= LASTS


def wall(packet: Packet[VideoStream]) -> float | None:
    """Return when a packet's picture was taken by the camera's clock; None where it does not say.

    A camera that counts from its start (RFC 3550 allows it) lies before 1970 and says nothing of the day.
    """
    if not packet.has_sidedata("prft"):
        return None
    data = bytes(packet.get_sidedata("prft"))
    if len(data) < _WALL.size:
        return None
    told = _WALL.unpack_from(data)[0] / 1_000_000
    return told if told >= 0 else None
