"""What a site enters for one loudspeaker."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from hub.sdk import Text, Unsupported

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


def check_address(url: str) -> None:
    """Raise Unsupported unless ``url`` is http(s) with a host, and no password that would end up in logs."""
    try:
        parts = urlsplit(url)
        host, _port, user = parts.hostname, parts.port, parts.username
    except ValueError:
        raise Unsupported("the address is not a valid URL") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise Unsupported("the address must begin with http:// or https:// and a host")
    if user is not None:
        raise Unsupported("enter user and password in their own fields, not in the address")
