"""What a site enters for one node."""

from __future__ import annotations

from typing import Annotated

import msgspec

from hub.sdk import Text

DOMAIN = "field_magnetometer"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sensor in one bay."""

    name: Text
    key: str
    """What the node signs its pushes with, at least 16 characters."""
    occupied_ut: Annotated[float, msgspec.Meta(ge=2, le=200)] = 12.0
    """Deviation from the empty bay, in µT, from which a vehicle stands there."""
    free_ut: Annotated[float, msgspec.Meta(ge=1, le=200)] = 7.0
    """Deviation, in µT, up to which the bay is empty. Between the two the state stays."""
    hold_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 30.0
    """Seconds that a deviation lasts before it counts: passing cars are shorter."""
    range_ut: Annotated[float, msgspec.Meta(ge=50, le=10_000)] = 800.0
    """End of the sensor's scale in µT; at it the sensor is saturated and the bay unknown."""
    silent_after_min: Annotated[float, msgspec.Meta(ge=0.05, le=1_440)] = 30.0
    """Minutes without a push after which the bay is stale."""
