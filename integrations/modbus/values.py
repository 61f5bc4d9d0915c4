"""Turns registers into what an entity says. Pure: numbers in, a sample out."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

from hub.sdk import Alarm, Capability, Contact, DecodeError, Presence, Quality, Sample
from integrations.modbus.config import WORDS

if TYPE_CHECKING:
    from hub.sdk import EntityId, Value
    from integrations.modbus.config import Register

_FORMATS = {"u16": ">H", "i16": ">h", "u32": ">I", "i32": ">i", "f32": ">f"}
CAPABILITIES = {
    "contact": Capability.CONTACT,
    "presence": Capability.PRESENCE,
    "alarm": Capability.ALARM,
    "number": Capability.MEASURE,
}
#: Calm and active value of each meaning that is not a number.
_WORDS: dict[str, tuple[Value, Value]] = {
    "contact": (Contact.CLOSED, Contact.OPEN),
    "presence": (Presence.ABSENT, Presence.PRESENT),
    "alarm": (Alarm.CLEAR, Alarm.ACTIVE),
}


def decode(point: Register, entity: EntityId, numbers: tuple[int, ...]) -> Sample:
    """Read ``point`` from its bits or registers. Raises DecodeError for too few, too many, or one out of range.

    What the device does not know (``invalid``, not a number, infinite) has the quality UNKNOWN.
    """
    raw = _raw(point, numbers)
    if raw in point.invalid or not math.isfinite(raw):
        return Sample(entity, None, Quality.UNKNOWN)
    if point.meaning == "number":
        value = raw * point.scale + point.offset
        return Sample(entity, value) if math.isfinite(value) else Sample(entity, None, Quality.UNKNOWN)
    active = raw in point.active if point.active else raw != 0
    return Sample(entity, _WORDS[point.meaning][active != point.inverted])


def _raw(point: Register, numbers: tuple[int, ...]) -> float:
    limit = 1 if point.is_bit else 0xFFFF
    if len(numbers) != WORDS[point.form] or not all(0 <= number <= limit for number in numbers):
        raise DecodeError(f"`{point.key}` is not {WORDS[point.form]} numbers of 0 to {limit}")
    if point.form == "bit":
        return numbers[0] >> (point.bit or 0) & 1
    words = numbers[::-1] if point.swap else numbers
    raw: float = struct.unpack(_FORMATS[point.form], struct.pack(f">{len(words)}H", *words))[0]
    return raw
