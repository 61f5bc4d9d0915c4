"""What the properties of a lift mean, pure. Numbers of properties and values: ASHRAE 135-2016, clauses 12.59 and 21.

Keys and meanings are those of ``integrations/modbus/maps/lift_generic.yaml``: a lift says the same by either protocol.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.sdk import Alarm, Capability, Contact, DecodeError, Presence, Quality, Text, Value
from integrations.bacnet.answers import Primitive, Refusal, Values
from integrations.bacnet.config import InputConfig, LiftConfig

OUT_OF_SERVICE, PRESENT_VALUE = 81, 85
DOOR, LOAD, LOAD_UNITS, MODE, DIRECTION, POSITION, FAULTS, ALARM = 450, 454, 455, 456, 457, 458, 463, 478

#: BACnetDoorStatus: opened, closing, opening, limited-opened (ajar); closed, safety-locked. The others do not know.
_DOOR = dict.fromkeys((1, 6, 7, 9), Contact.OPEN) | dict.fromkeys((0, 8), Contact.CLOSED)
#: BACnetEngineeringUnits.
_PERCENT, _KILOGRAMS = 98, 39
#: BACnetLiftFault car-stopped-outside-landing-zone.
_OUTSIDE = 8
#: Highest load that can be meant, in percent of the rated one.
_MAX_LOAD = 1_000.0

Said = Mapping[int, Values | Refusal]
#: None: the device itself says that it does not know.
Known = Value | None


@dataclass(frozen=True, slots=True)
class LiftPoint:
    """One entity of a lift. ``read`` raises DecodeError for what cannot be."""

    key: str
    name: Text
    capability: Capability
    read: Callable[[Said, LiftConfig], Known]
    unit: str = ""


def _all(said: Said, prop: int) -> Values:
    values = said.get(prop)
    if values is None or isinstance(values, Refusal):
        raise DecodeError(f"property {prop} is refused")
    return values


def _only(said: Said, prop: int) -> Primitive:
    values = _all(said, prop)
    if len(values) != 1:
        raise DecodeError(f"property {prop} has {len(values)} values")
    return values[0]


def _natural(value: Primitive, limit: int) -> int:
    if type(value) is not int or not 0 <= value <= limit:
        raise DecodeError(f"not a number of 0 to {limit}")
    return value


def _truth(value: Primitive) -> bool:
    if type(value) is not bool:
        raise DecodeError("neither true nor false")
    return value


def _alarm(active: bool) -> Alarm:
    return Alarm.ACTIVE if active else Alarm.CLEAR


def _floor(said: Said, lift: LiftConfig) -> Known:
    """Unsigned8, the lowest floor is 1."""
    position = _natural(_only(said, POSITION), 0xFF)
    if position == 0:
        return None
    floor = lift.lowest_floor + position - 1
    return float(floor + (lift.lowest_floor < 0 <= floor))


def _word(prop: int) -> Callable[[Said, LiftConfig], Known]:
    """Read an enumeration in which 0 is unknown."""

    def read(said: Said, lift: LiftConfig) -> Known:
        number = _natural(_only(said, prop), 0xFFFF)
        return float(number) if number else None

    return read


def _door(said: Said, lift: LiftConfig) -> Known:
    doors = _all(said, DOOR)
    if len(doors) < lift.door:
        raise DecodeError(f"the car has {len(doors)} doors")
    return _DOOR.get(_natural(doors[lift.door - 1], 0xFFFF))


def _load(said: Said, lift: LiftConfig) -> Known:
    load, units = _only(said, LOAD), said.get(LOAD_UNITS)
    if type(load) is bool or load is None:
        raise DecodeError("the load is not a number")
    if units == (_KILOGRAMS,) and lift.rated_kg is not None:
        load = load * 100 / lift.rated_kg
    elif isinstance(units, tuple) and units != (_PERCENT,):
        raise DecodeError(f"the load is in unit {units}: enter rated_kg for kilograms")
    return float(load) if math.isfinite(load) and 0 <= load <= _MAX_LOAD else None


def _passenger(said: Said, lift: LiftConfig) -> Known:
    return _alarm(_truth(_only(said, ALARM)))


def _faults(said: Said) -> frozenset[int]:
    return frozenset(_natural(value, 0xFFFF) for value in _all(said, FAULTS))


LIFT_POINTS = (
    LiftPoint("floor", Text("楼层", "Floor"), Capability.MEASURE, _floor),
    LiftPoint("direction", Text("运行方向", "Direction"), Capability.MEASURE, _word(DIRECTION)),
    LiftPoint("door", Text("轿门", "Car door"), Capability.CONTACT, _door),
    LiftPoint("mode", Text("运行模式", "Mode"), Capability.MEASURE, _word(MODE)),
    LiftPoint("load", Text("载重", "Load"), Capability.MEASURE, _load, "%"),
    LiftPoint("alarm", Text("报警按钮", "Alarm button"), Capability.ALARM, _passenger),
    LiftPoint(
        "stopped",
        Text("停在门区外", "Stopped outside the door zone"),
        Capability.ALARM,
        lambda said, lift: _alarm(_OUTSIDE in _faults(said)),
    ),
    LiftPoint("fault", Text("故障", "Fault"), Capability.ALARM, lambda said, lift: _alarm(bool(_faults(said)))),
)

#: Asked of each lift.
LIFT_PROPERTIES = (POSITION, DIRECTION, DOOR, MODE, LOAD, LOAD_UNITS, ALARM, FAULTS, OUT_OF_SERVICE)
#: Asked of each binary input.
INPUT_PROPERTIES = (PRESENT_VALUE, OUT_OF_SERVICE)

INPUT_CAPABILITIES = {
    "contact": Capability.CONTACT,
    "presence": Capability.PRESENCE,
    "alarm": Capability.ALARM,
}
_INPUT_WORDS: dict[str, tuple[Value, Value]] = {
    "contact": (Contact.CLOSED, Contact.OPEN),
    "presence": (Presence.ABSENT, Presence.PRESENT),
    "alarm": (Alarm.CLEAR, Alarm.ACTIVE),
}


def read_input(said: Said, config: InputConfig) -> Known:
    """Read BACnetBinaryPV: 0 inactive, 1 active. Raises DecodeError."""
    active = _natural(_only(said, PRESENT_VALUE), 1) == 1
    return _INPUT_WORDS[config.meaning][active != config.inverted]


def judge(said: Said, read: Callable[[Said], Known]) -> tuple[Known, Quality]:
    """Return the value and how far it can be trusted.

    What is refused or cannot be is stale. So is an object out of service: its values may be entered by hand then,
    apart from the real lift (12.59, Out_Of_Service).
    """
    try:
        value = read(said)
    except DecodeError:
        return None, Quality.STALE
    if said.get(OUT_OF_SERVICE) == (True,):
        return None, Quality.STALE
    return (None, Quality.UNKNOWN) if value is None else (value, Quality.GOOD)
