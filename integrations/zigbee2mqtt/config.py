"""What a site may set, and the topics that follow from it."""

from __future__ import annotations

from typing import Annotated

import msgspec

DOMAIN = "zigbee2mqtt"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of this integration."""

    base: Annotated[str, msgspec.Meta(max_length=128, pattern=r"^[\w-]+(/[\w-]+)*\Z")] = "zigbee2mqtt"
    """The bridge's ``mqtt.base_topic``."""


def filters(config: Config) -> tuple[str, ...]:
    """Return the topic of the device list."""
    return (f"{config.base}/bridge/devices",)
