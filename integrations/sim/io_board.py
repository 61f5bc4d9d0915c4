"""A board for dry contacts by Modbus TCP: discrete inputs, and a relay that lets go by itself.

Its watchdog is a time register: function 6 writes tenths of a second there, for which function 5 closes the relay.
"""

from __future__ import annotations

import asyncio
from typing import Any

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

UNIT, COIL, SECONDS = 1, 0, 40
READ_COILS, READ_INPUTS, WRITE_COIL, WRITE_REGISTER = 1, 2, 5, 6
#: Inputs, coils and registers that it has.
INPUTS, COILS, REGISTERS = 8, 8, 64


class IoBoard:
    """One board at a loopback port."""

    def __init__(self, host: str, port: int) -> None:
        coils = SimData(0, count=COILS, values=False, datatype=DataType.BITS)
        inputs = SimData(0, count=INPUTS, values=False, datatype=DataType.BITS)
        words = [SimData(0, count=REGISTERS, datatype=DataType.REGISTERS) for _ in range(2)]
        device = SimDevice(UNIT, ([coils], [inputs], [words[0]], [words[1]]), action=self._written)
        self._server = ModbusTcpServer([device], address=(host, port))
        self._tenths = 0
        self._changes: asyncio.Queue[tuple[int, int, bool]] = asyncio.Queue()
        self.held = 0
        """How often the relay was closed."""

    async def serve(self) -> None:
        """Answer and change until cancelled."""
        await self._server.serve_forever(background=True)
        try:
            while True:
                function, address, value = await self._changes.get()
                await self._server.async_setValues(UNIT, function, address, [value])
        finally:
            await self._server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus left it so

    def put(self, contact: int, closed: bool) -> None:
        """Close or open one of the contacts at its inputs."""
        self._changes.put_nowait((READ_INPUTS, contact, closed))

    async def _written(self, function: int, *access: Any) -> None:
        """Look at what is written, before it is: the watchdog's time, and the order to close the relay."""
        _, address, _, _, values = access
        if not values:
            return
        if function == WRITE_REGISTER and address == SECONDS:
            self._tenths = int(values[0])
        elif function == WRITE_COIL and address == COIL and values[0]:
            self.held += 1
            asyncio.get_running_loop().call_later(self._tenths / 10, self._let_go)

    def _let_go(self) -> None:
        self._changes.put_nowait((WRITE_COIL, COIL, False))
