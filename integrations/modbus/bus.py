"""What is asked on the bus and what may come of it. Wire format: MODBUS Application Protocol V1.1b3, section 6."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Protocol

from hub.sdk import DecodeError, DeviceError, Unreachable, Unsupported
from integrations.modbus.config import Kind

#: Most that one request reads (V1.1b3, 6.1 to 6.4).
MOST_BITS, MOST_WORDS = 2_000, 125
_READ: dict[Kind, int] = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
_EXCEPTION = 0x80
#: Exception codes (V1.1b3, section 7).
_NEVER = {1: "it does not know this function", 2: "it has no such address", 3: "it does not take this value"}
_LATER = {
    4: "it has failed",
    5: "it is still at work",
    6: "it is busy",
    8: "its memory is faulty",
    10: "the gateway has no way to it",
    11: "it does not answer the gateway",
}


class Silent(Unreachable):
    """One unit did not answer in time, or only noise came; others may."""


class Lost(Unreachable):
    """The connection or the port is gone."""


@dataclass(frozen=True, slots=True)
class Read:
    """Read ``count`` bits or registers."""

    unit_id: int
    kind: Kind
    address: int
    count: int

    @property
    def pdu(self) -> bytes:
        """Return the message without its frame."""
        return struct.pack(">BHH", _READ[self.kind], self.address, self.count)

    def values(self, answer: bytes) -> tuple[int, ...]:
        """Return bits (0 or 1) or registers (0 to 65535), ``count`` of them. Raises DecodeError."""
        bits = self.kind in {"coil", "discrete"}
        size = (self.count + 7) // 8 if bits else self.count * 2
        if len(answer) != size + 2 or answer[:2] != bytes((_READ[self.kind], size)):
            raise DecodeError(f"expected {size} bytes of {self.kind} values")
        if not bits:
            return struct.unpack(f">{self.count}H", answer[2:])
        return tuple(answer[2 + i // 8] >> i % 8 & 1 for i in range(self.count))


@dataclass(frozen=True, slots=True)
class Write:
    """Write one coil or register (function 5 or 6: value 0 to 65535), or several registers (16)."""

    unit_id: int
    function: int
    address: int
    numbers: tuple[int, ...]

    @property
    def pdu(self) -> bytes:
        """Return the message without its frame."""
        if self.function in {5, 6}:
            return struct.pack(">BHH", self.function, self.address, self.numbers[0])
        count = len(self.numbers)
        return struct.pack(f">BHHB{count}H", self.function, self.address, count, count * 2, *self.numbers)

    def values(self, answer: bytes) -> tuple[int, ...]:
        """Return nothing. Raises DecodeError unless the answer repeats the order (5, 6) or its head (16)."""
        if answer != self.pdu[:5]:
            raise DecodeError("the answer repeats another order")
        return ()


Question = Read | Write
ON, OFF = 0xFF00, 0x0000


def read_answer(question: Question, answer: bytes) -> tuple[int, ...]:
    """Return what ``answer``, a message without its frame, says to ``question``.

    Raises DecodeError for what is no answer to it, Unsupported and Unreachable for the unit's own refusal.
    """
    if len(answer) == 2 and answer[0] == question.pdu[0] | _EXCEPTION:
        raise _refusal(question.unit_id, answer[1])
    return question.values(answer)


def _refusal(unit_id: int, code: int) -> DeviceError:
    if code in _NEVER:
        return Unsupported(f"unit {unit_id} refuses: {_NEVER[code]}")
    return Unreachable(f"unit {unit_id} refuses: {_LATER.get(code, f'exception {code}')}")


class Bus(Protocol):
    """Where questions are asked, one at a time."""

    async def ask(self, question: Question) -> tuple[int, ...]:
        """Return the answer's values. Raises Lost, Silent, and as ``read_answer`` the unit's refusal.

        An answer that does not fit counts as Silent: what was asked is still not known.
        """
        ...
