"""A card reader with a door contact on RS-485: libosdp's peripheral on one end of a pseudo-terminal (OSDP v2)."""

from __future__ import annotations

import os
import tty
from pathlib import Path
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
    """One end of the pair of wires."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port
        os.set_blocking(port, False)

    def read(self, max_bytes: int) -> bytes:
        """Return what has come, if anything."""
        try:
            return os.read(self.port, max_bytes)
        except OSError:
            return b""

    def write(self, buf: bytes) -> int:
        """Send what the line takes."""
        try:
            return os.write(self.port, buf)
        except OSError:
            return 0

    def flush(self) -> None:
        """Nothing is kept back."""


def card(raw: bytes) -> dict[str, Any]:
    """Return the event of a card held to the reader."""
    return {
        "event": Event.CardRead,
        "reader_no": 0,
        "format": CardFormat.Wiegand,
        "direction": 0,
        "length": len(raw) * 8,
        "data": raw,
    }


def status(kind: StatusReportType, raw: bytes) -> dict[str, Any]:
    """Return a status report: of the inputs, or of the reader itself (tamper, power)."""
    return {"event": Event.Status, "type": kind, "report": raw}


def peripheral(port: int, address: int, key: str, inputs: int) -> PeripheralDevice:
    """Return a reader on ``port``, not yet started; with a ``key`` (hexadecimal) it demands the secure channel."""
    capabilities = [(Capability.CardDataFormat, 1, 1), (Capability.Readers, 1, 1)]
    if inputs:
        capabilities.append((Capability.ContactStatusMonitoring, 1, inputs))
    info = PDInfo(
        address,
        Wire(port),
        scbk=bytes.fromhex(key) if key else None,
        flags=[LibFlag.EnforceSecure] if key else [],
    )
    return PeripheralDevice(info, PDCapabilities(capabilities), LogLevel.Critical)


class CardReader:
    """The reader of the demo, in the clear at address 1, with its door contact at input 0."""

    def __init__(self, link: Path) -> None:
        self._link = link
        self._line, self._far = os.openpty()
        tty.setraw(self._far)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(self._far))
        self._device = peripheral(self._line, 1, "", 1)
        self._device.start()
        self.open = False

    def hold_card(self, _held: bool = True) -> None:
        """Hold a card to it."""
        self._device.submit_event(card(b"\x0b\xad\xca\xfe\x42"))

    def change(self, opened: bool) -> None:
        """Open or close the door."""
        self.open = opened
        self.say()

    def say(self) -> None:
        """Report the contact."""
        self._device.submit_event(status(StatusReportType.Input, bytes([self.open])))

    def close(self) -> None:
        """Pull the plug."""
        self._device.stop()
        self._link.unlink(missing_ok=True)
        os.close(self._line)
        os.close(self._far)
