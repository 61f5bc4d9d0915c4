"""What a site enters for one camera."""

from __future__ import annotations

from typing import Annotated

import msgspec

from hub.sdk import Text

DOMAIN = "generic_camera"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One camera; ``snapshot`` or ``rtsp`` or both."""

    name: Text
    snapshot: str = ""
    """Address of a still picture, ``http://`` or ``https://``."""
    rtsp: str = ""
    """Address of a stream, ``rtsp://`` or ``rtsps://``."""
    user: str = ""
    password: str = ""
    timeout_s: Annotated[float, msgspec.Meta(ge=1, le=30)] = 8.0
    """Seconds for one picture from one of the two addresses."""
