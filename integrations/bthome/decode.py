"""Reads the service data of UUID 0xFCD2 (https://bthome.io/format): pure, knows no device and no time.

::

    device information   1 byte: bit 0 encrypted, bit 2 speaks only on events, bits 5 to 7 the version, 2
    objects              id, then a value of the length that the id stands for; ids rise
"""

from __future__ import annotations

from collections import Counter

import msgspec

from hub.sdk import Capability, DecodeError, Value
from integrations.bthome.objects import OBJECTS, PACKET_ID, STATES, VARIABLE, Object

#: Most bytes of one service data: an extended advertisement carries 254 (Bluetooth Core 5.4, volume 6, part B, 2.3.4).
MAX_DATA = 254
_VERSION = 2
_ENCRYPTED = 0x01


class Heard(msgspec.Struct, frozen=True):
    """What one advertisement says."""

    values: tuple[tuple[str, Value], ...] = ()
    """Property and value in the order they were sent; the second of a kind is ``<property>_2``."""
    packet: int | None = None
    """Number of the advertisement, 0 to 255, where it has one."""


def is_encrypted(data: bytes) -> bool:
    """Read the device information. Raises DecodeError for another version, no or too many bytes."""
    if not 0 < len(data) <= MAX_DATA:
        raise DecodeError(f"{len(data)} bytes of service data, 1 to {MAX_DATA} are possible")
    if data[0] >> 5 != _VERSION:
        raise DecodeError(f"BTHome version {data[0] >> 5}, only {_VERSION} is read")
    return bool(data[0] & _ENCRYPTED)


def decode(objects: bytes) -> Heard:
    """Read the objects behind the device information. Raises DecodeError.

    An id that is not known ends the reading, and what came before counts: so the format wants it, and so a sensor with
    newer objects keeps working. An object that is cut off, or a binary one that is neither 0 nor 1, makes all of it
    wrong: then nothing tells what is right. A battery above 100 % is how some say that they do not know.
    """
    values: list[tuple[str, Value]] = []
    packet: int | None = None
    seen: Counter[str] = Counter()
    at = 0
    while at < len(objects):
        identity, at = objects[at], at + 1
        if identity in VARIABLE:
            at += 1 + _bytes(objects, at, 1)[0]
            if at > len(objects):
                raise DecodeError(f"object 0x{identity:02X} is cut off")
            continue
        known = OBJECTS.get(identity)
        if known is None:
            break
        raw = _bytes(objects, at, known.size)
        at += known.size
        if identity == PACKET_ID:
            packet = raw[0]
        elif known.capability is not None and not (known.property == "battery" and raw[0] > 100):
            seen[known.property] += 1
            number = seen[known.property]
            values.append((known.property if number == 1 else f"{known.property}_{number}", _value(known, raw)))
    return Heard(tuple(values), packet)


def _bytes(objects: bytes, at: int, size: int) -> bytes:
    raw = objects[at : at + size]
    if len(raw) != size:
        raise DecodeError(f"object 0x{objects[at - 1]:02X} is cut off")
    return raw


def _value(known: Object, raw: bytes) -> Value:
    number = int.from_bytes(raw, "little", signed=known.signed)
    if known.capability is None or known.capability is Capability.MEASURE:
        return float(number * known.factor)
    if number > 1:
        raise DecodeError(f"the {known.property} is {number}, neither 0 nor 1")
    return STATES[known.capability][number]
