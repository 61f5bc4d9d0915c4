"""What a site may set, and the topics it follows from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

import msgspec

DOMAIN = "mqtt_discovery"

#: One level of a discovery topic (HA documentation, "Discovery topic").
_LEVEL = re.compile(r"[a-zA-Z0-9_-]{1,128}\Z")


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of this integration."""

    prefix: Annotated[str, msgspec.Meta(max_length=128, pattern=r"^[\w-]+(/[\w-]+)*\Z")] = "homeassistant"
    """First level(s) of the discovery topics."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a discovery topic says about its message."""

    platform: str
    object_id: str
    """With the node id in front where there is one, as two nodes may use the same object id."""


def filters(config: Config) -> tuple[str, ...]:
    """Return the topic filters of discovery messages."""
    return f"{config.prefix}/+/+/config", f"{config.prefix}/+/+/+/config"


def parse_topic(topic: str, prefix: str) -> Place | None:
    """Read ``<prefix>/<component>/[<node_id>/]<object_id>/config``; None for any other topic."""
    head, separator, rest = topic.partition(f"{prefix}/")
    levels = rest.split("/")
    if head or not separator or len(levels) not in {3, 4} or levels[-1] != "config":
        return None
    platform, *identity = levels[:-1]
    if not all(_LEVEL.match(level) for level in (platform, *identity)):
        return None
    return Place(platform, "_".join(identity))
