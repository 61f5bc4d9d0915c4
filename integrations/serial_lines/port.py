"""Opens a serial port by its path or its USB identity (library serialx, extra ``serial``)."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hub.sdk import Unreachable, Unsupported, clean
from integrations.serial_lines.config import Usb

if TYPE_CHECKING:
    from serialx import SerialPortInfo

#: Seconds to open a port, and to close it.
_LIMIT = 5.0
_REASONS = {
    errno.ENOENT: "it is not plugged in",
    errno.ENXIO: "it is not plugged in",
    errno.ENODEV: "it is not plugged in",
    errno.EIO: "it is not plugged in",
    errno.EBUSY: "another program has it",
    errno.EACCES: "this program's user must be in the group dialout",
}


class Port:
    """An open port."""

    def __init__(self, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._path = path
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        """Return what came, at least one byte. Raises Unreachable when the port is gone."""
        try:
            data = await self._reader.read(4096)
        except OSError as error:
            raise Unreachable(_reason(self._path, error)) from None
        if not data:
            raise Unreachable(f"{clean(self._path)}: it was closed")
        return data

    async def close(self) -> None:
        """Leave no descriptor behind, also when the port is gone."""
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_LIMIT):
                await self._writer.wait_closed()


async def open_port(wanted: str | Usb, baudrate: int) -> Port:
    """Open a port for this program alone. Raises Unreachable, or Unsupported for what is no serial port."""
    try:
        import serialx  # an extra, and slow to import
    except ImportError:
        raise Unsupported("serialx is missing: install Menshen with the extra menshen[serial]") from None
    path = wanted if isinstance(wanted, str) else pick(await serialx.async_list_serial_ports(), wanted)
    try:
        async with asyncio.timeout(_LIMIT):
            reader, writer = await serialx.open_serial_connection(path, baudrate=baudrate)
    except TimeoutError:
        raise Unreachable(f"{clean(path)}: it did not open within {_LIMIT:g} s") from None
    except OSError as error:
        if error.errno in {errno.ENOTTY, errno.EINVAL}:
            raise Unsupported(f"{clean(path)} is no serial port, or does not do {baudrate} baud") from None
        raise Unreachable(_reason(path, error)) from None
    except serialx.SerialException as error:
        raise Unsupported(clean(str(error))) from None
    return Port(path, reader, writer)


def pick(ports: Sequence[SerialPortInfo], wanted: Usb) -> str:
    """Return the path of the one port that ``wanted`` names. Raises Unreachable for none, Unsupported for several."""
    found = [
        port.device
        for port in ports
        if (port.vid, port.pid) == (wanted.vid, wanted.pid) and wanted.serial in {None, port.serial_number}
    ]
    if not found:
        raise Unreachable(f"no USB device {wanted.vid:04x}:{wanted.pid:04x} with that serial number is plugged in")
    if len(found) > 1:
        raise Unsupported(
            f"{len(found)} ports are {wanted.vid:04x}:{wanted.pid:04x}: add a serial number, or use a path"
        )
    return found[0]


def _reason(path: str, error: OSError) -> str:
    return f"{clean(path)}: {_REASONS.get(error.errno or 0, error.strerror or 'it failed')}"
