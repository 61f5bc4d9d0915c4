"""What a camera detects: the topics of it, where its messages carry the value, and the entity it becomes."""

from __future__ import annotations

from dataclasses import dataclass

from hub.sdk import Alarm, Capability, Presence, Text, Value
from integrations.onvif.tree import Element, find


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of detection. ``topics`` without prefixes; a message may be on one of them or below it."""

    id: str
    capability: Capability
    topics: tuple[str, ...]
    items: tuple[str, ...]
    """Names of the data item that holds true or false."""
    name: Text
    momentary: bool = False
    """A message without such an item says that it happens now; that it is over is never said."""

    def value(self, active: bool) -> Value:
        """Return ``active`` in the words of the capability."""
        if self.capability is Capability.PRESENCE:
            return Presence.PRESENT if active else Presence.ABSENT
        return Alarm.ACTIVE if active else Alarm.CLEAR


#: ONVIF Analytics Service Specification, annex A (rules), Device IO 2.x (inputs), Imaging and Media (video source).
KINDS = (
    Kind(
        "motion",
        Capability.PRESENCE,
        ("RuleEngine/CellMotionDetector/Motion", "RuleEngine/MotionRegionDetector/Motion", "VideoSource/MotionAlarm"),
        ("IsMotion", "State"),
        Text("移动", "motion"),
    ),
    Kind(
        "line",
        Capability.ALARM,
        ("RuleEngine/LineDetector/Crossed", "RuleEngine/CellMotionDetector/LineCross"),  # the second is of Tapo
        ("IsCrossed", "IsLineCross", "State"),
        Text("越线", "line crossed"),
        momentary=True,
    ),
    Kind(
        "field",
        Capability.PRESENCE,
        ("RuleEngine/FieldDetector/ObjectsInside",),
        ("IsInside", "State"),
        Text("区域入侵", "object in field"),
    ),
    Kind(
        "tamper",
        Capability.ALARM,
        ("RuleEngine/TamperDetector/Tamper", "VideoSource/GlobalSceneChange"),
        ("IsTamper", "State"),
        Text("遮挡", "tamper"),
    ),
    Kind(
        "input",
        Capability.ALARM,
        ("Device/Trigger/DigitalInput",),
        ("LogicalState", "State"),
        Text("开关量输入", "digital input"),
    ),
)
BY_ID = {kind.id: kind for kind in KINDS}


def kind_of(topic: str) -> Kind | None:
    """Return the kind of a topic with or without prefixes (``tns1:Device/tns1:Trigger/DigitalInput``)."""
    plain = "/".join(part.rpartition(":")[2] for part in topic.split("/"))
    for kind in KINDS:
        if any(plain == known or plain.startswith(f"{known}/") for known in kind.topics):
            return kind
    return None


def offered(properties: Element) -> tuple[Kind, ...]:
    """Return the kinds in the topic set of a GetEventPropertiesResponse."""
    return tuple(
        kind
        for kind in KINDS
        if any(find(properties, "TopicSet", *topic.split("/")) is not None for topic in kind.topics)
    )
