"""A broker played by hand, for what a real one does too rarely: the test says what each connection holds."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.kit.wait import until

_CONNECT, _PUBLISH, _PUBACK, _SUBSCRIBE, _UNSUBSCRIBE, _PING = 1, 3, 4, 8, 10, 12


class PuppetBroker:
    """Listens; every connection of the hub is taken by hand."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(20)
        self.port = int(self._server.getsockname()[1])
        self._links: list[Connection] = []

    def accept(self, *, session_kept: bool) -> Connection:
        """Take the hub's next connection."""
        self._links.append(Connection(self._server.accept()[0], session_kept=session_kept))
        return self._links[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for link in self._links:  # what a test that failed has left open would fail another one
            link.close()


class Connection:
    """One MQTT 3.1.1 connection: answers what must be answered, and gives the hub's own messages back to it."""

    def __init__(self, link: socket.socket, *, session_kept: bool) -> None:
        self._link = link
        self._link.settimeout(20)
        self.acknowledged: set[int] = set()
        kind, _, _ = self._packet()
        assert kind == _CONNECT
        self._link.sendall(bytes((0x20, 2, int(session_kept), 0)))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def publish(self, topic: str, payload: str, mid: int, *, again: bool = False, retained: bool = False) -> None:
        """Send one message at QoS 1; ``again`` sets the DUP flag. Wait for its acknowledgement."""
        self._send(0x32 | 0x08 * again | retained, topic.encode(), payload.encode(), mid)
        until(lambda: mid in self.acknowledged, within=10, what=f"acknowledgement of {mid}")

    def close(self) -> None:
        """Cut the connection."""
        with suppress(OSError):  # the hub may have done so
            self._link.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._link.close()

    def _send(self, head: int, topic: bytes, payload: bytes, mid: int) -> None:
        body = struct.pack(">H", len(topic)) + topic + struct.pack(">H", mid) + payload
        length, size = len(body), b""
        while True:
            length, digit = divmod(length, 128)
            size += bytes((digit | (0x80 if length else 0),))
            if not length:
                break
        self._link.sendall(bytes((head,)) + size + body)

    def _packet(self) -> tuple[int, int, bytes]:
        head, length, shift = self._exactly(1)[0], 0, 0
        while True:
            digit = self._exactly(1)[0]
            length |= (digit & 0x7F) << shift
            shift += 7
            if digit < 0x80:
                return head >> 4, head & 0x0F, self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._link.recv(count - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data

    def _serve(self) -> None:
        try:
            while True:
                self._answer(*self._packet())
        except OSError:
            return

    def _answer(self, kind: int, flags: int, body: bytes) -> None:
        if kind == _SUBSCRIBE:
            rest, count = body[2:], 0
            while rest:
                rest, count = rest[3 + struct.unpack_from(">H", rest)[0] :], count + 1
            self._link.sendall(bytes((0x90, 2 + count)) + body[:2] + b"\x01" * count)
        elif kind == _PUBLISH and flags & 0x06:
            size = struct.unpack_from(">H", body)[0]
            self._link.sendall(b"\x40\x02" + body[2 + size : 4 + size])
            self._send(0x32, body[2 : 2 + size], body[4 + size :], 60_000)
        elif kind == _PUBACK:
            self.acknowledged.add(struct.unpack(">H", body)[0])
        elif kind == _UNSUBSCRIBE:
            self._link.sendall(b"\xb0\x02" + body[:2])
        elif kind == _PING:
            self._link.sendall(b"\xd0\x00")
