"""A node in Python for tests: the far end of a link, speaking PROTOCOL.md over UDP or a pseudo-terminal."""

from __future__ import annotations

import asyncio
import hashlib
import os
import pty
import tty
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import cbor2

from firmware_bridge.auth import Counters, Direction, claim_key, must_be_sealed, node_key, seal, unseal
from firmware_bridge.errors import NotAuthentic, Rc
from firmware_bridge.frame import Frame, Group, Op, decode, encode, head
from firmware_bridge.serial_framing import Assembler, lines_of

CODE = "0123456789ABCDEF"
POINTS = (
    {"i": 0, "n": "door", "c": "contact", "u": "", "lo": 0, "hi": 1},
    {"i": 1, "n": "field", "c": "field", "u": "uT", "lo": -1000, "hi": 1000},
    {"i": 2, "n": "lamp", "c": "relay", "u": "", "lo": 0, "hi": 1},
)
#: Unacknowledged events at a time, and seconds until the first repetition.
IN_FLIGHT, REPEAT = 8, 1.0


@dataclass
class Slots:
    """Two image slots as MCUboot keeps them, and an upload."""

    running: bytes = hashlib.sha256(b"old").digest()
    version: str = "1.0.0"
    other: bytes = b""
    other_version: str = ""
    pending: bool = False
    confirmed: bool = True
    data: bytearray = field(default_factory=bytearray)
    length: int = 0
    sha: bytes = b""

    def state(self) -> dict[str, Any]:
        """Return MCUmgr's image state."""
        images = [
            {"slot": 0, "version": self.version, "hash": self.running, "active": True, "confirmed": self.confirmed}
        ]
        if self.other:
            images.append({"slot": 1, "version": self.other_version, "hash": self.other, "pending": self.pending})
        return {"images": images}


