"""One question and what may come back on the wire, frame by frame, from a socket on loopback."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from integrations.modbus.address import Tcp
from integrations.modbus.bus import Lost, Read, Silent
from integrations.modbus.line import Line, open_line

ASKED = Read(1, "holding", 0, 1)
SEEN = b"\x03\x02\x22\x22"


@contextlib.asynccontextmanager
async def line(*answers: bytes, rtu: bool = False, pause: float = 0) -> AsyncIterator[Line]:
    """Open a line to a server that sends ``answers``, ``NN`` in them being the number of the question."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while question := await reader.read(260):
                for answer in answers:
                    writer.write(answer.replace(b"NN", question[:2]))
                    await writer.drain()
                    await asyncio.sleep(pause)
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    opened = await open_line(Tcp("127.0.0.1", server.sockets[0].getsockname()[1], rtu=rtu), timeout=0.3)
    try:
        yield opened
    finally:
        await opened.close()
        server.close()
        async with asyncio.timeout(20):
            while len(asyncio.all_tasks()) > 1:  # noqa: ASYNC110 - the server's side ends with the connection
                await asyncio.sleep(0.01)


def framed(pdu: bytes, number: bytes = b"NN") -> bytes:
    return number + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + b"\1" + pdu


@pytest.mark.parametrize(
    "before",
    [b"", framed(b"\x03\x02\x11\x11", number=b"\xab\xcd"), b"\xff" * 7, b"NN\0\0\0\5"],
    ids=["nothing", "the answer to another question", "noise", "half a header"],
)
async def test_the_answer_to_this_question_counts(before: bytes) -> None:
    async with line(before + framed(SEEN)) as opened:
        if before.endswith(b"\5"):
            with pytest.raises(Silent):
                await opened.ask(ASKED)
        else:
            assert await opened.ask(ASKED) == (0x2222,)
            assert await opened.ask(ASKED) == (0x2222,)


async def test_an_answer_in_pieces() -> None:
    whole = framed(SEEN)
    async with line(*(whole[:2], whole[2:3], whole[3:8], whole[8:])) as opened:
        assert await opened.ask(ASKED) == (0x2222,)


async def test_an_answer_that_does_not_fit_is_none() -> None:
    async with line(framed(b"\x03\x04\x22\x22\x22\x22")) as opened:
        with pytest.raises(Silent, match="wrongly"):
            await opened.ask(ASKED)


@pytest.mark.parametrize("spoilt", [0, 3, 5, 6])
async def test_a_wrong_crc_is_no_answer(spoilt: int) -> None:
    right = bytes.fromhex("010302222220fd")  # unit 1, one register; CRC-16 of the specification, 6.2.2
    async with line(right, rtu=True) as opened:
        assert await opened.ask(ASKED) == (0x2222,)
    wrong = bytearray(right)
    wrong[spoilt] ^= 0x10
    async with line(bytes(wrong), rtu=True) as opened:
        with pytest.raises(Silent):
            await opened.ask(ASKED)


@pytest.mark.parametrize("rtu", [False, True])
async def test_an_answer_that_drips_is_none(rtu: bool) -> None:
    async with line(*(b"\0" for _ in range(100)), rtu=rtu, pause=0.1) as opened, asyncio.timeout(20):
        with pytest.raises((Silent, Lost)):
            await opened.ask(ASKED)


async def test_noise_without_end_ends_the_line() -> None:
    async with line(bytes(10_000_000)) as opened:
        with pytest.raises(Lost, match="noise"):
            await opened.ask(ASKED)
        with pytest.raises(Lost, match="noise"):
            await opened.ask(ASKED)


async def test_many_good_answers_are_no_noise() -> None:
    async with line(framed(SEEN)) as opened:
        for _ in range(1_000):
            assert await opened.ask(ASKED) == (0x2222,)


async def test_nothing_is_asked_on_a_closed_line() -> None:
    async with line(framed(SEEN)) as opened:
        await opened.close()
        with pytest.raises(Lost, match="closed"):
            await opened.ask(ASKED)
