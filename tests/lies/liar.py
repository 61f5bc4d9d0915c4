"""A device on the loopback that speaks HTTP and lies in one way; it knows who asked it, and with what."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import StrEnum

#: Where a redirect leads: the metadata of a cloud, the classic aim of a forged request.
METADATA = "169.254.169.254"
HUGE = 10 * 1024 * 1024


class Lie(StrEnum):
    """How a far end lies (issue 4, "bad input")."""

    TRUNCATED = "truncated frames"
    CORRUPT = "wrong CRC or garbage"
    HUGE = "10 MB body"
    DRIP = "slow drip"
    WRONG_AUTH = "wrong auth"
    REDIRECT = "redirect to 169.254.169.254"
    CERTIFICATE = "certificate errors"


@dataclass
class Liar:
    """One that listens. ``asked`` are the heads of the requests that could be read."""

    lie: Lie
    url: str = ""
    asked: list[bytes] = field(default_factory=list)
    lines: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = field(default_factory=dict)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Lie once to whoever connects, then hang up."""
        self.lines[writer] = asyncio.current_task()
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            self.asked.append(await reader.readuntil(b"\r\n\r\n"))
            match self.lie:
                case Lie.TRUNCATED:
                    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"errcode": 0, "err')
                case Lie.CORRUPT:
                    writer.write(bytes(range(255, -1, -1)) * 4)
                case Lie.HUGE:
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % HUGE)
                    for _ in range(HUGE // 65_536):
                        writer.write(b"7" * 65_536)
                        await writer.drain()
                case Lie.DRIP:
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                    while True:
                        writer.write(b"7")
                        await writer.drain()
                        await asyncio.sleep(0.1)
                case Lie.WRONG_AUTH:
                    challenge = b'WWW-Authenticate: Digest realm="x", nonce="y", qop="auth", algorithm=MD5\r\n'
                    writer.write(b"HTTP/1.1 401 No\r\n" + challenge + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
                case Lie.REDIRECT | Lie.CERTIFICATE:
                    where = f"http://{METADATA}/latest/meta-data/".encode()
                    head = b"HTTP/1.1 302 Found\r\nLocation: " + where
                    writer.write(head + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def lying(lie: Lie, tls: ssl.SSLContext) -> AsyncIterator[Liar]:
    """Listen on a free port, by TLS where the certificate is the lie."""
    liar = Liar(lie)
    context = tls if lie is Lie.CERTIFICATE else None
    server = await asyncio.start_server(liar.answer, "127.0.0.1", 0, ssl=context)
    scheme = "http" if context is None else "https"
    liar.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield liar
    finally:
        server.close()
        for writer in liar.lines:
            writer.transport.abort()
        await asyncio.wait_for(asyncio.gather(*filter(None, liar.lines.values()), return_exceptions=True), 5)
        await server.wait_closed()
