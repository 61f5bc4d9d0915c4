"""The loudspeaker's RTP side: packets of one synchronization source become one utterance.

A source is known by its SSRC (RFC 3550). A burst ends after a silence; the marker bit begins a talk spurt (RFC 3551
section 4.1). A burst from a source that has spoken before is a repeat: counted, and only what was missing is played.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from integrations.sim import g711
from integrations.sim.process import Address
from integrations.sim.rtp import NotRtp, Packet
from integrations.sim.utterances import Store, Utterance

#: Seconds of silence after which a burst is over.
SILENCE = 0.6
#: Seconds a packet may come after its turn, as the speaker's jitter buffer allows.
JITTER = 0.1
#: Seconds after which a repeat is only counted: its packets are no longer at hand.
FORGET = 60.0
#: Bursts at one time, and packets in one: five minutes of 20 ms.
MAX_OPEN, MAX_PACKETS = 16, 15_000

CODECS = {g711.PCMU: "PCMU", g711.PCMA: "PCMA"}


@dataclass
class Burst:
    """The packets of one utterance so far."""

    utterance: Utterance
    first: Packet
    heard_at: float
    """Loop time of the first packet."""
    last_at: float
    open: bool = True
    """Packets have come that are not yet kept."""
    repeating: bool = False
    strange: bool = False
    """The repeat began elsewhere than the original, so its packets cannot be put in place."""
    parts: dict[int, array[int]] = field(default_factory=dict)
    """Samples by packet number from the first."""

    def take(self, packet: Packet, now: float) -> None:
        """Put one packet in its place."""
        self.last_at = now
        offset = (packet.sequence - self.first.sequence + 0x8000) % 0x10000 - 0x8000
        if self.strange or not 0 <= offset < MAX_PACKETS or offset in self.parts:
            return
        step = len(self.first.payload) / g711.RATE
        if not self.repeating and now > self.heard_at + offset * step + JITTER:
            self.utterance.late += 1
        self.parts[offset] = g711.decode(packet.kind, packet.payload)
        self.utterance.packets = len(self.parts)
        self.utterance.lost = max(self.parts) + 1 - len(self.parts)

    def starts_again(self, packet: Packet) -> bool:
        """Tell whether a sender begins anew without a silence before: at the start, or elsewhere with a marker."""
        if self.strange:
            return False
        if packet.sequence == self.first.sequence:
            return len(self.parts) > 1
        after = (self.first.sequence + max(self.parts) + 1) & 0xFFFF
        return packet.marker and packet.sequence != after

    def samples(self) -> array[int]:
        """Return the sound, with silence where packets are missing."""
        quiet = array("h", bytes(2 * len(self.first.payload)))
        sound = array("h")
        for offset in range(max(self.parts) + 1):
            sound.extend(self.parts.get(offset, quiet))
        return sound


class Listener(asyncio.DatagramProtocol):
    """Receives datagrams and keeps the open bursts."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._bursts: dict[int, Burst] = {}
        self.refused = 0
        """Datagrams that were not RTP with G.711."""

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take one datagram."""
        try:
            packet = Packet.decode(data)
        except NotRtp:
            self.refused += 1
            return
        if packet.kind not in CODECS or not packet.payload:
            self.refused += 1
            return
        now = asyncio.get_running_loop().time()
        burst = self._burst(packet, now)
        if burst is not None:
            burst.take(packet, now)

    def error_received(self, exc: Exception) -> None:
        """Say what the socket reports; it goes on."""
        sys.stderr.write(f"speaker: {exc}\n")

    def forget(self) -> None:
        """Drop all bursts without keeping them."""
        self._bursts.clear()

    async def run(self) -> None:
        """End the bursts that have fallen silent, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SILENCE / 6)
            for ssrc, burst in list(self._bursts.items()):
                quiet = loop.time() - burst.last_at
                if burst.open and quiet > SILENCE:
                    self._close(burst)
                elif quiet > FORGET:
                    del self._bursts[ssrc]

    def finish(self) -> None:
        """Keep what is being said when the speaker ends."""
        for burst in self._bursts.values():
            if burst.open:
                self._close(burst)

    def _close(self, burst: Burst) -> None:
        burst.open = False
        if burst.parts:
            self._store.end(burst.utterance, burst.samples())
        else:
            self._store.note(burst.utterance)

    def _burst(self, packet: Packet, now: float) -> Burst | None:
        """Return the burst that a packet belongs to, a new one where it begins; None while too many are open."""
        burst = self._bursts.get(packet.ssrc)
        known = self._store.find(f"rtp:{packet.ssrc}")
        if burst is not None and known is burst.utterance:
            if now - burst.last_at > SILENCE or burst.starts_again(packet):
                self._repeat(burst, packet)
            return burst
        if sum(one.open for one in self._bursts.values()) >= MAX_OPEN:
            self.refused += 1
            return None
        if known is None:
            burst = Burst(self._store.begin("rtp", ssrc=packet.ssrc, codec=CODECS[packet.kind]), packet, now, now)
        else:  # said before this process started, or long ago
            burst = Burst(known, packet, now, now)
            self._repeat(burst, packet)
            burst.strange = True
        self._bursts[packet.ssrc] = burst
        return burst

    def _repeat(self, burst: Burst, packet: Packet) -> None:
        """Count a repeat; where it begins as the original did, it may fill what was lost."""
        burst.repeating = True
        same = (packet.sequence, packet.timestamp) == (burst.first.sequence, burst.first.timestamp)
        burst.strange = burst.strange or not same
        burst.open = True
        burst.utterance.repeats += 1
        self._store.note(burst.utterance)


@asynccontextmanager
async def listening(listener: Listener, at: Address, group: str | None) -> AsyncIterator[int]:
    """Receive on ``at`` and, where named, on a multicast group of the same port; gives the port. Raises OSError."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: listener, sock=_bound(at))
    transports = [transport]
    try:
        port = int(transport.get_extra_info("sockname")[1])
        if group is not None:
            joined = _joined(Address(group, port), interface=at.host)
            transports.append((await loop.create_datagram_endpoint(lambda: listener, sock=joined))[0])
        yield port
    finally:
        for one in transports:
            one.close()


def _bound(at: Address) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        made.bind((at.host, at.port))
    except OSError:
        made.close()
        raise
    made.setblocking(False)
    return made


def _joined(group: Address, interface: str) -> socket.socket:
    """Bind to the group itself, so that this socket hears nothing else, and join it on one interface only."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((group.host, group.port))
        member = socket.inet_aton(group.host) + socket.inet_aton(interface)
        made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    except OSError:
        made.close()
        raise
    made.setblocking(False)
    return made
