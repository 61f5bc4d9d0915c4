"""Which exposes become entities, and how their values are read (Zigbee2MQTT documentation, "Exposes")."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from hub.sdk import Alarm, Capability, Contact, DecodeError, Presence, Text, Value, clean
from integrations.zigbee2mqtt.wire import Feature, read_feature

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Kind:
    """What a name in ``exposes`` stands for."""

    capability: Capability
    name: Text


KINDS: dict[str, Kind] = {
    "contact": Kind(Capability.CONTACT, Text("门窗", "Contact")),
    "occupancy": Kind(Capability.PRESENCE, Text("有人", "Occupancy")),
    "presence": Kind(Capability.PRESENCE, Text("存在", "Presence")),
    "smoke": Kind(Capability.ALARM, Text("烟雾", "Smoke")),
    "gas": Kind(Capability.ALARM, Text("燃气", "Gas")),
    "carbon_monoxide": Kind(Capability.ALARM, Text("一氧化碳", "Carbon monoxide")),
    "water_leak": Kind(Capability.ALARM, Text("漏水", "Water leak")),
    "tamper": Kind(Capability.ALARM, Text("防拆", "Tamper")),
    "vibration": Kind(Capability.ALARM, Text("振动", "Vibration")),
    "sos": Kind(Capability.ALARM, Text("求助", "SOS")),
    "battery_low": Kind(Capability.ALARM, Text("电量低", "Battery low")),
    "battery": Kind(Capability.MEASURE, Text("电量", "Battery")),
    "linkquality": Kind(Capability.MEASURE, Text("信号质量", "Link quality")),
    "temperature": Kind(Capability.MEASURE, Text("温度", "Temperature")),
    "humidity": Kind(Capability.MEASURE, Text("湿度", "Humidity")),
    "illuminance": Kind(Capability.MEASURE, Text("照度", "Illuminance")),
    "voltage": Kind(Capability.MEASURE, Text("电压", "Voltage")),
}
_ACTIVE: dict[Capability, tuple[Value, Value]] = {
    Capability.PRESENCE: (Presence.PRESENT, Presence.ABSENT),
    Capability.ALARM: (Alarm.ACTIVE, Alarm.CLEAR),
}
#: Bit 0 of ``access``: the property is in the published state.
_PUBLISHED = 1
#: Types whose ``features`` stand in the device's message itself. Those of a composite or a list are nested in it, and
#: name settings (schedules, limits) rather than what is sensed.
_NESTED = frozenset({"composite", "list"})
#: How deep ``features`` are followed; the documented types need one level.
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Property:
    """One entity's place in the device's message."""

    key: str
    capability: Capability
    name: Text
    unit: str
    read: Callable[[object], Value]


def properties(exposes: list[object], notes: list[str], depth: int = 0) -> Iterator[Property]:
    """Yield the properties that become entities; a sentence on each that should but cannot is added to ``notes``."""
    for item in exposes:
        try:
            feature = read_feature(item)
            if feature.features and feature.type not in _NESTED:
                if depth < _DEEPEST:
                    yield from properties(feature.features, notes, depth + 1)
            elif feature.name in KINDS and feature.access & _PUBLISHED and feature.type not in _NESTED:
                yield _property(feature, KINDS[feature.name])
        except DecodeError as error:
            notes.append(error.reason)


def _property(feature: Feature, kind: Kind) -> Property:
    key = feature.property or feature.name
    read: Callable[[object], Value]
    if kind.capability is Capability.MEASURE:
        expected, read = "numeric", partial(_read_number, key)
    else:
        expected, read = "binary", partial(_read_word, key, _words(feature, kind))
    if feature.type != expected:
        raise DecodeError(f"{clean(key, 40)} is of type {clean(feature.type, 20)}, not {expected}")
    name = kind.name
    if key != feature.name:  # one of several of a kind, as temperature_probe
        suffix = clean(key, 40)
        name = Text(f"{name.zh} {suffix}", f"{name.en} {suffix}")
    unit = clean(feature.unit or "", 16) if kind.capability is Capability.MEASURE else ""
    return Property(key, kind.capability, name, unit, read)


def _words(feature: Feature, kind: Kind) -> tuple[tuple[Scalar, Value], ...]:
    """Return the two values on the wire and what they mean."""
    on, off = feature.value_on, feature.value_off
    if kind.capability is Capability.CONTACT:
        # true is documented as "closed", whichever of the two a converter declares as value_on
        if not isinstance(on, bool) or not isinstance(off, bool):
            raise DecodeError(
                f"{clean(feature.name, 40)} is not true or false, so open and closed cannot be told apart"
            )
        return (True, Contact.CLOSED), (False, Contact.OPEN)
    if on is None or off is None or (type(on) is type(off) and on == off):
        raise DecodeError(f"{clean(feature.name, 40)} has no two different values")
    active, calm = _ACTIVE[kind.capability]
    return (on, active), (off, calm)


def _read_word(key: str, words: tuple[tuple[Scalar, Value], ...], raw: object) -> Value:
    for word, value in words:
        if type(word) is type(raw) and word == raw:  # 1 is not true here
            return value
    shown = str(raw) if isinstance(raw, str | int | float) else type(raw).__name__
    raise DecodeError(f"{clean(key, 40)} is {clean(shown, 40)}, which it never declared")


def _read_number(key: str, raw: object) -> Value:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise DecodeError(f"{clean(key, 40)} is not a number")
    try:
        value = float(raw)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise DecodeError(f"{clean(key, 40)} is too large")
    return value
