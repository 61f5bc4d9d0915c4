"""One node as the hub talks to it: what it sends is verified and sorted into answers and requests of its own."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable
from typing import Any

from firmware_bridge.auth import (
    KEY_BYTES,
    NONCE_BYTES,
    Counters,
    Direction,
    Distrust,
    claim_key,
    must_be_sealed,
    node_key,
    seal,
    unseal,
)
from firmware_bridge.errors import BadFrame, NoAnswer, NotAuthentic
from firmware_bridge.frame import Frame, Group, Head, Op, decode, encode, head
from firmware_bridge.messages import Hello, NodeCommand, OsCommand
from firmware_bridge.registry import Record

#: Where a frame came from and where the answer goes: host and port, or the name of a line and 0.
Address = tuple[str, int]
Send = Callable[[bytes, Address], None]

#: Requests of a node that wait for the hub; it repeats what is dropped.
WAITING = 64
#: Seconds within which a node that speaks from two addresses by turns is two nodes.
TURNS = 60.0
#: Seconds between two questions by which a node proves that it speaks now.
ASKED = 1.0
#: Requests of the hub that may be under way at once, of the 256 sequence numbers.
UNDER_WAY = 64


class Peer:
    """One node. ``record`` is its row of the registry; whoever owns the registry saves it."""

    def __init__(self, record: Record, send: Send, start: int) -> None:
        self.record = record
        self.requests: asyncio.Queue[Frame] = asyncio.Queue(WAITING)
        self.counts: Counter[Distrust] = Counter()
        """What was dropped or odd since this hub started."""
        self.overflowed = 0
        self.orphan: Hello | None = None
        """What a node with this id said last without being authentic: it has no owner, or is not this one."""
        self._orphan_at: Address | None = None
        self.greeted = asyncio.Event()
        """Set by every frame that is believed, and by the hello of a node that can be claimed."""
        self.heard_at = 0.0
        """Seconds of the loop's clock at which it was heard last."""
        self.address: Address | None = record.address
        self._send = send
        self._start = start
        self._sent = 0
        self._seq = 0
        self._key = bytes.fromhex(record.key)
        self._claiming = False
        self._nonce = ""
        """What a node must say before it is believed."""
        self._asked: dict[Address, float] = {}
        """When it was asked for it where: a copyist elsewhere must not keep the node itself from being asked."""
        self._pending: dict[int, tuple[Head, asyncio.Future[Frame]]] = {}
        self._left: dict[Address, float] = {}

    @property
    def claimed(self) -> bool:
        """Tell whether this hub owns the node."""
        return bool(self.record.key)

    def receive(self, data: bytes, address: Address, now: float) -> None:
        """Take one frame. Raises NotAuthentic (counted) or BadFrame; nothing of such a frame is used."""
        said = head(data)
        if must_be_sealed(said):
            self._verify(data, address)
        elif address != self.address:
            raise NotAuthentic(Distrust.FORGED)  # a plain answer is believed only from where the node is
        frame = decode(data)
        self._move(address, now)
        self.heard_at, self.orphan = now, None
        self.greeted.set()
        if frame.op.is_answer:
            self._settle(frame)
        elif self.requests.full():
            self.overflowed += 1
        else:
            self.requests.put_nowait(frame)

    def would_believe(self, data: bytes) -> bool:
        """Tell whether the node has signed this; nothing is noted."""
        try:
            unseal(data, self._key or secrets.token_bytes(KEY_BYTES), Direction.FROM_NODE, self.record.node)
        except NotAuthentic:
            return False
        return True

    def greet(self, hello: Hello, address: Address, now: float) -> None:
        """Take the hello of a node that nobody owns, or that another hub owns."""
        self.orphan, self._orphan_at = hello, address
        if not self.claimed and not self._claiming:
            self.address = self.record.address = address
            self.heard_at = now
            self.greeted.set()

    async def request(
        self,
        op: Op,
        group: int,
        command: int,
        body: dict[str, Any] | None = None,
        *,
        timeout: float = 2.0,
        tries: int = 3,
    ) -> dict[str, Any]:
        """Ask, again after ``timeout`` seconds up to ``tries`` times; return the answer's map.

        Raises NoAnswer, Refused, or BadFrame for a request that is too long.
        """
        if self.address is None:
            raise NoAnswer("the node has not been heard yet")
        answered: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        used = []
        try:
            for _ in range(tries):
                seq = self._next_seq()
                used.append(seq)
                frame = Frame(op, group, seq, command, body or {})
                self._pending[seq] = Head(Op(op | 1), group, seq, command), answered
                self.send(frame)
                done, _ = await asyncio.wait({answered}, timeout=timeout)
                if done:
                    return answered.result().check()
        finally:
            answered.cancel()
            for seq in used:
                self._pending.pop(seq, None)
        raise NoAnswer(f"no answer within {timeout * tries:g} s")

    def answer(self, request: Frame, body: dict[str, Any]) -> None:
        """Answer a request of the node's."""
        self.send(request.answer(body))

    def send(self, frame: Frame) -> None:
        """Send one frame, authenticated where it must be."""
        if self.address is None:
            return
        if self._key and not self.record.proven:
            self._challenge(self.address)
        self._send_to(frame, self.address)

    def _send_to(self, frame: Frame, address: Address) -> None:
        data = encode(frame)
        if self._key and must_be_sealed(head(data)):
            self._sent += 1
            data = seal(frame, self._key, Direction.FROM_HUB, self.record.node, self._start << 32 | self._sent)
        self._send(data, address)

    async def claim(self, code: str, hub: bytes, save: Callable[[], None]) -> None:
        """Make the node this hub's own. Raises NoAnswer when the code is wrong or the node is gone, or Refused.

        The hub's nonce is saved before it is sent, so that a claim whose answer was lost ends well the next time.
        """
        record = self.record
        before = record.heard, record.proven
        self.address = self._orphan_at or self.address
        record.nonce = record.nonce or secrets.token_hex(NONCE_BYTES)
        save()
        self._rekey(claim_key(code, record.node), claiming=True)
        key = bytes.fromhex(record.key)
        try:
            body = {"hub": hub, "nonce": bytes.fromhex(record.nonce)}
            answer = await self.request(Op.WRITE, Group.NODE, NodeCommand.CLAIM, body)
            nonce = answer.get("nonce")
            if not isinstance(nonce, bytes) or len(nonce) != NONCE_BYTES:
                raise BadFrame("no nonce in the answer to a claim")
            key = node_key(code, bytes.fromhex(record.nonce), nonce, record.node, hub)
            before = Counters(), True
            record.key, record.nonce = key.hex(), ""
        finally:
            self._rekey(key, claiming=False)
            record.heard, record.proven = before  # of a claim that failed, nothing is forgotten
            save()

    async def release(self, save: Callable[[], None]) -> None:
        """Give the node up, with its consent. Raises NoAnswer or Refused."""
        await self.request(Op.WRITE, Group.NODE, NodeCommand.CLAIM, {"release": True})
        self.forget(save)

    def forget(self, save: Callable[[], None]) -> None:
        """Give the node up without asking it."""
        self.record.key = self.record.nonce = ""
        self._rekey(b"", claiming=False)
        save()

    def _rekey(self, key: bytes, *, claiming: bool) -> None:
        self._key, self._claiming = key, claiming  # our own counter goes on: it never repeats with any key
        self.record.heard, self.record.proven = Counters(), True

    def _challenge(self, address: Address) -> None:
        """Ask the node to say a number that nobody could have heard before."""
        now = asyncio.get_running_loop().time()
        self._asked = {place: at for place, at in self._asked.items() if now - at < ASKED}
        if address in self._asked:
            return
        self._asked[address], self._nonce = now, self._nonce or secrets.token_hex(NONCE_BYTES)
        self._send_to(Frame(Op.WRITE, Group.OS, self._next_seq(), OsCommand.ECHO, {"d": self._nonce}), address)

    def _prove(self, data: bytes, address: Address) -> None:
        """Take the node's word that it speaks now, and nothing it said before. Raises NotAuthentic or BadFrame."""
        frame = decode(data)
        echo = frame.op is Op.WRITE_ANSWER and (frame.group, frame.command) == (Group.OS, OsCommand.ECHO)
        if not echo or not self._nonce or frame.body.get("r") != self._nonce:
            self._challenge(address)
            raise NotAuthentic(Distrust.UNPROVEN)
        self.record.proven, self._nonce = True, ""

    def _verify(self, data: bytes, address: Address) -> None:
        """Raise NotAuthentic unless the node sent this now; count it."""
        before = self.record.heard.gaps
        try:
            # without a key no frame is authentic: the empty one is nobody's
            counter = unseal(data, self._key or secrets.token_bytes(KEY_BYTES), Direction.FROM_NODE, self.record.node)
            known = self.record.proven
            if not known:
                self._prove(data, address)
            self.record.heard.accept(counter)
            if not known:
                self.record.heard.close()
        except NotAuthentic as refused:
            self.counts[Distrust(refused.why)] += 1
            raise
        self.counts[Distrust.GAP] += max(0, self.record.heard.gaps - before)

    def _move(self, address: Address, now: float) -> None:
        """Answers go to where the node spoke from last; one that is in two places by turns is two."""
        if address == self.address:
            return
        if now - self._left.pop(address, now - TURNS) < TURNS:
            self.counts[Distrust.CLONE] += 1
        if self.address is not None:
            self._left = {place: at for place, at in self._left.items() if now - at < TURNS}
            self._left[self.address] = now
        self.address = self.record.address = address

    def _settle(self, answer: Frame) -> None:
        """Give an answer to whoever asked; one that nobody waits for is old and of no use."""
        expected, answered = self._pending.get(answer.seq, (None, None))
        if answered is not None and not answered.done() and expected == head_of(answer):
            answered.set_result(answer)

    def _next_seq(self) -> int:
        if len(self._pending) >= UNDER_WAY:
            raise NoAnswer("too many requests are under way")
        while True:
            self._seq = (self._seq + 1) % 256
            if self._seq not in self._pending:
                return self._seq


def head_of(frame: Frame) -> Head:
    """Return what its header says."""
    return Head(frame.op, frame.group, frame.seq, frame.command)
