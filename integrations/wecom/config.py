"""What a site enters for one robot."""

from __future__ import annotations

from typing import Annotated

import msgspec

from hub.sdk import Text

DOMAIN = "wecom"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The robot's webhook."""

    name: Text
    url: str
    """Address as the robot's settings show it. Whoever knows its ``key`` can write to the group."""
    timeout_s: Annotated[float, msgspec.Meta(ge=1, le=30)] = 5.0
    """Seconds for a message and its answer."""
