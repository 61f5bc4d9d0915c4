"""The other end: a UDP receiver that takes RTP apart and G.711 back to samples (ITU-T G.711, tables 1b and 2b)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from array import array
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from hub.sdk.g711 import Codec


@dataclass(frozen=True)
class Packet:
    at: float
    """On the loop's clock."""
    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse(data: bytes, at: float = 0.0) -> Packet:
    first, second, sequence, timestamp, ssrc = struct.unpack_from(">BBHII", data)
    assert first == 0x80  # version 2 and nothing optional
    return Packet(at, bool(second & 0x80), second & 0x7F, sequence, timestamp, ssrc, data[12:])


@dataclass
class Receiver(asyncio.DatagramProtocol):
    packets: list[Packet] = field(default_factory=list)

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.packets.append(parse(data, asyncio.get_running_loop().time()))

    @contextlib.asynccontextmanager
    async def listen(self, group: str = "") -> AsyncIterator[int]:
        """Listen on loopback (to a multicast group, if named) and yield the port."""
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver.setblocking(False)
        receiver.bind((group or "127.0.0.1", 0))
        if group:
            membership = socket.inet_aton(group) + socket.inet_aton("127.0.0.1")
            receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, sock=receiver)
        try:
            yield receiver.getsockname()[1]
        finally:
            transport.close()


def decode(codes: bytes, codec: Codec) -> array[int]:
    return array("h", map(_ulaw if codec == "pcmu" else _alaw, codes))


def _ulaw(code: int) -> int:
    code ^= 0xFF
    magnitude = ((((code & 0xF) << 1) + 33 << (code >> 4 & 7)) - 33) * 4
    return -magnitude if code & 0x80 else magnitude


def _alaw(code: int) -> int:
    code ^= 0x55
    segment, step = code >> 4 & 7, code & 0xF
    magnitude = (2 * step + 1) * 8 if segment == 0 else (2 * step + 33) * 8 << segment - 1
    return magnitude if code & 0x80 else -magnitude
