"""What a site enters for one camera."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit, urlunsplit

import msgspec

from hub.sdk import Text, check_address

DOMAIN = "onvif"
#: Where a device's first service lies (ONVIF Core Specification, 5.1.1 "Services").
_DEVICE_SERVICE = "/onvif/device_service"
#: ``line:Gate``: what is detected, and the name of one rule, input or video source of the camera.
Source = Annotated[str, msgspec.Meta(pattern=r"^(motion|line|field|tamper|input):[^\x00-\x1f]{1,64}\Z")]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One camera, or one channel of a recorder (by ``profile``)."""

    name: Text
    url: str
    """``http://`` or ``https://`` with host and port; a path only where it is not /onvif/device_service."""
    user: str = ""
    password: str = ""
    profile: str = ""
    """Token of the media profile; empty takes the first that the camera names."""
    events: bool = True
    sources: Annotated[tuple[Source, ...], msgspec.Meta(max_length=32)] = ()
    """Rules or inputs that become entities of their own."""
    hold_s: Annotated[float, msgspec.Meta(ge=1, le=300)] = 10.0
    """Seconds for which a crossed line is an alarm: the camera tells only the moment."""
    speaker: Literal["none", "backchannel"] = "none"
    """Whether the hub speaks through the camera's stream (Profile T, audio output)."""
    settle_s: Annotated[float, msgspec.Meta(ge=0, le=20)] = 2.0
    """Seconds after a turn until the picture is sharp."""
    turn_s: Annotated[float, msgspec.Meta(ge=0, le=30)] = 10.0
    """Seconds that a turn may take where the camera does not say whether it stands."""
    timeout_s: Annotated[float, msgspec.Meta(ge=0.2, le=20)] = 5.0
    """Seconds for one answer."""


def device_service(config: Config) -> str:
    """Return the address of the device service. Raises Unsupported for a wrong one."""
    check_address(config.url, "http", "https")
    parts = urlsplit(config.url)
    path = parts.path if parts.path not in {"", "/"} else _DEVICE_SERVICE
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
