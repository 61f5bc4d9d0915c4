"""What a site enters for one loudspeaker."""

from __future__ import annotations

from typing import Annotated

import msgspec

from hub.sdk import Text

DOMAIN = "axis_speaker"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the loudspeaker is and as whom it is spoken to."""

    name: Text
    url: str
    """``http://`` or ``https://`` and the host, with a port where it is not the usual one; no path."""
    user: str
    """A user of the device; its role must allow it to transmit audio."""
    password: str
    chime: Annotated[str, msgspec.Meta(max_length=100)] = ""
    """Name of a clip stored in the device that is played before the speech; empty for none."""
    chime_s: Annotated[float, msgspec.Meta(ge=0, le=10)] = 2.0
    """Seconds that the clip takes: the device does not tell, and takes no speech meanwhile."""
    timeout_s: Annotated[float, msgspec.Meta(ge=1, le=60)] = 10.0
    """Seconds for a connection, and for the answer after the last of the sound."""
