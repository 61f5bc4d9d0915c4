"""The events that become entities."""

from __future__ import annotations

from dataclasses import dataclass

from hub.sdk import Alarm, Capability, Presence, Text
from integrations.hikvision.config import Event


@dataclass(frozen=True, slots=True)
class Kind:
    """One configured event: what the camera calls it (in small letters) and what it is to the hub."""

    types: tuple[str, ...]
    name: Text
    capability: Capability = Capability.PRESENCE

    def value(self, *, active: bool) -> Presence | Alarm:
        """Return the value of an entity of this kind."""
        if self.capability is Capability.PRESENCE:
            return Presence.PRESENT if active else Presence.ABSENT
        return Alarm.ACTIVE if active else Alarm.CLEAR


#: The values of ``eventType`` (Device Network SDK, Behavior Analysis, developer guide V6.1.4, "XML_EventTrigger";
#: ``shelteralarm`` and ``objectsThrownDetection`` (高空抛物检测) as cameras and recorders list them in their triggers).
KINDS: dict[Event, Kind] = {
    "motion": Kind(("vmd",), Text("移动侦测", "motion")),
    "line": Kind(("linedetection",), Text("越界侦测", "line crossing")),
    "intrusion": Kind(("fielddetection",), Text("区域入侵", "intrusion")),
    "entrance": Kind(("regionentrance",), Text("进入区域", "region entrance")),
    "loitering": Kind(("loitering",), Text("徘徊", "loitering")),
    "parking": Kind(("parking",), Text("停车", "parking")),
    "falling_object": Kind(("objectsthrowndetection",), Text("高空抛物", "falling object"), Capability.ALARM),
    "tamper": Kind(("shelteralarm", "tamperdetection"), Text("遮挡", "tampering"), Capability.ALARM),
    "video_loss": Kind(("videoloss",), Text("视频丢失", "video loss"), Capability.ALARM),
}
