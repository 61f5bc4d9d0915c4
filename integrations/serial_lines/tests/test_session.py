"""A board on a pseudo-terminal: it speaks, raves, is pulled out and plugged in again."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

import integrations.serial_lines as integration
from hub.sdk import Connection, Contact, Sample, Text, Tools, Unreachable, Unsupported, Vitals
from integrations.serial_lines.config import Config, Line, Usb
from integrations.serial_lines.port import open_port, pick
from tests.kit.patience import until

LINES = (
    Line(entity="door", text="DOOR 1", means="open"),
    Line(entity="door", text="DOOR 0", means="closed"),
    Line(entity="temp", prefix="T=", means="number", unit="C"),
)


@dataclass
class Hub:
    """Keeps what is reported."""

    tools: Tools
    port: Path
    said: list[Sample] = field(default_factory=list)

    async def report(self, *said: Sample | Vitals) -> None:
        self.said += [sample for sample in said if isinstance(sample, Sample)]

    def of(self, entity: str) -> list[object]:
        return [sample.value for sample in self.said if sample.entity == f"serial_lines.gate_{entity}"]

    async def connect(self, port: str = "") -> Connection:
        config = Config(name=Text("门控板"), port=port or str(self.port), lines=LINES)
        return await integration.connect("gate", config, self.tools)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        connection = await self.connect()
        assert connection.run is not None
        assert connection.close is not None
        task = asyncio.ensure_future(connection.run())
        try:
            yield task
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Unreachable):
                await task
            await connection.close()


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    async with aiohttp.ClientSession() as http:
        made = Hub(Tools(http=http, site=tmp_path, data=tmp_path), tmp_path / "port")
        made.tools = Tools(http=http, site=tmp_path, data=tmp_path, report=made.report)
        yield made


@dataclass
class Board:
    """The far end's process."""

    process: asyncio.subprocess.Process

    async def order(self, *orders: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{order}\n" for order in orders).encode())
        await self.process.stdin.drain()

    async def write(self, data: bytes) -> None:
        await self.order(f"write {data.hex()}")


@asynccontextmanager
async def plugged(hub: Hub) -> AsyncIterator[Board]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(Path(__file__).with_name("board.py")), str(hub.port),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            assert await process.stdout.readline() == b"ready\n"
        yield Board(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def test_lines_are_reported(hub: Hub) -> None:
    async with plugged(hub) as board, hub.running():
        await board.write(b"\nDOOR 1\r\nhello\r\nT=21.5 C\r\nDOO")
        await until(lambda: hub.of("temp") == [21.5])
        await board.write(b"R 0\n")
        await until(lambda: hub.of("door") == [Contact.OPEN, Contact.CLOSED])
        assert hub.of("garbage") == [0]


async def test_the_first_line_after_a_silence_is_whole(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integration, "QUIET", 0.01)
    async with plugged(hub) as board, hub.running():
        await board.order("pause 0.5", f"write {b'DOOR 1'.hex()}0a")
        await until(lambda: hub.of("door") == [Contact.OPEN])


async def test_half_a_first_line_is_not_believed(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integration, "QUIET", 20.0)  # what comes is never late
    async with plugged(hub) as board, hub.running():
        await board.write(b"DOOR 1\nDOOR 0\n")
        await until(lambda: hub.of("door") != [])
    assert hub.of("door") == [Contact.CLOSED]
    assert hub.of("garbage") == [0]


async def test_noise_is_dropped_and_counted(hub: Hub) -> None:
    async with plugged(hub) as board, hub.running():
        await board.write(b"\n" + b"x" * 5_000 + b"\n{\nT=abc\n")
        await until(lambda: hub.of("garbage")[-1:] >= [2])
        await board.order("flood 3000")
        await board.write(b"DOOR 1\n")
        await until(lambda: hub.of("door") == [Contact.OPEN])
        counts = hub.of("garbage")
        assert counts[-1:] >= [1_500]
        assert len(counts) < 15  # noise does not fill the journal


async def test_pulled_out_and_plugged_in_again(hub: Hub) -> None:
    for value in (b"DOOR 1", b"DOOR 0"):
        with pytest.raises(Unreachable, match="not plugged in"):
            await hub.connect()
        async with plugged(hub) as board, hub.running() as task:
            await board.write(b"\n" + value + b"\n")
            await until(lambda value=value: len(hub.of("door")) == 1 + (value == b"DOOR 0"))  # type: ignore[misc]
            board.process.kill()
            with pytest.raises(Unreachable):
                async with asyncio.timeout(20):
                    await task
    assert hub.of("door") == [Contact.OPEN, Contact.CLOSED]


async def test_closing_leaves_nothing_open(hub: Hub) -> None:
    def opened() -> int:
        links = Path("/proc/self/fd").iterdir()
        return sum("/pts/" in str(link.resolve()) for link in links)

    async with plugged(hub) as board:
        before = opened()
        async with hub.running():
            assert opened() == before + 1
            with pytest.raises(Unreachable, match="another program has it"):
                await hub.connect()
            assert opened() == before + 1
        assert opened() == before
        async with hub.running():  # and it can be opened again
            await board.write(b"\nDOOR 1\n")
            await until(lambda: hub.of("door") == [Contact.OPEN])


async def test_a_port_that_is_closed_ends_the_reading(hub: Hub) -> None:
    async with plugged(hub):
        port = await open_port(str(hub.port), 9600)
        reading = asyncio.ensure_future(port.read())
        await port.close()
        with pytest.raises(Unreachable, match="it was closed"):
            await reading
        await port.close()


async def test_what_is_no_serial_port(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("DOOR 1\n")
    for path in ("/dev/null", str(file)):
        with pytest.raises(Unsupported, match="no serial port"):
            await hub.connect(path)
    with pytest.raises(Unreachable):
        await hub.connect(str(tmp_path))
    with pytest.raises(Unsupported, match="the port is a path"):
        await hub.connect("socket://127.0.0.1:1")


async def test_a_missing_extra_is_named(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "serialx", None)
    with pytest.raises(Unsupported, match=r"menshen\[serial\]"):
        await hub.connect()


def test_a_board_is_found_by_its_usb_identity() -> None:
    from serialx import SerialPortInfo

    def port(device: str, vid: int | None, pid: int | None, serial: str | None) -> SerialPortInfo:
        return SerialPortInfo(device, device, vid, pid, serial, None, None, None, None, None)

    ports = [port("/dev/ttyS0", None, None, None), port("/dev/ttyACM0", 0x2341, 0x43, "A"), port("/dev/b", 1, 2, "A")]
    assert pick(ports, Usb(0x2341, 0x43, None)) == pick(ports, Usb(0x2341, 0x43, "A")) == "/dev/ttyACM0"
    with pytest.raises(Unreachable, match="2341:0043"):
        pick(ports, Usb(0x2341, 0x43, "B"))
    with pytest.raises(Unsupported, match="add a serial number"):
        pick([*ports, port("/dev/ttyACM1", 0x2341, 0x43, "B")], Usb(0x2341, 0x43, None))


async def test_no_such_usb_device_on_this_machine() -> None:
    with pytest.raises(Unreachable, match="dead:beef"):
        await open_port(Usb(0xDEAD, 0xBEEF, "nobody"), 9600)