class FarNode(ABC):
    """One node. ``send`` puts a frame on its wire; ``take`` is called with what comes."""

    def __init__(self, number: int = 1, *, boot: int = 1, key: bytes = b"", mtu: int = 1024) -> None:
        self.id = bytes.fromhex("4d53") + number.to_bytes(6, "big")
        self.boot = boot
        self.key = key
        self.mtu = mtu
        self.slots = Slots()
        self.seq = 0
        self.waiting: deque[dict[str, Any]] = deque()
        self.flying: dict[tuple[int, int], float] = {}
        self.acked: list[tuple[int, int]] = []
        self.sets: list[dict[str, Any]] = []
        self.clock: str = ""
        self.health: dict[str, Any] = {"ok": True, "bat": 90, "alarm": False, "up": 1, "t": 0, "dropped": 0, "fail": ""}
        self.resets = 0
        self.repeated = 0
        self.crashes = False
        """A new image of this node never comes up: it reverts."""
        self.deaf_to: set[tuple[int, int]] = set()
        """Group and command of requests that it swallows."""
        self.answers: list[Frame] = []
        self._counter = 0
        self._heard = Counters()
        self._frame_seq = 0
        self._claim: tuple[bytes, bytes] | None = None

    @abstractmethod
    def send(self, data: bytes) -> None:
        """Put a frame on the wire."""

    def hello(self) -> None:
        """Say that it is there."""
        digest = hashlib.sha256(cbor2.dumps(POINTS)).digest()[:8]
        body = {"id": self.id, "model": "menshen-ref", "ver": self.slots.version, "dig": digest, "boot": self.boot,
                "up": 1000, "why": "power", "claimed": bool(self.key)}  # fmt: skip
        self.ask(1, body)

    def ask(self, command: int, body: dict[str, Any]) -> None:
        """Send a request of its own."""
        self._frame_seq = (self._frame_seq + 1) % 256
        self.put(Frame(Op.WRITE, Group.NODE, self._frame_seq, command, body))

    def put(self, frame: Frame) -> None:
        """Send a frame, sealed where it must be."""
        data = encode(frame)
        if self.key and must_be_sealed(head(data)):
            self._counter += 1
            data = seal(frame, self.key, Direction.FROM_NODE, self.id, self.boot << 32 | self._counter)
        self.send(data)

    def happen(self, point: int, value: object) -> None:
        """Keep an event until it is acknowledged."""
        self.seq += 1
        self.waiting.append({"boot": self.boot, "seq": self.seq, "up": self.seq, "t": 0, "pt": point, "v": value})
        self.push()

    def push(self) -> None:
        """Send the oldest events that were not sent within the last second."""
        now = asyncio.get_running_loop().time()
        for event in list(self.waiting)[:IN_FLIGHT]:
            name = event["boot"], event["seq"]
            if now - self.flying.get(name, -REPEAT) >= REPEAT:
                self.repeated += name in self.flying
                self.flying[name] = now
                self.ask(2, event)

    def take(self, data: bytes) -> None:
        """Handle one frame of the hub's."""
        key = self.key
        if key and must_be_sealed(head(data)):
            try:
                self._heard.accept(unseal(data, key, Direction.FROM_HUB, self.id))
            except NotAuthentic:
                self._claimed_before(data)
                return
        frame = decode(data)
        if frame.op.is_answer:
            self._answered(frame)
        elif (frame.group, frame.command) not in self.deaf_to:
            self._serve(frame, data)

    def _answered(self, frame: Frame) -> None:
        self.answers.append(frame)
        if frame.group == Group.NODE and frame.command == 2:
            name = frame.body["boot"], frame.body["seq"]
            self.acked.append(name)
            self.flying.pop(name, None)
            self.waiting = deque(event for event in self.waiting if (event["boot"], event["seq"]) != name)
            self.push()

    def _serve(self, frame: Frame, data: bytes) -> None:
        if frame.group == Group.NODE and frame.command == 4:
            self._owner(frame, data)
            return
        body = self._body(frame)
        if body is not None:
            self.put(frame.answer(body))

    def _body(self, frame: Frame) -> dict[str, Any] | None:
        match frame.group, frame.command:
            case Group.NODE, 0:
                return {
                    "id": self.id,
                    "model": "menshen-ref",
                    "ver": self.slots.version,
                    "claimed": True,
                    "pts": POINTS,
                }
            case Group.NODE, 3:
                self.sets.append(frame.body)
                return {"rc": 0, "v": frame.body["v"]}
            case Group.NODE, 5:
                return self.health
            case Group.OS, 0:
                return {"r": frame.body.get("d", "")}
            case Group.OS, 4:
                self.clock = frame.body["datetime"]
                return {"rc": 0}
            case Group.OS, 5:
                self.put(frame.answer({"rc": 0}))
                self.reset()
                return None
            case Group.OS, 6:
                return {"buf_size": self.mtu, "buf_count": 4}
            case Group.IMAGE, 0:
                return self._state(frame)
            case Group.IMAGE, 1:
                return self._upload(frame.body)
        return {"rc": Rc.NOT_SUPPORTED}

    def _state(self, frame: Frame) -> dict[str, Any]:
        slots = self.slots
        if frame.op is Op.WRITE:
            wanted = frame.body.get("hash", b"")
            if frame.body["confirm"]:
                if wanted not in (slots.running, b""):
                    return {"err": {"group": 1, "rc": Rc.NO_ENTRY}}
                slots.confirmed = True
            elif wanted != slots.other or not wanted:
                return {"err": {"group": 1, "rc": Rc.NO_ENTRY}}
            else:
                slots.pending = True
        return slots.state()

    def _upload(self, body: dict[str, Any]) -> dict[str, Any]:
        from firmware_bridge.image import parse

        slots = self.slots
        if body["off"] == 0 and (body["len"], body["sha"]) != (slots.length, slots.sha):
            slots.length, slots.sha, slots.data = body["len"], body["sha"], bytearray()
        if body["off"] == len(slots.data):
            slots.data += body["data"]
        if len(slots.data) < slots.length:
            return {"rc": 0, "off": len(slots.data)}
        whole = bytes(slots.data)
        if hashlib.sha256(whole).digest() == slots.sha:
            image = parse(whole)
            slots.other, slots.other_version = image.digest, str(image.version)
        return {"rc": 0, "off": len(whole), "match": hashlib.sha256(whole).digest() == slots.sha}

    def reset(self) -> None:
        """Start anew: into the pending image, or back out of one that was not confirmed."""
        slots = self.slots
        self.resets += 1
        if slots.pending or not slots.confirmed:
            slots.running, slots.other = slots.other, slots.running
            slots.version, slots.other_version = slots.other_version, slots.version
            slots.confirmed, slots.pending = not slots.pending, False
        self.boot += 1
        self._counter = 0
        self.seq = 0
        self.flying.clear()
        if self.crashes and not slots.confirmed:
            self.reset()
            return
        self.hello()
        self.push()

    def _owner(self, frame: Frame, data: bytes) -> None:
        if frame.body.get("release") and self.key:
            self.put(frame.answer({"rc": 0}))
            self.key = b""
            return
        first = claim_key(CODE, self.id)
        try:
            unseal(data, first, Direction.FROM_HUB, self.id)
        except NotAuthentic:
            return
        nonce = os.urandom(16)
        self._claim = frame.body["nonce"], nonce
        self._grant(frame, nonce)
        self.key = node_key(CODE, frame.body["nonce"], nonce, self.id, frame.body["hub"])
        self._counter, self._heard = 0, Counters()

    def _grant(self, frame: Frame, nonce: bytes) -> None:
        self._counter += 1
        answer, first = frame.answer({"rc": 0, "nonce": nonce}), claim_key(CODE, self.id)
        self.send(seal(answer, first, Direction.FROM_NODE, self.id, self.boot << 32 | self._counter))

    def _claimed_before(self, data: bytes) -> None:
        """The answer to a claim may have been lost: until the hub has spoken with K, the same one is answered again."""
        frame = decode(data)
        if self._claim is None or self._heard.highest >= 0 or frame.body.get("nonce") != self._claim[0]:
            return
        try:
            unseal(data, claim_key(CODE, self.id), Direction.FROM_HUB, self.id)
        except NotAuthentic:
            return
        self._grant(frame, self._claim[1])


class UdpNode(FarNode, asyncio.DatagramProtocol):
    """A node behind a socket of its own."""

    transport: asyncio.DatagramTransport
    lossy: deque[bool]
    """For each frame that it sends next, whether it is lost."""

    async def join(self, port: int) -> None:
        """Open the socket."""
        self.lossy = deque()
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, remote_addr=("127.0.0.1", port))

    def send(self, data: bytes) -> None:
        if not (self.lossy and self.lossy.popleft()):
            self.transport.sendto(data)

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.take(data)

    def leave(self) -> None:
        """Close the socket."""
        self.transport.close()


class PtyNode(FarNode):
    """A node on a pseudo-terminal; ``path`` is what the hub opens."""

    def plug(self) -> None:
        """Make the terminal."""
        self.line, slave = pty.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(self.line, False)
        self._assembler = Assembler()
        asyncio.get_running_loop().add_reader(self.line, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self.line, 4096)
        except OSError:  # nobody has opened the other side
            return
        for frame in self._assembler.feed(data):
            self.take(frame)

    def send(self, data: bytes) -> None:
        os.write(self.line, b"I: noise\r\n" + lines_of(data))

    def unplug(self) -> None:
        """Pull the cable."""
        asyncio.get_running_loop().remove_reader(self.line)
        os.close(self.line)
