"""Frames as datagrams: one socket for all nodes (PROTOCOL.md, section 1, UDP)."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, cast

from firmware_bridge.errors import LinkLost
from firmware_bridge.frame import MAX_FRAME

if TYPE_CHECKING:
    from firmware_bridge.link import Link
    from firmware_bridge.peer import Address

#: Port of SMP over UDP (Zephyr, "SMP Transport").
PORT = 1337
#: Bytes that wait while the hub is busy: what 2,000 nodes say in a second. The kernel may grant less.
_BUFFER = 1 << 20


class UdpCarrier(asyncio.DatagramProtocol):
    """An open socket."""

    home: Address | None = None

    def __init__(self, link: Link) -> None:
        self._link = link
        self._transport: asyncio.DatagramTransport | None = None
        self._full = False
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        return 0 if self._transport is None else int(self._transport.get_extra_info("sockname")[1])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Called by asyncio."""
        if len(data) <= MAX_FRAME:
            self._link.received(data, addr[:2])
        else:
            self._link.counts["malformed"] += 1

    def error_received(self, exc: Exception) -> None:
        """A node's host said that nobody listens: the node is away, the socket is well."""
        self._link.counts["unreachable"] += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self._link.lost(f"the socket broke ({exc})" if exc else "closed")
        if not self._closed.done():
            self._closed.set_result(None)

    def pause_writing(self) -> None:
        """Called by asyncio when the network takes no more for now."""
        self._full = True

    def resume_writing(self) -> None:
        """Called by asyncio when it does again."""
        self._full = False

    def send(self, frame: bytes, to: Address) -> None:
        """Send one frame, or drop it when the network takes no more."""
        if self._transport is None or self._full:
            self._link.counts["unsent"] += 1
        else:
            self._transport.sendto(frame, to)

    async def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()
            await self._closed


async def open_udp(link: Link, host: str, port: int) -> UdpCarrier:
    """Listen on ``host`` and ``port`` (0 for any). Raises LinkLost when that cannot be."""
    loop = asyncio.get_running_loop()
    try:
        transport, carrier = await loop.create_datagram_endpoint(lambda: UdpCarrier(link), local_addr=(host, port))
    except OSError as error:
        raise LinkLost(f"cannot listen on UDP {host} port {port} ({error.strerror or error})") from None
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    return carrier
