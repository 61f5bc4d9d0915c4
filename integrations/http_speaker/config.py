"""What a site enters for one loudspeaker."""

from __future__ import annotations

from typing import Annotated

import msgspec

from hub.sdk import Text

DOMAIN = "http_speaker"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the clip is sent and as whom."""

    name: Text
    url: str
    """Address that takes the clip, ``http://`` or ``https://``; its own query stays."""
    user: str = ""
    password: str = ""
    timeout_s: Annotated[float, msgspec.Meta(ge=1, le=60)] = 10.0
    """Seconds for the upload and its answer."""
