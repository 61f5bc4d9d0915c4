"""Keeps one address from taking the page from all others: so many connections, and so long for the first request.

It stands between a connection and aiohttp's handler, which has neither limit. The loop that decides is not behind it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from ipaddress import ip_address
from typing import TYPE_CHECKING

import structlog
from aiohttp.http_exceptions import HttpProcessingError

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger()

#: Connections of one address, and of this machine, from where a proxy brings everybody.
MOST, MOST_HERE = 64, 512
#: Seconds from the connection, its TLS handshake included, to the end of the first request's header.
FIRST = 10.0


class Gate:
    """Counts connections by address."""

    def __init__(self, most: int = MOST, most_here: int = MOST_HERE, first: float = FIRST) -> None:
        self.refused = 0
        """Connections that were closed, for being too many or too slow."""
        self._most, self._most_here, self._first = most, most_here, first
        self._open: Counter[str] = Counter()
        self._waiting: dict[asyncio.BaseTransport, asyncio.TimerHandle] = {}

    def enter(self, transport: asyncio.Transport, address: str) -> bool:
        """Take a connection in; False, and it is closed, where its address has too many."""
        self._open[address] += 1
        if self._open[address] > (self._most_here if _is_here(address) else self._most):
            self._refuse(transport, address, "too many connections")
            return False
        later = asyncio.get_running_loop().call_later
        self._waiting[transport] = later(self._first, self._refuse, transport, address, "no request")
        return True

    def served(self, transport: asyncio.BaseTransport | None) -> None:
        """Note that a request came: its connection may stay."""
        timer = None if transport is None else self._waiting.pop(transport, None)
        if timer is not None:
            timer.cancel()

    def leave(self, transport: asyncio.BaseTransport | None, address: str) -> None:
        """Forget a connection."""
        self.served(transport)
        self._open[address] -= 1
        if self._open[address] <= 0:
            del self._open[address]

    def _refuse(self, transport: asyncio.Transport, address: str, reason: str) -> None:
        self._waiting.pop(transport, None)
        transport.abort()
        self.refused += 1
        if self.refused & (self.refused - 1) == 0:  # the 1st, 2nd, 4th …: a flood does not fill the log
            log.warning("web.refused", address=address, reason=reason, count=self.refused)


class Guarded(asyncio.Protocol):
    """One connection that goes through the gate to ``handler``."""

    def __init__(self, gate: Gate, handler: Callable[[], asyncio.Protocol]) -> None:
        self._gate = gate
        self._make = handler
        self._handler: asyncio.Protocol | None = None
        self._transport: asyncio.Transport | None = None
        self._address = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Pass it on, where there is room."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream has one
        self._transport = transport
        self._address = str((transport.get_extra_info("peername") or ("",))[0])
        if self._gate.enter(transport, self._address):
            self._handler = self._make()
            self._handler.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on."""
        self._gate.leave(self._transport, self._address)
        if self._handler is not None:
            self._handler.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass it on."""
        if self._handler is not None:
            self._handler.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass it on."""
        return None if self._handler is None else self._handler.eof_received()

    def pause_writing(self) -> None:
        """Pass it on."""
        if self._handler is not None:
            self._handler.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        if self._handler is not None:
            self._handler.resume_writing()


def _is_here(address: str) -> bool:
    try:
        return ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


class _NoHttp(logging.Filter):
    """Takes requests that are no HTTP out of a log: they are their sender's fault, and a trace each would fill it."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    def filter(self, record: logging.LogRecord) -> bool:
        cause = record.exc_info[1] if record.exc_info else None
        if not isinstance(cause, HttpProcessingError):
            return True
        self._count += 1
        if self._count & (self._count - 1) == 0:
            log.warning("web.no_http", reason=type(cause).__name__, count=self._count)
        return False


def request_log() -> logging.Logger:
    """Return what the server tells of requests that went wrong, for the hub's own log."""
    made = logging.Logger("aiohttp.server")  # noqa: LOG001 - the filter is the hub's, not everybody's in the process
    made.parent = logging.getLogger()
    made.addFilter(_NoHttp())
    return made
