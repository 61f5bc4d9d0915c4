"""Frames on a serial port, 115,200 8N1 (PROTOCOL.md, section 1, Serial; library serialx, extra ``nodes``)."""

from __future__ import annotations

import asyncio
import termios
from typing import TYPE_CHECKING, cast

from firmware_bridge.errors import LinkLost
from firmware_bridge.serial_framing import Assembler, lines_of
from hub.model.errors import Unsupported
from hub.model.text import clean

if TYPE_CHECKING:
    from firmware_bridge.link import Link
    from firmware_bridge.peer import Address

BAUD = 115_200
#: Bytes that wait for the line before more are dropped: about 3 s of it.
_MOST_UNSENT = 32 * 1024
#: Seconds to open and to close a port.
_OPENING, _CLOSING = 5.0, 2.0


class SerialCarrier(asyncio.Protocol):
    """An open port."""

    def __init__(self, link: Link, path: str) -> None:
        self.home: Address | None = (path, 0)
        self._at: Address = (path, 0)
        self._link = link
        self._assembler = Assembler()
        self._transport: asyncio.WriteTransport | None = None
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by serialx."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Called by serialx."""
        before = self._assembler.broken
        for frame in self._assembler.feed(data):
            self._link.received(frame, self._at)
        self._link.counts["malformed"] += self._assembler.broken - before

    def connection_lost(self, exc: BaseException | None) -> None:
        """Called by serialx, also when the adapter was unplugged."""
        self._link.lost(f"the port {self._at[0]} is gone: unplugged, or its other end was closed")
        if not self._closed.done():
            self._closed.set_result(None)

    def send(self, frame: bytes, to: Address) -> None:
        """Send one frame, or drop it when the line is this far behind."""
        if self._transport is None or self._transport.get_write_buffer_size() > _MOST_UNSENT:
            self._link.counts["unsent"] += 1
        else:
            self._transport.write(lines_of(frame))

    async def close(self) -> None:
        """Close the port."""
        if self._transport is not None:
            self._transport.abort()
            await asyncio.wait({self._closed}, timeout=_CLOSING)


async def open_serial(link: Link, path: str) -> SerialCarrier:
    """Open the port for this program alone. Raises LinkLost, or Unsupported for what is no serial port."""
    try:
        import serialx  # an extra, and slow to import
    except ImportError:
        raise Unsupported("serialx is missing: install Menshen with the extra menshen[nodes]") from None
    name = clean(path)
    carrier = SerialCarrier(link, path)
    try:
        async with asyncio.timeout(_OPENING):
            await serialx.create_serial_connection(
                asyncio.get_running_loop(), lambda: carrier, path, BAUD, exclusive=True
            )
    except TimeoutError:
        raise LinkLost(f"{name} did not open within {_OPENING:g} s") from None
    except serialx.UnsupportedSetting:
        raise Unsupported(f"{name} does not do {BAUD} baud") from None
    except (OSError, serialx.SerialException, termios.error) as error:
        raise LinkLost(clean(f"cannot open {name} ({getattr(error, 'strerror', None) or error})", 160)) from None
    return carrier
