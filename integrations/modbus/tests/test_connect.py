"""What cannot work is refused at once with a reason; what may work later is Unreachable; nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
from pathlib import Path
from typing import Any

import pytest

from hub.sdk import DeviceError, Unreachable, Unsupported
from integrations.modbus.tests.site import opened
from tests.kit.patience import until

DOOR: dict[str, Any] = {
    "key": "door", "name": "门", "unit_id": 1, "kind": "discrete", "address": 3, "meaning": "contact"
}  # fmt: skip
RELAY: dict[str, Any] = {"key": "hold", "name": "开门", "unit_id": 1, "coil": 0, "accept_no_watchdog": True}
#: Nobody listens there.
NOWHERE = "tcp://127.0.0.1:1"


async def refused(folder: Path, **fields: Any) -> DeviceError:
    with pytest.raises(DeviceError) as caught:
        async with opened(folder, **fields):
            pass
    return caught.value


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "nothing to read"),
        ({"points": [DOOR, DOOR]}, "key of its own"),
        ({"points": [DOOR | {"key": "hold_stuck"}], "relays": [RELAY]}, "key of its own"),
        ({"relays": [RELAY | {"accept_no_watchdog": False}]}, "pulse_register"),
        ({"maps": [{"map": "none", "key": "a", "name": "a", "unit_id": 1}]}, "no register map"),
        (
            {"maps": [{"map": "lift_generic", "key": f"l{n}", "name": "a", "unit_id": 1} for n in range(64)],
             "points": [DOOR | {"key": f"p{n}"} for n in range(500)]},
            "more than the 1000",
        ),
        ({"points": [DOOR], "url": "http://127.0.0.1"}, "must begin with"),
    ],
)  # fmt: skip
async def test_what_cannot_work_is_refused_without_the_network(
    fields: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    error = await refused(tmp_path, **({"url": NOWHERE} | fields))
    assert isinstance(error, Unsupported)
    assert reason in error.reason


async def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "integrations.modbus.line", raising=False)
    monkeypatch.setitem(sys.modules, "pymodbus.framer", None)
    error = await refused(tmp_path, url=NOWHERE, points=[DOOR])
    assert isinstance(error, Unsupported)
    assert "menshen[modbus]" in error.reason


async def test_a_missing_serial_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "serialx", None)
    error = await refused(tmp_path, url="serial:///dev/ttyUSB0", points=[DOOR])
    assert isinstance(error, Unsupported)
    assert "menshen[serial]" in error.reason


async def test_nobody_there(tmp_path: Path) -> None:
    assert isinstance(await refused(tmp_path, url=NOWHERE, points=[DOOR]), Unreachable)


async def test_ports_that_do_not_open(tmp_path: Path) -> None:
    plain = tmp_path / "file"
    plain.touch()
    for path in (tmp_path / "none", tmp_path, plain):
        assert isinstance(await refused(tmp_path, url=f"serial://{path}", points=[DOOR]), Unreachable)


async def test_a_port_that_another_program_uses(tmp_path: Path) -> None:
    _, second = pty.openpty()
    url = f"serial://{os.ttyname(second)}"
    from integrations.modbus.address import parse
    from integrations.modbus.line import open_line

    line = await open_line(parse(url), 0.1)
    try:
        assert isinstance(await refused(tmp_path, url=url, points=[DOOR]), Unreachable)
    finally:
        await line.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 301 Moved\r\nLocation: http://elsewhere/\r\n\r\n",
        b"\x00" * 100,
        b"\x00\x01\x00\x00\x00\x06" * 20,
        b"\x00\x01\x00\x00\xff\xff\x01\x02",
        bytes(range(256)) * 40_000,  # 10 MB
    ],
    ids=["nothing", "HTTP", "zeros", "headers only", "endless", "10 MB"],
)
@pytest.mark.parametrize("scheme", ["tcp", "rtu+tcp"])
async def test_something_else_listens_there(scheme: str, answer: bytes, tmp_path: Path) -> None:
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(answer)
            await reader.read()  # until the other side closes
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()
            ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    assert isinstance(await refused(tmp_path, url=url, points=[DOOR]), Unreachable)
    await until(ended.is_set)
    server.close()
    await server.wait_closed()
