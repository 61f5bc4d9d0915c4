"""What a site enters for one camera."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from hub.sdk import Text, Unsupported

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


def check_address(url: str, *schemes: str) -> None:
    """Raise Unsupported unless ``url`` has one of ``schemes``, a host, and no password that would end up in logs."""
    try:
        parts = urlsplit(url)
        host, _port, user = parts.hostname, parts.port, parts.username
    except ValueError:
        raise Unsupported("the address is not a valid URL") from None
    if parts.scheme not in schemes or not host:
        raise Unsupported(f"the address must begin with {' or '.join(f'{scheme}://' for scheme in schemes)} and a host")
    if user is not None:
        raise Unsupported("enter user and password in their own fields, not in the address")
