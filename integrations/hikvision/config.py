"""What a site enters for one camera or one channel of a recorder."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from hub.sdk import Text

DOMAIN = "hikvision"

Event = Literal[
    "motion", "line", "intrusion", "entrance", "loitering", "parking", "falling_object", "tamper", "video_loss"
]  # fmt: skip


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One camera: where it is, what it is asked to report, whether it speaks."""

    name: Text
    address: str
    """``http://host[:port]`` or ``https://host[:port]``."""
    user: str = ""
    password: str = ""
    channel: Annotated[int, msgspec.Meta(ge=1, le=512)] = 1
    """1 for a camera; the number of the input for a recorder."""
    events: Annotated[tuple[Event, ...], msgspec.Meta(max_length=9)] = ()
    """Each becomes an entity; without any, no event stream is opened."""
    speaker: Literal["none", "builtin"] = "none"
    """Whether the camera has a loudspeaker (two-way audio channel 1)."""
    quiet_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 10.0
    """Seconds without a repetition after which an event is over."""
    heartbeat_s: Annotated[float, msgspec.Meta(ge=1, le=300)] = 20.0
    """Seconds between two heartbeats; after three without any, the camera counts as lost."""
    timeout_s: Annotated[float, msgspec.Meta(ge=0.2, le=30)] = 5.0
    """Seconds for one answer."""
