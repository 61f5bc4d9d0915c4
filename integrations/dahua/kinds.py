"""The events that become entities."""

from __future__ import annotations

from dataclasses import dataclass

from hub.sdk import Alarm, Capability, Presence, Text
from integrations.dahua.config import Kind


@dataclass(frozen=True, slots=True)
class Meaning:
    """One configured event: what the camera calls it and what it is to the hub."""

    codes: tuple[str, ...]
    name: Text
    capability: Capability = Capability.PRESENCE
    whole_device: bool = False
    """The index that comes with it is no channel."""

    def value(self, *, active: bool) -> Presence | Alarm:
        """Return the value of an entity of this kind."""
        if self.capability is Capability.PRESENCE:
            return Presence.PRESENT if active else Presence.ABSENT
        return Alarm.ACTIVE if active else Alarm.CLEAR


#: Codes of "DAHUA HTTP API", "Subscribe to Event Message" and "Get Indexes of Events Happened".
KINDS: dict[Kind, Meaning] = {
    "motion": Meaning(("VideoMotion",), Text("移动侦测", "motion")),
    "human": Meaning(("SmartMotionHuman",), Text("人形", "human")),
    "vehicle": Meaning(("SmartMotionVehicle",), Text("机动车", "vehicle")),
    "line": Meaning(("CrossLineDetection",), Text("绊线入侵", "line crossing")),
    "intrusion": Meaning(("CrossRegionDetection",), Text("区域入侵", "intrusion")),
    "loitering": Meaning(("WanderDetection",), Text("徘徊", "loitering")),
    "parking": Meaning(("ParkingDetection",), Text("停车", "parking")),
    "tamper": Meaning(("VideoBlind",), Text("遮挡", "tampering"), Capability.ALARM),
    "video_loss": Meaning(("VideoLoss",), Text("视频丢失", "video loss"), Capability.ALARM),
    "storage": Meaning(
        ("StorageFailure", "StorageNotExist"), Text("存储异常", "storage fault"), Capability.ALARM, whole_device=True
    ),
}


def codes(events: tuple[Kind, ...]) -> tuple[str, ...]:
    """Return the codes to ask the camera for."""
    return tuple(code for event in events for code in KINDS[event].codes)
