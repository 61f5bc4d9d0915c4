"""An open bus: one question at a time, on TCP or a serial line.

pymodbus finds and checks the frames. Connection and deadlines are ours: its client connects anew by itself, takes an
answer of the wrong length or function for one, and asks for a serial library that was last released in 2020.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, cast

from pymodbus.framer import FramerBase, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU

from hub.sdk import DecodeError, Unreachable, Unsupported
from integrations.modbus.address import Serial, Tcp
from integrations.modbus.bus import Lost, Question, Silent, read_answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

#: Seconds to connect.
_CONNECT = 5.0
#: Seconds until a closed connection is given up on.
_CLOSE = 2.0
#: Longest frame of each kind (MODBUS Messaging on TCP/IP 1.0b, 3.1.3; Modbus over Serial Line 1.02, 2.5.1).
_LONGEST_TCP, _LONGEST_RTU = 260, 256
#: Bytes without a single good answer after which the line is given up.
_NOISE = 8_192
#: Functions that are asked; the framer looks for the answers of no others.
_FUNCTIONS = (1, 2, 3, 4, 5, 6, 16)
_HEADER = 8

# It would write a line for every bad frame of every poll; the session tells of a loss once.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL + 1)


def _framer(*, rtu: bool) -> FramerBase:
    decoder = DecodePDU(is_server=False)
    decoder.pdu_table = {code: DecodePDU.pdu_table[code] for code in _FUNCTIONS}
    return FramerRTU(decoder) if rtu else FramerSocket(decoder)


class Line(asyncio.Protocol):
    """Implements ``Bus``. ``timeout`` in seconds for an answer, ``quiet`` between frames."""

    def __init__(self, *, rtu: bool, timeout: float, quiet: float = 0.0) -> None:
        self._rtu = rtu
        self._framer = _framer(rtu=rtu)
        self._timeout = timeout
        self._quiet = quiet
        self._transport: asyncio.Transport | None = None
        self._lost = "not connected"
        self._gone = asyncio.Event()
        self._lock = asyncio.Lock()
        self._number = 0
        self._question: Question | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._buffer = bytearray()
        self._noise = 0

    async def ask(self, question: Question) -> tuple[int, ...]:
        """See ``Bus.ask``."""
        async with self._lock:
            if self._quiet:
                await asyncio.sleep(self._quiet)
            if self._transport is None or self._lost:
                raise Lost(self._lost)
            self._number = self._number % 0xFFFF + 1
            self._buffer.clear()
            self._question = question
            self._answer = asyncio.get_running_loop().create_future()
            self._transport.write(self._framer.encode(question.pdu, question.unit_id, self._number))
            try:
                async with asyncio.timeout(self._timeout):
                    return read_answer(question, await self._answer)
            except TimeoutError:
                raise Silent(f"unit {question.unit_id} does not answer within {self._timeout:g} s") from None
            except DecodeError as error:
                raise Silent(f"unit {question.unit_id} answers wrongly: {error.reason}") from None
            finally:
                self._answer = self._question = None

    async def close(self) -> None:
        """Let the port or connection go; nothing of it is left afterwards."""
        if self._transport is None:
            return
        self._end("closed")
        async with asyncio.timeout(_CLOSE):
            await self._gone.wait()
            closed: Callable[[], Awaitable[None]] | None = getattr(self._transport, "wait_closed", None)
            if closed is not None:  # serialx closes its port in a task
                await closed()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport, self._lost = cast("asyncio.Transport", transport), ""

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits for an answer."""
        self._end("the connection was closed" if exc is None else f"the connection broke ({type(exc).__name__})")
        self._gone.set()

    def data_received(self, data: bytes) -> None:
        """Take what answers the question; all else is noise, of which a line bears only so much."""
        self._noise += len(data)
        if self._noise > _NOISE:
            self._end("nothing but noise on the line")
        elif self._question is not None and self._answer is not None and not self._answer.done():
            self._buffer += data
            self._search(self._question, self._answer)

    def _search(self, question: Question, answer: asyncio.Future[bytes]) -> None:
        while self._buffer:
            if not self._rtu and not _plausible(self._buffer):
                del self._buffer[0]  # the rest of a broken frame: look for the next one
                continue
            used, unit_id, number, pdu = self._framer.decode(bytes(self._buffer))
            if not used:
                longest = _LONGEST_RTU if self._rtu else _LONGEST_TCP
                if len(self._buffer) > longest:
                    self._buffer.clear()
                return
            del self._buffer[:used]
            if pdu and unit_id == question.unit_id and (self._rtu or number == self._number):
                self._noise = 0
                self._buffer.clear()
                answer.set_result(bytes(pdu))

    def _end(self, reason: str) -> None:
        if self._transport is None or self._lost:
            return
        self._lost = reason
        self._transport.abort()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Lost(reason))


def _plausible(buffer: bytearray) -> bool:
    """Check protocol (0) and length (unit and function at least, at most 254) of a header as far as it is there."""
    if len(buffer) < _HEADER:
        return True
    return buffer[2:4] == b"\0\0" and 2 <= int.from_bytes(buffer[4:6], "big") <= _LONGEST_TCP - 6


async def open_line(address: Tcp | Serial, timeout: float) -> Line:
    """Connect. Raises Unreachable, and Unsupported where the extra is missing or the port cannot do what is asked."""
    if isinstance(address, Serial):
        return await _open_serial(address, lambda: Line(rtu=True, timeout=timeout, quiet=address.quiet))
    try:
        async with asyncio.timeout(_CONNECT):
            _, line = await asyncio.get_running_loop().create_connection(
                lambda: Line(rtu=address.rtu, timeout=timeout), address.host, address.port
            )
    except TimeoutError:
        raise Unreachable(f"no connection within {_CONNECT:g} s") from None
    except (OSError, UnicodeError) as error:  # a host name that cannot be encoded
        raise Unreachable(f"no connection ({type(error).__name__})") from None
    return line


async def _open_serial(address: Serial, line: Callable[[], Line]) -> Line:
    try:
        import termios

        import serialx
    except ImportError:
        raise Unsupported("serial lines need serialx: install Menshen with the extra menshen[serial]") from None
    try:
        async with asyncio.timeout(_CONNECT):
            _, opened = await serialx.create_serial_connection(
                asyncio.get_running_loop(),
                line,
                address.path,
                address.baudrate,
                serialx.Parity(address.parity),
                serialx.StopBits(address.stopbits),
            )
    except TimeoutError:
        raise Unreachable(f"the port did not open within {_CONNECT:g} s") from None
    except serialx.UnsupportedSetting:
        raise Unsupported("the port does not do these settings") from None
    except PermissionError:
        raise Unreachable("the hub may not open the port; its user belongs into the group dialout") from None
    except (OSError, serialx.SerialException, termios.error) as error:
        raise Unreachable(f"the port does not open ({type(error).__name__})") from None
    return cast("Line", opened)
