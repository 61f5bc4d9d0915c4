"""Reads the address of a bus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from hub.sdk import Unsupported, check_address

#: Registered for Modbus/TCP (MODBUS Messaging on TCP/IP 1.0b, 4.2.2).
PORT = 502
_BAUD = range(300, 1_000_001)


@dataclass(frozen=True, slots=True)
class Tcp:
    """A gateway or device on the network; ``rtu`` for one that passes serial frames on as they are."""

    host: str
    port: int
    rtu: bool


@dataclass(frozen=True, slots=True)
class Serial:
    """A serial line, 8 data bits."""

    path: str
    baudrate: int = 9_600
    parity: Literal["N", "E", "O"] = "N"
    stopbits: Literal[1, 2] = 1

    @property
    def quiet(self) -> float:
        """Return the seconds of silence between frames: 3.5 characters (Modbus over Serial Line 1.02, 2.5.1.1)."""
        return max(3.5 * 11 / self.baudrate, 0.00175)


def parse(url: str) -> Tcp | Serial:
    """Read ``tcp://``, ``rtu+tcp://`` or ``serial:///``. Raises Unsupported."""
    if url.startswith("serial:"):
        return _serial(url)
    check_address(url, "tcp", "rtu+tcp")
    parts = urlsplit(url)
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise Unsupported("a network address ends with its port")
    return Tcp(parts.hostname or "", parts.port or PORT, parts.scheme == "rtu+tcp")


def _serial(url: str) -> Serial:
    parts = urlsplit(url)
    try:
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True)) if parts.query else {}
        baudrate = int(options.pop("baudrate", "9600"))
        stopbits = int(options.pop("stopbits", "1"))
    except ValueError:
        raise Unsupported("baudrate and stopbits are whole numbers") from None
    parity = options.pop("parity", "N")
    if options or parts.fragment:
        raise Unsupported("a serial line has baudrate, parity and stopbits, and no other option")
    if parts.netloc or not parts.path.startswith("/") or "\0" in parts.path:
        raise Unsupported("write the port with three slashes: serial:///dev/ttyUSB0")
    if baudrate not in _BAUD or parity not in {"N", "E", "O"} or stopbits not in {1, 2}:
        raise Unsupported("baudrate 300 to 1000000, parity N, E or O, stopbits 1 or 2")
    return Serial(parts.path, baudrate, parity, stopbits)  # type: ignore[arg-type]  # checked on the line before
