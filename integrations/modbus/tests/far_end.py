"""The other end, run as a program: three units of pymodbus' server that can lie. Orders and answers are JSON lines.

``python -m integrations.modbus.tests.far_end tcp|rtu+tcp|serial`` says its address first.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import struct
import sys
import termios
import tty
from typing import Any

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import WriteSingleCoilRequest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

UNITS = (1, 2, 3)
SIZE = 256
#: Where the board takes times: Waveshare's flash coils, JYDAM's pairs, a plain register.
FLASH, PAIR, TIMER = 0x200, 3, 40
#: Seconds between the bytes of a slow answer, and before a late one.
DRIP, LATE = 0.05, 0.5


class Coil(WriteSingleCoilRequest):
    """Function 5 that keeps the number it was sent, as relay boards do that take a time there."""

    number = 0

    def decode(self, data: bytes) -> None:
        self.address, self.number = struct.unpack(">HH", data[:4])
        self.bits = [self.number == 0xFF00]

    def encode(self) -> bytes:
        return struct.pack(">HH", self.address, self.number)

    async def datastore_update(self, context: Any, device_id: int) -> ModbusPDU:
        world = World.only
        if self.address >= FLASH:
            world.pulse(device_id, self.address - FLASH, self.number)
        else:
            if self.number == 0xFF00 and world.timer.get(device_id):
                world.pulse(device_id, self.address, world.timer[device_id])
            refused: ModbusPDU | int = await context.async_setValues(device_id, 5, self.address, self.bits)
            if refused:
                return await super().datastore_update(context, device_id)
        answer = Coil(dev_id=device_id, transaction_id=self.transaction_id, address=self.address)
        answer.number = self.number
        return answer


class World:
    """All units, and how each of them lies now."""

    only: World

    def __init__(self, rtu: bool) -> None:
        World.only = self
        self.rtu = rtu
        self.slave: int | None = None
        self.bridge: asyncio.Task[None] | None = None
        self.lies: dict[int, str] = {}
        self.refusals: dict[int, int] = {}
        self.timer: dict[int, int] = {}
        self.heard: list[list[int]] = []
        self.server = ModbusTcpServer(
            [SimDevice(unit, _memory(), action=self._action(unit)) for unit in UNITS],
            framer=FramerType.RTU if rtu else FramerType.SOCKET,
            address=("127.0.0.1", 0),
            ignore_missing_devices=True,
            trace_packet=self._packet,
            trace_pdu=self._pdu,
            custom_pdu=[Coil],
        )

    async def obey(self, order: dict[str, Any]) -> Any:
        do = order.pop("do")
        if do in {"set", "get"}:
            refusals, self.refusals = self.refusals, {}
            try:
                return await self._memory(do, **order)
            finally:
                self.refusals = refusals
        if do == "lie":
            self.lies[order["unit"]] = order["lie"]
        elif do == "refuse":
            self.refusals[order["unit"]] = order["code"]
        elif do == "heard":
            return self.heard
        elif do == "forget":
            self.heard = []
        elif do == "reset":
            await self._calm()
            self.lies, self.refusals, self.timer, self.heard = {}, {}, {}, []
            for unit in UNITS:
                for function, zero in ((5, False), (2, False), (16, 0), (4, 0)):
                    await self.server.async_setValues(unit, function, 0, [zero] * 64)
        return None

    async def _memory(self, do: str, unit: int, function: int, address: int, values: Any = None) -> Any:
        if do == "get":
            return await self.server.async_getValues(unit, function, address)
        return await self.server.async_setValues(unit, function, address, values)

    async def _calm(self) -> None:
        """Wait until a flood has run off."""
        handlers = [handler.transport for handler in self.server.active_connections.values()]
        while any(transport.get_write_buffer_size() for transport in handlers):  # type: ignore[attr-defined] # noqa: ASYNC110
            await asyncio.sleep(0.01)
        if self.slave is not None:
            await asyncio.sleep(0.1)
            termios.tcflush(self.slave, termios.TCIFLUSH)

    def pulse(self, unit: int, coil: int, tenths: int) -> None:
        """Close and open again, as a board's own timer does."""
        loop = asyncio.get_running_loop()
        memory = self.server.context.async_setValues
        loop.create_task(memory(unit, 5, coil, [True]))  # noqa: RUF006 - at once
        loop.call_later(tenths / 10, lambda: loop.create_task(memory(unit, 5, coil, [False])))

    def _action(self, unit: int) -> Any:
        async def action(function: int, *access: Any) -> ExcCodes | None:
            _, address, count, _, values = access
            if values and function == 6 and address == TIMER:
                self.timer[unit] = values[0]
            if values and function == 16 and address == PAIR and count == 2 and values[0] == 4:
                self.pulse(unit, 0, values[1])
            return ExcCodes(self.refusals[unit]) if self.refusals.get(unit) else None

        return action

    def _pdu(self, sending: bool, pdu: ModbusPDU) -> ModbusPDU:
        if not sending:
            self.heard.append([pdu.dev_id, pdu.function_code, pdu.address, pdu.count])
        return pdu

    def _packet(self, sending: bool, data: bytes) -> bytes:
        unit = data[0 if self.rtu else 6] if data else 0
        if sending and unit not in UNITS:
            return b""  # nobody has that number; pymodbus answers for him now and then
        lie = self.lies.get(unit, "") if sending else ""
        return self._lied(lie, data) if lie else data

    def _lied(self, lie: str, data: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        (handler,) = self.server.active_connections.values()
        transport: Any = handler.transport
        if lie == "silence":
            return b""
        if lie == "hangup":
            loop.call_soon(transport.abort)
            return b""
        if lie == "drip":
            for number in range(len(data)):
                loop.call_later(DRIP * (number + 1), transport.write, data[number : number + 1])
            return b""
        if lie == "late":
            loop.call_later(LATE, transport.write, data)
            return b""
        return _spoilt(lie, data, self.rtu)


def _spoilt(lie: str, data: bytes, rtu: bool) -> bytes:
    start = 0 if rtu else 6
    spoilt = {
        "broken": data[:-1] + bytes([data[-1] ^ 0x55]) if rtu else data[:2] + b"\1\1" + data[4:],
        "truncated": data[: len(data) // 2],
        "other unit": data[:start] + bytes([data[start] + 1]) + data[start + 1 :],
        "other function": data[: start + 1] + bytes([data[start + 1] ^ 7]) + data[start + 2 :],
        "flood": b"\x01\x03" * 5_000_000,
        "length": data[:4] + b"\xff\xff" + data[6:],
        "shorter": data[:4] + b"\0\4" + data[6:8] + b"\1" + data[9:10],
    }
    return spoilt[lie]


def _memory() -> tuple[list[SimData], list[SimData], list[SimData], list[SimData]]:
    bits = SimData(0, count=SIZE, values=False, datatype=DataType.BITS)
    words = SimData(0, count=SIZE, datatype=DataType.REGISTERS)
    return [bits], [bits], [words], [words]


async def _bridge(port: int) -> str:
    """Join a pseudo-terminal with the server; return the end that the hub opens."""
    master, slave = os.openpty()
    tty.setraw(slave)
    World.only.slave = slave
    os.set_blocking(master, False)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    asyncio.get_running_loop().add_reader(master, lambda: writer.write(os.read(master, 4096)))

    async def back() -> None:
        while data := await reader.read(4096):
            with contextlib.suppress(BlockingIOError):  # nobody reads: a serial line loses what comes then
                os.write(master, data)

    World.only.bridge = asyncio.create_task(back())
    return os.ttyname(slave)


async def main(mode: str) -> None:
    world = World(rtu=mode != "tcp")
    await world.server.serve_forever(background=True)
    port = world.server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # a server, not a transport
    url = f"serial://{await _bridge(port)}" if mode == "serial" else f"{mode}://127.0.0.1:{port}"
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    _say(url)
    while line := await reader.readline():
        _say(await world.obey(json.loads(line)))


def _say(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
