"""Somebody else's SMP client (smpclient, from PyPI) against a C node that nobody owns."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from smp import packet
from smpclient import SMPClient
from smpclient.generics import error, success
from smpclient.requests.image_management import ImageStatesRead, ImageStatesWrite
from smpclient.requests.os_management import (
    BootloaderInformationRead,
    DateTimeRead,
    DateTimeWrite,
    EchoWrite,
    MCUMgrParametersRead,
    ResetWrite,
)
from smpclient.transport import SMPTransport
from smpclient.transport.udp import SMPUDPTransport

from firmware_bridge.image import parse
from firmware_bridge.tests.small_hub import needs_compiler, open_line, running
from firmware_bridge.tests.test_node_image import SIGNER, image

pytestmark = needs_compiler


class _OnPort(SMPUDPTransport):
    """The client always connects to port 1337; a test's node has another."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    async def connect(self, address: str, timeout_s: float, port: int = 0) -> None:
        await super().connect(address, timeout_s, port or self._port)


class _Line(SMPTransport):
    """A serial line with the framing of the ``smp`` package; smpclient's own wants pyserial, which we do not use."""

    def __init__(self) -> None:
        self._fd = -1
        self._lines: asyncio.Queue[bytes] = asyncio.Queue()
        self._rest = b""

    async def connect(self, address: str, timeout_s: float) -> None:
        self._fd = os.open(address, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        asyncio.get_running_loop().add_reader(self._fd, self._readable)

    async def disconnect(self) -> None:
        asyncio.get_running_loop().remove_reader(self._fd)
        os.close(self._fd)

    def _readable(self) -> None:
        *lines, self._rest = (self._rest + os.read(self._fd, 4096)).split(b"\n")
        for line in lines:
            if line[:2] in {packet.START_DELIMITER, packet.CONTINUE_DELIMITER}:
                self._lines.put_nowait(line + b"\n")

    async def send(self, data: bytes) -> None:
        for line in packet.encode(data):
            while line:
                try:
                    line = line[os.write(self._fd, line) :]
                except BlockingIOError:
                    await asyncio.sleep(0)

    async def receive(self) -> bytes:
        decoder = packet.decode()
        next(decoder)
        while True:
            try:
                decoder.send(await self._lines.get())
            except StopIteration as done:
                return bytes(done.value)

    async def send_and_receive(self, data: bytes) -> bytes:
        await self.send(data)
        return await self.receive()

    @property
    def mtu(self) -> int:
        return 4096


@pytest.mark.parametrize("serial", [False, True], ids=["udp", "pty"])
async def test_a_whole_update_by_smpclient(tmp_path: Path, serial: bool) -> None:
    new = image(b"\x5a" * 20_000)
    async with running(tmp_path, serial=serial, signer=SIGNER) as (node, hub):
        await hub.hello()
        if serial:
            hub.close()  # a line has one reader
        transport: SMPTransport = _Line() if serial else _OnPort(int(node.port))
        async with SMPClient(transport, node.port if serial else "127.0.0.1") as client:
            echo = await client.request(EchoWrite(d="hello"))
            assert success(echo)
            assert echo.r == "hello"
            parameters = await client.request(MCUMgrParametersRead())
            assert success(parameters)
            assert parameters.buf_size == 4104
            loader = await client.request(BootloaderInformationRead())
            assert success(loader)
            assert loader.bootloader == "MCUboot"
            assert error(await client.request(DateTimeRead())), "nobody has set it"
            assert success(await client.request(DateTimeWrite(datetime="2026-11-21T09:30:00")))
            states = await client.request(ImageStatesRead())
            assert success(states)
            assert [(slot.version, slot.active) for slot in states.images] == [("1.0.0", True)]
            offsets = [offset async for offset in client.upload(new)]
            assert offsets[-1] == len(new)
            marked = await client.request(ImageStatesWrite(hash=parse(new).digest))
            assert success(marked)
            assert [slot.pending for slot in marked.images] == [False, True]
            assert success(await client.request(ResetWrite()))
        if serial:
            hub.close = open_line(hub, node.port)
        assert (await hub.hello()).why == "update"
        if serial:
            hub.close()
        async with SMPClient(transport, node.port if serial else "127.0.0.1") as client:
            states = await client.request(ImageStatesRead())
            assert success(states)
            assert [(slot.version, slot.confirmed) for slot in states.images] == [("1.1.0", False), ("1.0.0", True)]
            assert success(await client.request(ImageStatesWrite(confirm=True)))
