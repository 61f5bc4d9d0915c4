"""A small hub for tests of the C node: one link to one node, everything it says in order, nothing done by itself."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from firmware_bridge.auth import Counters, Direction, claim_key, must_be_sealed, node_key, seal, unseal
from firmware_bridge.errors import BadFrame, NotAuthentic
from firmware_bridge.frame import Frame, Group, Head, Op, decode, encode, head
from firmware_bridge.messages import Event, Hello, NodeCommand, read
from firmware_bridge.node_process import NodeOptions, NodeProcess
from firmware_bridge.serial_framing import Assembler, lines_of

#: For the tests of the C node: without a compiler there is none.
needs_compiler = pytest.mark.skipif(
    shutil.which("make") is None or shutil.which("cc") is None, reason="no compiler: tools/debian.sh"
)
HUB = b"HUB\0\0\0\0\1"
NONCE = bytes(range(16))
#: Seconds within which a node answers on a busy machine.
PATIENCE = 10.0


class SmallHub:
    """The hub's end. What the node asks goes into ``asked``; answers go to whoever asked."""

    def __init__(self, node_id: bytes, code: str) -> None:
        self.id = node_id
        self.code = code
        self.key = b""
        self.start = 1
        self.sent = 0
        self.heard = Counters()
        self.asked: asyncio.Queue[Frame] = asyncio.Queue()
        self.refused: list[str] = []
        """Why frames were not believed."""
        self.on_event: Callable[[Event], bool] | None = None
        """Called for each event; whether it is answered. None: events go to ``asked`` like all else."""
        self.put: Callable[[bytes], None] = lambda data: None
        """Puts a frame on the wire."""
        self.raw: Callable[[bytes], None] = lambda data: None
        """Puts bytes on the wire as they are."""
        self.close: Callable[[], None] = lambda: None
        """Leaves the wire to somebody else."""
        self.patience = PATIENCE
        """Seconds until a request is repeated, if it is."""
        self.tries = 1
        self.is_serial = False
        self.met = asyncio.Event()
        """Set when the node was heard on this link: from then on it can be spoken to."""
        self._seq = 0
        self._waiting: dict[int, tuple[Head, asyncio.Future[Frame]]] = {}

    def received(self, data: bytes) -> None:
        try:
            self._take(data, head(data))
        except BadFrame:  # a bad line
            self.refused.append("malformed")

    def _take(self, data: bytes, said: Head) -> None:
        if self.key and must_be_sealed(said):
            try:
                self.heard.accept(unseal(data, self.key, Direction.FROM_NODE, self.id))
            except NotAuthentic as refused:
                self.refused.append(refused.why)
                return
        frame = decode(data)
        if frame.op.is_answer:
            expected, answered = self._waiting.get(frame.seq, (None, None))
            if answered is not None and not answered.done() and expected == said:
                answered.set_result(frame)
        elif frame.command == NodeCommand.EVENT and self.on_event is not None:
            event = read(frame.body, Event)
            if self.on_event(event):
                self.answer_event(frame)
        else:
            self.asked.put_nowait(frame)

    def send(self, frame: Frame, key: bytes | None = None) -> bytes:
        """Send a frame, sealed if the node has an owner or a key is given; return what went out."""
        key = self.key if key is None else key
        data = encode(frame)
        if key and must_be_sealed(head(data)):
            self.sent += 1
            data = seal(frame, key, Direction.FROM_HUB, self.id, self.start << 32 | self.sent)
        self.put(data)
        return data

    async def ask(
        self, op: Op, group: int, command: int, body: dict[str, Any] | None = None, *, key: bytes | None = None,
        tries: int | None = None, within: float | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Return the answer's map, failures too."""
        answered: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        for _ in range(tries or self.tries):
            self._seq = (self._seq + 1) % 256
            self._waiting[self._seq] = Head(Op(op | 1), group, self._seq, command), answered
            self.send(Frame(op, group, self._seq, command, body or {}), key)
            done, _ = await asyncio.wait({answered}, timeout=within or self.patience)
            if done:
                return answered.result().body
        raise TimeoutError(f"no answer to {group}/{command}")

    async def silent(self, data: bytes) -> bool:
        """Put a frame on the wire as it is; tell whether the node took no notice but still answers."""
        self._seq = (self._seq + 1) % 256
        answered: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        said = head(data)
        self._waiting[said.seq] = Head(Op(said.op | 1), said.group, said.seq, said.command), answered
        self.put(data)
        await self.ask(Op.READ, Group.IMAGE, 0)
        return not answered.done()

    async def claim(self) -> None:
        body = {"hub": HUB, "nonce": NONCE}
        key = claim_key(self.code, self.id)
        self.key = key  # its answer is sealed with K0
        answer = await self.ask(Op.WRITE, Group.NODE, NodeCommand.CLAIM, body, key=key)
        self.own(node_key(self.code, NONCE, answer["nonce"], self.id, HUB))

    def own(self, key: bytes) -> None:
        self.key, self.sent, self.heard = key, 0, Counters()

    def collect(self) -> list[Event]:
        """Answer each event from now on, and return the list that they are put into."""
        events: list[Event] = []

        def take(event: Event) -> bool:
            events.append(event)
            return True

        self.on_event = take
        return events

    async def next(self, command: int) -> Frame:
        """Return the node's next request with this command; others before it are forgotten."""
        while True:
            frame = await asyncio.wait_for(self.asked.get(), PATIENCE)
            if frame.command == command:
                return frame

    async def hello(self) -> Hello:
        return read((await self.next(NodeCommand.HELLO)).body, Hello)

    def answer(self, request: Frame, body: dict[str, Any]) -> None:
        self.send(request.answer(body))

    def answer_event(self, request: Frame) -> None:
        self.answer(request, {"rc": 0, "boot": request.body["boot"], "seq": request.body["seq"]})

    def drain(self) -> list[Frame]:
        """Return what the node has asked until now."""
        return [self.asked.get_nowait() for _ in range(self.asked.qsize())]


def listen(hub: SmallHub) -> tuple[socket.socket, Callable[[], None]]:
    """Open a UDP socket for ``hub``; return it and what closes it."""
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    peer: list[Any] = [None]

    def readable() -> None:
        try:
            data, peer[0] = sock.recvfrom(65536)
        except OSError:
            return
        hub.met.set()
        hub.received(data)

    def put(data: bytes) -> None:
        if peer[0] is not None:
            sock.sendto(data, peer[0])

    hub.met.clear()
    hub.put = hub.raw = put
    loop.add_reader(sock, readable)

    def close() -> None:
        loop.remove_reader(sock)
        sock.close()
        hub.close = lambda: None

    return sock, close


def open_line(hub: SmallHub, path: str) -> Callable[[], None]:
    """Open the pty of a node for ``hub``; return what closes it."""
    loop = asyncio.get_running_loop()
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    assembler = Assembler()
    hub.is_serial = True
    pending = bytearray()

    def readable() -> None:
        try:
            data = os.read(fd, 65536)
        except OSError:
            return
        for frame in assembler.feed(data):
            hub.received(frame)

    def writable() -> None:
        try:
            del pending[: os.write(fd, pending)]
        except BlockingIOError:
            return
        if not pending:
            loop.remove_writer(fd)

    def raw(data: bytes) -> None:
        pending.extend(data)
        loop.add_writer(fd, writable)

    hub.raw = raw
    hub.put = lambda data: raw(lines_of(data))
    loop.add_reader(fd, readable)

    def close() -> None:
        loop.remove_reader(fd)
        loop.remove_writer(fd)
        os.close(fd)
        hub.close = lambda: None

    return close


@asynccontextmanager
async def running(
    state: Path, *, serial: bool = False, target: str = "menshen-node", hub: SmallHub | None = None, **said: Any
) -> AsyncIterator[tuple[NodeProcess, SmallHub]]:
    """Run a node and a hub that can hear it. ``said`` are fields of NodeOptions."""
    options = NodeOptions(state=state, **said)
    hub = hub or SmallHub(options.id, options.code)
    sock, close = listen(hub)
    if serial:
        close()
        node = await NodeProcess.start(options, target=target)
        close = open_line(hub, node.port)
    else:
        options = msgspec.structs.replace(options, hub=sock.getsockname())
        node = await NodeProcess.start(options, target=target)
    hub.close = close
    try:
        yield node, hub
    finally:
        hub.close()
        await node.close()
