"""One UDP socket to one device: a question, and the answer that carries its number.

The socket is connected, so the system drops what others send, and a closed port is told at once. It answers nobody:
the hub is a client and offers no objects of its own.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from hub.sdk import DecodeError, Unreachable
from integrations.bacnet.answers import Done, Reading, Refusal, Target
from integrations.bacnet.wire import decode, noticed

#: Times that a question is sent: UDP loses some, and the device recognises a repeat by its number (5.4.5).
_TRIES = 2
#: Datagrams that are passed over for one question. Reading a malicious one takes up to 20 ms of the loop.
_MOST_NOISE = 16


class Link(asyncio.DatagramProtocol):
    """Asks one question at a time. ``timeout`` in seconds for each try."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._invoke_id = 0
        self._answer: asyncio.Future[Reading | Refusal | Done] | None = None
        self.notice: Callable[[Target], None] | None = None
        """Called for each object of which the device says that it changed; unset, nothing is listened to."""
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = asyncio.Event()
        self._looked = 0
        """Datagrams since the last question that were looked at for notices."""
        self._noise: list[str] = []
        """What came in place of the answer."""

    async def ask(self, question: Callable[[int], bytes]) -> Reading | Refusal | Done:
        """Send ``question(number)`` and return the answer to it. Raises Unreachable."""
        if self._transport is None or self._transport.is_closing():
            raise Unreachable("the socket is closed")
        self._invoke_id = (self._invoke_id + 1) % 256
        datagram, self._noise, self._looked = question(self._invoke_id), [], 0
        self._answer = asyncio.get_running_loop().create_future()
        try:
            for _ in range(_TRIES):
                self._transport.sendto(datagram)
                await asyncio.wait((self._answer,), timeout=self._timeout)
                if self._answer.done():
                    return self._answer.result()
        finally:
            self._answer = None
        heard = f"; what came was {self._noise[-1]}" if self._noise else ""
        raise Unreachable(f"no answer within {_TRIES} times {self._timeout:g} s{heard}")

    async def close(self) -> None:
        """Return when the socket is closed."""
        if self._transport is not None:
            self._transport.abort()
            await self._closed.wait()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """Keep the socket."""
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that the socket is closed."""
        self._fail("the socket was closed")
        self._closed.set()

    def error_received(self, exc: Exception) -> None:
        """Give up at once when the system knows that nobody is there."""
        self._fail(f"nobody there ({type(exc).__name__})")

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Take the answer that is waited for; anything else is noise."""
        if self.notice is not None and self._looked < _MOST_NOISE:
            self._looked += 1
            if (target := noticed(data)) is not None:
                self.notice(target)
                return
        if self._answer is None or self._answer.done():
            return
        try:
            reply = decode(data)
        except DecodeError as error:
            self._pass_over(error.reason)
            return
        if reply.invoke_id == self._invoke_id:
            self._answer.set_result(reply.content)
        else:
            self._pass_over("an answer to another question")

    def _pass_over(self, noise: str) -> None:
        self._noise.append(noise)
        if len(self._noise) > _MOST_NOISE:
            self._fail(f"nothing but noise; the last was {noise}")

    def _fail(self, reason: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Unreachable(reason))


async def open_link(local: tuple[str, int], remote: tuple[str, int], timeout: float) -> Link:
    """Bind and connect a socket. Raises Unreachable.

    The port is shared with other sessions of the hub; the system knows them apart by their devices.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout * _TRIES):
            _, link = await loop.create_datagram_endpoint(
                lambda: Link(timeout), local_addr=local, remote_addr=remote, family=socket.AF_INET, reuse_port=True
            )
    except TimeoutError:
        raise Unreachable(f"the name of the device was not found within {timeout * _TRIES:g} s") from None
    except OSError as error:
        raise Unreachable(
            f"no socket from {local[0]}:{local[1]} to {remote[0]} ({type(error).__name__}): "
            "is the name right, is the port taken by another program?"
        ) from None
    return link
