"""What a site enters for one robot."""

from __future__ import annotations

from typing import Annotated

import msgspec

from hub.sdk import Text

DOMAIN = "dingtalk"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The robot's webhook and its signing key."""

    name: Text
    url: str
    """Address as the robot's settings show it. Its ``access_token`` names the robot."""
    secret: str = ""
    """Key of the signature (``SEC…``); empty for a robot that is secured by a keyword or by addresses."""
    timeout_s: Annotated[float, msgspec.Meta(ge=1, le=30)] = 5.0
    """Seconds for a message and its answer."""
