"""RTP packets (RFC 3550 section 5.1) and H.264 in them (RFC 6184, packetization mode 1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_HEAD = struct.Struct("!BBHII")
#: Packet type of a sender report; seconds from 1900, where NTP begins, to 1970.
SENDER_REPORT, NTP = 200, 2_208_988_800
#: Type of a fragmentation unit (RFC 6184 section 5.8).
FU_A = 28
#: Largest payload of one packet, in bytes: fits an Ethernet frame with all headers.
MAX_PAYLOAD = 1400


class NotRtp(ValueError):
    """The bytes are no RTP packet."""


@dataclass(frozen=True)
class Packet:
    """One RTP packet without contributing sources."""

    kind: int
    """Payload type (RFC 3551): 0 is G.711 µ-law, 8 is A-law."""
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    def encode(self) -> bytes:
        """Return the bytes on the wire."""
        second = (self.marker << 7) | self.kind
        return _HEAD.pack(0x80, second, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc) + self.payload

    @classmethod
    def decode(cls, data: bytes) -> Packet:
        """Read a datagram; contributing sources, an extension and padding are skipped. Raises NotRtp."""
        if len(data) < _HEAD.size:
            raise NotRtp("shorter than a header")
        first, second, sequence, timestamp, ssrc = _HEAD.unpack_from(data)
        if first >> 6 != 2:
            raise NotRtp("not version 2")
        start = _HEAD.size + 4 * (first & 0x0F)
        if first & 0x10:
            if len(data) < start + 4:
                raise NotRtp("cut within its extension")
            start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
        end = len(data)
        if first & 0x20:
            if not 0 < data[-1] <= end:
                raise NotRtp("impossible padding")
            end -= data[-1]
        if start > end:
            raise NotRtp("cut within its header")
        return cls(second & 0x7F, sequence, timestamp, ssrc, data[start:end], marker=bool(second & 0x80))


def sender_report(ssrc: int, unix_s: float, timestamp: int, packets: int, size: int) -> bytes:
    """Return an RTCP sender report without blocks (RFC 3550 section 6.4.1): RTP ``timestamp`` is ``unix_s`` of the day.

    ``packets`` and ``size`` (bytes of payload) count what was sent.
    """
    ntp = round((unix_s + NTP) * (1 << 32))
    head = 0x80 << 24 | SENDER_REPORT << 16 | 6
    numbers = (head, ssrc, ntp >> 32, ntp, timestamp, packets, size)
    return struct.pack("!7I", *(number & 0xFFFFFFFF for number in numbers))


def fragments(unit: bytes, limit: int = MAX_PAYLOAD) -> list[bytes]:
    """Return the payloads that carry one NAL unit: itself, or fragmentation units where it is too large."""
    if len(unit) <= limit:
        return [unit]
    indicator, kind, body = unit[0] & 0xE0 | FU_A, unit[0] & 0x1F, unit[1:]
    room = limit - 2
    parts = [body[at : at + room] for at in range(0, len(body), room)]
    last = len(parts) - 1
    return [
        bytes((indicator, kind | (0x80 if number == 0 else 0) | (0x40 if number == last else 0))) + part
        for number, part in enumerate(parts)
    ]
