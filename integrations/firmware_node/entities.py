"""From the points of a node to entities, and from its events to samples. Pure."""

from __future__ import annotations

import math

from firmware_bridge.messages import Event, Point, PointClass
from hub.sdk import (
    Alarm,
    Capability,
    Contact,
    Entity,
    EntityId,
    Instant,
    Presence,
    Quality,
    Sample,
    Text,
    Vitals,
    clean,
    entity_id,
)
from integrations.firmware_node.config import DOMAIN

#: Year 2100 in microseconds: a clock that says more is not set.
_LATEST = 4_102_444_800_000_000
_KINDS = {
    PointClass.CONTACT: Capability.CONTACT,
    PointClass.PRESENCE: Capability.PRESENCE,
    PointClass.BUTTON: Capability.ALARM,
    PointClass.RELAY: Capability.RELAY,
    PointClass.FIELD: Capability.MEASURE,
    PointClass.TEMPERATURE: Capability.MEASURE,
}


#: What people call the points that nodes of ours have; another one is called as it calls itself.
_CALLED = {"door": "门", "bay": "车位", "relay": "继电器", "button": "按钮", "field": "磁场", "temperature": "温度"}


class Points:
    """All that one node brings: an entity for each of its points, and those that say how the node is."""

    def __init__(self, name: str, words: Text, points: tuple[Point, ...]) -> None:
        self.device = clean(words.zh)
        self._name = name
        self._words = words
        self._points = {point.i: point for point in points}
        self.sensed: dict[int, Entity] = {}
        self.relays: dict[int, Entity] = {}
        for point in points:
            called = Text(_CALLED.get(point.key, point.key), point.key)
            kind = _KINDS.get(point.c)
            if kind is Capability.RELAY:
                self.relays[point.i] = self._entity(f"{point.i}_{point.key}", kind, called)
                self.sensed[point.i] = self._entity(f"{point.i}_{point.key}_on", Capability.ALARM,
                                                    Text(f"{called.zh}接通", f"{called.en} on"))  # fmt: skip
            elif kind is not None:
                unit = clean(point.u, 16) if kind is Capability.MEASURE else ""
                self.sensed[point.i] = self._entity(f"{point.i}_{point.key}", kind, called, unit)
        self.fault = self._entity("fault", Capability.ALARM, Text("自检故障", "Self-test failed"))
        self.tamper = self._entity("tamper", Capability.ALARM, Text("伪造或重放", "Forged or replayed frames"))
        self.clock = self._entity("clock", Capability.ALARM, Text("时钟不准", "Clock is off"))
        self.skew = self._entity("skew", Capability.MEASURE, Text("时钟偏差", "Clock skew"), "s")
        self.refused = self._entity("refused", Capability.MEASURE, Text("拒收帧数", "Frames refused"))
        self.lost = self._entity("lost", Capability.MEASURE, Text("丢失帧数", "Frames lost"))

    @property
    def entities(self) -> tuple[Entity, ...]:
        """Return all that are sensed."""
        return *self.sensed.values(), self.fault, self.tamper, self.clock, self.skew, self.refused, self.lost

    def said(self, event: Event) -> Sample | Vitals | None:
        """Return what an event says, None for a point or a value that the node does not have."""
        point = self._points.get(event.pt)
        if point is None or not (type(event.v) is bool or math.isfinite(event.v)):
            return None
        boolean = point.c in {PointClass.CONTACT, PointClass.PRESENCE, PointClass.BUTTON, PointClass.RELAY}
        if boolean is not (type(event.v) is bool):
            return None
        number = float(event.v)
        if point.c is PointClass.BATTERY:
            return Vitals(self.device, battery=number) if 0 <= number <= 100 else None
        if point.c is PointClass.SIGNAL:
            return Vitals(self.device, signal=number) if -200 <= number <= 0 else None
        at = None if event.t == 0 else event.t * 1000
        entity = self.sensed[event.pt].id
        if not boolean:
            if point.lo < point.hi and not point.lo <= number <= point.hi:
                return Sample(entity, None, Quality.UNKNOWN)  # a value outside its own range is a defect
            return Sample(entity, number, device_at=_instant(at))
        return Sample(entity, _value(point.c, on=bool(event.v)), device_at=_instant(at))

    def _entity(self, what: str, capability: Capability, words: Text, unit: str = "") -> Entity:
        name = Text(
            clean(f"{self._words.zh} {words.zh}"), clean(f"{self._words.en or self._words.zh} {words.en or words.zh}")
        )
        return Entity(_id(self._name, what), capability, name, self.device, unit)


def _id(name: str, what: str) -> EntityId:
    return entity_id(DOMAIN, f"{name}_{what}")


def _value(kind: PointClass, *, on: bool) -> Contact | Presence | Alarm:
    if kind is PointClass.CONTACT:
        return Contact.OPEN if on else Contact.CLOSED
    if kind is PointClass.PRESENCE:
        return Presence.PRESENT if on else Presence.ABSENT
    return Alarm.ACTIVE if on else Alarm.CLEAR


def _instant(at: int | None) -> Instant | None:
    return None if at is None or at >= _LATEST else Instant(at)
