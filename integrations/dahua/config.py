"""What a site enters for one camera or one channel of a recorder."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from hub.sdk import Text

DOMAIN = "dahua"

Kind = Literal[
    "motion", "human", "vehicle", "line", "intrusion", "loitering", "parking", "tamper", "video_loss", "storage"
]  # fmt: skip


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One camera: where it is and what it is asked to report."""

    name: Text
    address: str
    """``http://host[:port]`` or ``https://host[:port]``."""
    user: str = ""
    password: str = ""
    channel: Annotated[int, msgspec.Meta(ge=1, le=512)] = 1
    """1 for a camera; the number of the input for a recorder."""
    events: Annotated[tuple[Kind, ...], msgspec.Meta(max_length=10)] = ()
    """Each becomes an entity; without any, no event stream is opened."""
    quiet_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 10.0
    """Seconds after which a pulse is over. An event with a start lasts until its stop."""
    heartbeat_s: Annotated[int, msgspec.Meta(ge=1, le=60)] = 5
    """Seconds between two heartbeats, asked of the camera; after three without any it counts as lost."""
    timeout_s: Annotated[float, msgspec.Meta(ge=0.2, le=30)] = 5.0
    """Seconds for one answer."""
