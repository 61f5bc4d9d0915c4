"""What a site enters for one loudspeaker or one group of them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from hub.sdk import Text

DOMAIN = "rtp_speaker"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the stream goes and how it is coded."""

    name: Text
    address: Annotated[str, msgspec.Meta(pattern=r"^[\w.-]{1,253}\Z")]
    """IPv4 address or host name of a loudspeaker, or a multicast group (224.0.0.0/4)."""
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 5004
    """UDP port; 5004 is the one registered for RTP (RFC 3551, section 8)."""
    codec: Literal["pcmu", "pcma"] = "pcmu"
    """G.711 µ-law or A-law."""
    ttl: Annotated[int, msgspec.Meta(ge=1, le=255)] = 1
    """Routers a multicast packet may pass, plus one: 1 stays in the local network."""
    interface: str = ""
    """IPv4 address of this machine's own interface to send from; empty leaves it to the routing table."""
