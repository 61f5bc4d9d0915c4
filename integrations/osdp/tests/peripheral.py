"""A reader in a process of its own: libosdp's peripheral on one end of a pseudo-terminal. JSON in, one a line.

``python -m integrations.osdp.tests.peripheral FD ADDRESS KEY INPUTS``; the key may be empty. Lines:
``{"card": "hex"}``, ``{"keys": "hex"}``, ``{"local": "hex"}``, ``{"inputs": "hex"}``, ``{"pause": true}``,
``{"noise": bytes}``.
"""

from __future__ import annotations

import json
import os
import random
import sys
from typing import Any

from osdp import (
    Capability,
    CardFormat,
    Channel,
    Event,
    LibFlag,
    LogLevel,
    PDCapabilities,
    PDInfo,
    PeripheralDevice,
    StatusReportType,
)


class Wire(Channel):  # type: ignore[misc]  # the package has no types
    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port
        os.set_blocking(port, False)

    def read(self, max_bytes: int) -> bytes:
        try:
            return os.read(self.port, max_bytes)
        except OSError:
            return b""

    def write(self, buf: bytes) -> int:
        try:
            return os.write(self.port, buf)
        except OSError:
            return 0

    def flush(self) -> None:
        pass


def event(said: dict[str, Any]) -> dict[str, Any]:
    ((what, data),) = said.items()
    raw = bytes.fromhex(data)
    if what == "card":
        return {
            "event": Event.CardRead,
            "reader_no": 0,
            "format": CardFormat.Wiegand,
            "direction": 0,
            "length": len(raw) * 8,
            "data": raw,
        }
    if what == "keys":
        return {"event": Event.KeyPress, "reader_no": 0, "data": raw}
    kind = StatusReportType.Local if what == "local" else StatusReportType.Input
    return {"event": Event.Status, "type": kind, "report": raw}


def main(port: int, address: int, key: str, inputs: int) -> None:
    capabilities = [(Capability.CardDataFormat, 1, 1), (Capability.Readers, 1, 1)]
    if inputs:
        capabilities.append((Capability.ContactStatusMonitoring, 1, inputs))
    wire = Wire(port)
    info = PDInfo(
        address,
        wire,
        scbk=bytes.fromhex(key) if key else None,
        flags=[LibFlag.EnforceSecure] if key else [],
    )
    device = PeripheralDevice(info, PDCapabilities(capabilities), LogLevel.Critical)
    device.start()
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
