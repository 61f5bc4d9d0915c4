"""Runs the blocking client in a thread that ends when its time is over or nobody waits for it any more."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Sequence

from hub.sdk import Unreachable
from integrations.email.config import Config


async def send(config: Config, context: ssl.SSLContext | None, to: Sequence[str], mail: bytes) -> dict[str, int]:
    """Do what ``client.deliver`` does, within ``timeout_s``. Raises DeviceError."""
    try:
        async with asyncio.timeout(config.timeout_s):
            return await _send(config, context, to, mail)
    except TimeoutError:
        raise Unreachable(f"the mail server did not finish within {config.timeout_s:g} s") from None


async def _send(config: Config, context: ssl.SSLContext | None, to: Sequence[str], mail: bytes) -> dict[str, int]:
    from integrations.email.client import deliver  # smtplib is loaded when there is a mail

    sock = await _dial(config.host, config.port)
    sock.setblocking(True)  # without a time of its own: a server that drips would never use it up
    with sock.dup() as grip:  # the client wraps its own in TLS; this one stays on the same connection
        work = asyncio.ensure_future(asyncio.to_thread(deliver, config, context, sock, to, mail))
        try:
            return await asyncio.shield(work)
        finally:
            with contextlib.suppress(OSError):
                grip.shutdown(socket.SHUT_RDWR)  # wakes the thread, whatever it waits for
            await asyncio.gather(work, return_exceptions=True)


async def _dial(host: str, port: int) -> socket.socket:
    """Connect to the first address of ``host`` that answers. Raises Unreachable."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable("the name of the mail server is not known") from None
    for family, kind, protocol, _, address in found:
        with contextlib.ExitStack() as closing:
            sock = closing.enter_context(socket.socket(family, kind, protocol))
            sock.setblocking(False)
            with contextlib.suppress(OSError):
                await loop.sock_connect(sock, address)
                closing.pop_all()
                return sock
    raise Unreachable("nothing answers at the mail server's address")
