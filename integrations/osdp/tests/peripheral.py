"""A reader in a process of its own: libosdp's peripheral on one end of a pseudo-terminal. JSON in, one a line.

``python -m integrations.osdp.tests.peripheral FD ADDRESS KEY INPUTS``; the key may be empty. Lines:
``{"card": "hex"}``, ``{"keys": "hex"}``, ``{"local": "hex"}``, ``{"inputs": "hex"}``, ``{"pause": true}``,
``{"noise": bytes}``. Says a line when it listens: importing may take longer than a panel waits.
"""

from __future__ import annotations

import json
import os
import random
import sys
from typing import Any

from osdp import Event, StatusReportType

from integrations.sim import card_reader


def event(said: dict[str, Any]) -> dict[str, Any]:
    ((what, data),) = said.items()
    raw = bytes.fromhex(data)
    if what == "card":
        return card_reader.card(raw)
    if what == "keys":
        return {"event": Event.KeyPress, "reader_no": 0, "data": raw}
    return card_reader.status(StatusReportType.Local if what == "local" else StatusReportType.Input, raw)


def main(port: int, address: int, key: str, inputs: int) -> None:
    device = card_reader.peripheral(port, address, key, inputs)
    device.start()
    print("listening", flush=True)  # noqa: T201 - the test reads it
    for line in sys.stdin:
        said = json.loads(line)
        if "noise" in said:
            chance = random.Random(said["noise"])
            os.set_blocking(port, True)
            os.write(port, chance.randbytes(said["noise"]))
            os.set_blocking(port, False)
        elif "pause" in said:
            device.stop() if said["pause"] else device.start()
        else:
            device.submit_event(event(said))
    device.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
