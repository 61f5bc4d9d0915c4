"""One way to nodes (a socket, a serial line, a radio): finds the node that a frame is of, within limits."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from firmware_bridge.errors import BadFrame, LinkLost, NotAuthentic
from firmware_bridge.frame import Group, Head, Op, decode, head
from firmware_bridge.messages import Hello, NodeCommand, read
from firmware_bridge.peer import Address, Peer
from firmware_bridge.registry import Registry

#: Frames a second in the long run and at once: of a whole link, of one node, and from addresses that nobody knows.
#: 200 nodes with 10 events each and their answers are 4,000.
LINK_RATE, NODE_RATE, STRANGER_RATE = (8_000.0, 16_000.0), (500.0, 1_000.0), (200.0, 400.0)
#: Most unknown nodes remembered, and seconds between two reports of the same.
STRANGERS, AGAIN = 256, 60.0


class Carrier(Protocol):
    """What moves frames. It calls ``received`` and ``lost`` of the link that it was opened for."""

    home: Address | None
    """Where the one node of a line is; None where each frame has an address of its own."""

    def send(self, frame: bytes, to: Address) -> None:
        """Send one frame, or drop it where there is no room: whoever wants an answer repeats."""

    async def close(self) -> None:
        """Leave no socket, file or task behind."""


@dataclass(slots=True)
class Bucket:
    """A token bucket; ``now`` is in seconds on any steady clock."""

    rate: float
    burst: float
    tokens: float = 0.0
    at: float = float("-inf")

    def take(self, now: float) -> bool:
        """Take a place if there is one."""
        passed = max(0.0, now - self.at)
        self.tokens = min(self.burst, self.tokens + passed * self.rate if passed < self.burst else self.burst)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Link:
    """All nodes that one carrier reaches."""

    def __init__(self, registry: Registry, now: Callable[[], float]) -> None:
        self.peers: dict[bytes, Peer] = {}
        self.counts: Counter[str] = Counter()
        """Frames that were dropped, by reason."""
        self.gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done with the reason when the carrier is lost."""
        self.on_stranger: Callable[[Hello, Address], None] = lambda hello, address: None
        """Called for a node that is not joined, at most once a minute for each."""
        self._registry = registry
        self._start = registry.next_start()
        self._now = now
        self._carrier: Carrier | None = None
        self._joined: Counter[bytes] = Counter()
        self._places: dict[Address, Peer] = {}
        self._rate = Bucket(*LINK_RATE)
        self._stranger_rate = Bucket(*STRANGER_RATE)
        self._rates: dict[Address, Bucket] = {}
        self._seen: dict[bytes, float] = {}

    async def open(self, carry: Callable[[Link], Awaitable[Carrier]]) -> None:
        """Open the carrier. Raises Unreachable or Unsupported."""
        self._carrier = await carry(self)

    def join(self, node: bytes) -> Peer:
        """Return the peer of a node, from now on believed to be behind this link; whoever joins it leaves it."""
        self._joined[node] += 1
        peer = self.peers.get(node)
        if peer is None:
            record = self._registry.record(node)
            peer = self.peers[node] = Peer(record, self._send, self._start)
            home = None if self._carrier is None else self._carrier.home
            if home is not None:
                peer.address = home
            elif record.address is not None and record.address[1] == 0:
                peer.address = None  # it was on a line when it was heard last
        return peer

    def leave(self, node: bytes) -> None:
        """Forget a peer when all who joined it have left; its record stays."""
        self._joined[node] -= 1
        if self._joined[node] > 0:
            return
        del self._joined[node]
        self.peers.pop(node, None)
        self._places = {place: peer for place, peer in self._places.items() if peer.record.node != node}

    def received(self, data: bytes, address: Address) -> None:
        """Take one frame from the carrier. Never raises: what is bad is counted."""
        now = self._now()
        try:
            if not self._rate.take(now):
                self.counts["flood"] += 1
            else:
                self._take(data, address, now)
        except BadFrame:
            self.counts["malformed"] += 1
        except NotAuthentic as refused:
            self.counts[refused.why] += 1

    def lost(self, reason: str) -> None:
        """Called by the carrier when it is of no use any more."""
        if not self.gone.done():
            self.gone.set_result(reason)

    async def broken(self) -> None:
        """Return never. Raises LinkLost when the carrier is lost."""
        raise LinkLost(await asyncio.shield(self.gone))

    async def close(self) -> None:
        """Close the carrier."""
        self.lost("closed")
        if self._carrier is not None:
            await self._carrier.close()

    def _send(self, data: bytes, to: Address) -> None:
        if self._carrier is not None and not self.gone.done():
            self._carrier.send(data, to)

    def _take(self, data: bytes, address: Address, now: float) -> None:
        peer = self._places.get(address)
        bucket = self._stranger_rate if peer is None else self._rates.setdefault(address, Bucket(*NODE_RATE))
        if not bucket.take(now):
            self.counts["flood"] += 1
            return
        said = head(data)
        if _is_hello(said):
            self._hello(data, address, now)
        elif peer is not None:
            peer.receive(data, address, now)
        else:
            self._find(data, address, now)

    def _hello(self, data: bytes, address: Address, now: float) -> None:
        """A hello names its node: it is verified with that node's key, wherever it comes from."""
        hello = read(decode(data).body, Hello)
        peer = self.peers.get(hello.id)
        if peer is None:
            self._stranger(hello, address, now)
        elif hello.claimed and peer.claimed:
            peer.receive(data, address, now)
            self._settle(peer)
        else:
            peer.greet(hello, address, now)
            if peer.address == address:
                self._settle(peer)

    def _find(self, data: bytes, address: Address, now: float) -> None:
        """From an address that is new: of one node of ours, or of nobody."""
        for peer in self.peers.values():
            if peer.address == address or peer.would_believe(data):
                peer.receive(data, address, now)
                self._settle(peer)
                return
        self.counts["stranger"] += 1

    def _settle(self, peer: Peer) -> None:
        """Keep in mind where a node is now; a place belongs to one node."""
        if peer.address is not None and self._places.get(peer.address) is not peer:
            self._places = {place: other for place, other in self._places.items() if other is not peer}
            self._rates = {place: bucket for place, bucket in self._rates.items() if place in self._places}
            self._places[peer.address] = peer

    def _stranger(self, hello: Hello, address: Address, now: float) -> None:
        if now - self._seen.get(hello.id, float("-inf")) < AGAIN:
            return
        self._seen = {node: at for node, at in self._seen.items() if now - at < AGAIN}
        if len(self._seen) < STRANGERS:
            self._seen[hello.id] = now
            self.on_stranger(hello, address)


def _is_hello(said: Head) -> bool:
    return (said.op, said.group, said.command) == (Op.WRITE, Group.NODE, NodeCommand.HELLO)
