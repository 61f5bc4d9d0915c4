"""Loudspeakers that only note when a voice begins: one UDP port per lane, the first packet of each stream counts."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from types import TracebackType
from typing import Self

#: RTP's marker bit, set on the first packet of a voice (RFC 3551, section 4.1).
_MARKER = 0x80


class Ears:
    """Listens on ``count`` ports; ``began`` holds the times (monotonic) at which voices began, per lane."""

    def __init__(self, count: int) -> None:
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
        for made in self._sockets:
            made.bind(("127.0.0.1", 0))
            made.setblocking(False)
        self.ports = [int(made.getsockname()[1]) for made in self._sockets]
        self.began: list[list[float]] = [[] for _ in range(count)]
        self._over = False
        self._thread = threading.Thread(target=self._listen, name="ears", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        self._thread.join(5)
        for made in self._sockets:
            made.close()

    def _listen(self) -> None:
        with selectors.DefaultSelector() as selector:
            for number, made in enumerate(self._sockets):
                selector.register(made, selectors.EVENT_READ, number)
            while not self._over:
                for key, _ in selector.select(timeout=0.2):
                    now = time.monotonic()
                    packet = self._sockets[key.data].recv(2048)
                    if packet[1] & _MARKER:
                        self.began[key.data].append(now)
