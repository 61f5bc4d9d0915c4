"""A lift's Modbus gateway: the eight input registers of ``integrations/modbus/maps/lift_generic.yaml`` by Modbus TCP.

The car stands on the ground floor with its door open until its alarm button is pressed, ``PUT /scene {"alarm": true}``:
then it stands between two floors with its door closed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from integrations.sim.control import scene_routes
from integrations.sim.process import Life, add_address, parser, run
from integrations.sim.web import serving

UNIT, READ_INPUT = 1, 4
#: Registers in their order: floor, direction, door, mode, load, status word.
GROUND = (1, 1, 1, 1, 0, 0)
#: Bits of the status word: alarm button, stopped outside the door zone, person in the car.
TRAPPED = (2, 2, 0, 1, 12, 0b1011)


class Lift:
    """One car behind one gateway."""

    def __init__(self, host: str, port: int) -> None:
        memory = SimData(0, values=list(GROUND), datatype=DataType.REGISTERS)
        self._server = ModbusTcpServer([SimDevice(UNIT, [memory])], address=(host, port))
        self._changes: asyncio.Queue[bool] = asyncio.Queue()
        self.alarm = False

    async def serve(self) -> None:
        """Answer and change until cancelled."""
        await self._server.serve_forever(background=True)
        try:
            while True:
                alarm = await self._changes.get()
                await self._server.async_setValues(UNIT, READ_INPUT, 0, list(TRAPPED if alarm else GROUND))
        finally:
            await self._server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus left it so

    def press(self, alarm: bool) -> None:
        """Press the alarm button, or have help come."""
        self.alarm = alarm
        self._changes.put_nowait(alarm)


async def live(arguments: argparse.Namespace, life: Life) -> None:
    """Run the gateway until cancelled."""
    lift = Lift(arguments.modbus.host, arguments.modbus.port)
    routes = scene_routes("alarm", lift.press, lambda: {"alarm": lift.alarm})
    async with serving(routes, arguments.control) as port, asyncio.TaskGroup() as group:
        group.create_task(lift.serve())
        life.ready(control=port, modbus=arguments.modbus.port)


def main() -> int:
    """Read the arguments and run."""
    options = parser("lift", __doc__)
    add_address(options, "--modbus", "where registers are read", "127.0.0.1:5020")
    add_address(options, "--control", "where PUT /scene is taken")
    return run("lift", live, options.parse_args())


if __name__ == "__main__":
    sys.exit(main())
