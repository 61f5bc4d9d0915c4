"""Slow, silent and many clients (S21): they are cut or limited, and whoever else asks is answered."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from hub.web.gate import Gate
from hub.web.live import MOST
from hub.web.server import GATE, application, listen
from tests.kit.office import Office, bearer, office

pytestmark = pytest.mark.timeout(120)

POST = b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nX-Menshen: 1\r\n"


class Front:
    """The page's server as the hub runs it, behind its gate, with limits of the test's own."""

    def __init__(self, office: Office, port: int, gate: Gate) -> None:
        self.office, self.port, self.gate = office, port, gate

    async def ask(self) -> float:
        """Return the seconds that an ordinary request takes."""
        began = time.perf_counter()
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{self.port}/api/v1/site", headers=bearer("token-of-viewer")) as answer,
        ):
            assert answer.status == 200
            await answer.read()
        return time.perf_counter() - began


async def front(folder: Path, stack: AsyncExitStack, gate: Gate) -> Front:
    found = await stack.enter_async_context(office(folder))
    app = application(found.context, folder / "ui")
    app[GATE] = gate
    runner = web.AppRunner(app, shutdown_timeout=0.1, lingering_time=0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    server = await listen(runner, "127.0.0.1", 0)
    stack.callback(server.close)
    stack.push_async_callback(found.context.live.close)
    return Front(found, server.sockets[0].getsockname()[1], gate)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as made:
        yield made


async def closed(reader: asyncio.StreamReader, within: float = 10) -> bytes:
    """Return all that came until the other side closed."""
    async with asyncio.timeout(within):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


@pytest.mark.parametrize(
    "sent", [b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\nX-a: "], ids=["silent", "a byte", "a header"]
)
async def test_a_request_that_does_not_come_is_cut(sent: bytes, tmp_path: Path, stack: AsyncExitStack) -> None:
    there = await front(tmp_path, stack, Gate(first=0.3))
    reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
    writer.write(sent)
    assert await closed(reader) == b""
    assert there.gate.refused == 1
    writer.close()
    await there.ask()


async def test_a_header_byte_by_byte_is_cut_all_the_same(tmp_path: Path, stack: AsyncExitStack) -> None:
    there = await front(tmp_path, stack, Gate(first=0.3))
    reader, writer = await asyncio.open_connection("127.0.0.1", there.port)

    async def drip() -> None:
        for byte in b"GET / HTTP/1.1\r\n" + b"X-a: b\r\n" * 10_000:
            writer.write(bytes((byte,)))
            await asyncio.sleep(0.005)

    dripping = asyncio.create_task(drip())
    assert await closed(reader) == b""
    dripping.cancel()
    writer.close()
    assert there.gate.refused == 1


async def test_a_connection_that_asked_may_stay(tmp_path: Path, stack: AsyncExitStack) -> None:
    there = await front(tmp_path, stack, Gate(first=0.3))
    reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
    for _ in range(2):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b'{"up":true}')
        await asyncio.sleep(0.4)  # longer than the time for the first request, which is over
    assert there.gate.refused == 0
    writer.close()


async def test_one_address_has_so_many_connections(tmp_path: Path, stack: AsyncExitStack) -> None:
    there = await front(tmp_path, stack, Gate(most_here=20))
    links = [await asyncio.open_connection("127.0.0.1", there.port) for _ in range(60)]
    ends = await asyncio.gather(*(closed(reader) for reader, _ in links[20:]))
    assert len(ends) == there.gate.refused == 40
    links[0][1].close()
    await links[0][1].wait_closed()
    async with asyncio.timeout(20):
        while True:  # a place is free again as soon as the server knows
            try:
                await there.ask()
                break
            except aiohttp.ClientError:
                await asyncio.sleep(0.01)
    for _, writer in links[1:]:
        writer.close()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-a: " + b"a" * 20_000 + b"\r\n\r\n", 400),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nX-Menshen: 1\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), 400),
    ],
    ids=["header", "path", "length", "smuggling", "minus", "two lengths", "version", "TLS at HTTP"],
)
async def test_large_and_broken_heads(head: bytes, status: int, tmp_path: Path, stack: AsyncExitStack) -> None:
    there = await front(tmp_path, stack, Gate(first=3))
    reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
    writer.write(head + b" " * 70_000 if status == 413 else head)
    async with asyncio.timeout(10):
        said = await reader.read(200)
    assert int(said.split(b" ")[1]) == status, said
    assert b"Traceback" not in said
    writer.close()
    await there.ask()


async def test_pages_that_never_read_hold_nobody_up(tmp_path: Path, stack: AsyncExitStack) -> None:
    """More sockets than are served, none of which ever reads; then ordinary requests, and a change to tell."""
    there = await front(tmp_path, stack, Gate())
    ask = (
        f"GET /api/v1/ws HTTP/1.1\r\nHost: 127.0.0.1:{there.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Authorization: {bearer('token-of-viewer')['Authorization']}\r\n\r\n"
    ).encode()
    subscribe = b'{"subscribe":["incidents","zones","site"]}'
    frame = bytes((0x81, 0x80 | len(subscribe))) + bytes(4) + subscribe  # masked with zeros (RFC 6455 5.3)
    silent: list[socket.socket] = []
    loop = asyncio.get_running_loop()
    try:
        for _ in range(MOST + 50):
            link = socket.socket()
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
            link.setblocking(False)
            silent.append(link)
            await loop.sock_connect(link, ("127.0.0.1", there.port))
            await loop.sock_sendall(link, ask + frame)
        took = []
        for _ in range(20):
            there.office.context.live.problems_changed()
            took.append(await there.ask())
        print(f"beside {len(silent)} silent pages: {max(took) * 1e3:.0f} ms at most")  # noqa: T201 - a figure
        answers = [await loop.sock_recv(link, 12) for link in silent]
        assert answers.count(b"HTTP/1.1 101") == MOST
        assert answers.count(b"HTTP/1.1 503") == 50
    finally:
        for link in silent:
            link.close()
