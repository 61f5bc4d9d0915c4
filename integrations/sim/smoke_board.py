"""A smoke detector behind a microcontroller that prints lines on a serial port: a pseudo-terminal under a fixed name.

``SMOKE 1`` and ``SMOKE 0`` when the scene changes, and again every few seconds; ``VOLT 3.28`` besides.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import tty
from pathlib import Path

from integrations.sim.control import scene_routes
from integrations.sim.process import Life, add_address, parser, run
from integrations.sim.web import serving

#: Seconds between two lines when nothing changes.
REPEAT = 5.0


class Board:
    """What prints on the line. Nobody need listen: what the line does not take is lost, as on a wire."""

    def __init__(self, link: Path) -> None:
        self._link = link
        self._line, self._far = os.openpty()
        tty.setraw(self._far)
        os.set_blocking(self._line, False)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(self._far))
        self.smoke = False

    def change(self, smoke: bool) -> None:
        """Smoke appears, or is gone."""
        self.smoke = smoke
        self.say()

    def say(self) -> None:
        """Print the state."""
        with contextlib.suppress(BlockingIOError):  # nobody reads, and the line is full
            os.write(self._line, f"SMOKE {int(self.smoke)}\r\nVOLT 3.28\r\n".encode())

    def close(self) -> None:
        """Pull the plug."""
        self._link.unlink(missing_ok=True)
        os.close(self._line)
        os.close(self._far)


async def live(arguments: argparse.Namespace, life: Life) -> None:
    """Print until cancelled."""
    board = Board(arguments.link)
    try:
        async with serving(
            scene_routes("smoke", board.change, lambda: {"smoke": board.smoke}), arguments.control
        ) as port:
            life.ready(control=port)
            while True:
                board.say()
                await asyncio.sleep(REPEAT)
    finally:
        board.close()


def main() -> int:
    """Read the arguments and run."""
    options = parser("smoke_board", __doc__)
    add_address(options, "--control", "where PUT /scene is taken")
    options.add_argument("--link", type=Path, required=True, metavar="PATH", help="name of the serial port")
    return run("smoke_board", live, options.parse_args())


if __name__ == "__main__":
    sys.exit(main())
