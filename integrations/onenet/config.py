"""What a site enters for one push of the platform."""

from __future__ import annotations

from typing import Annotated

import msgspec

from hub.sdk import Text

DOMAIN = "onenet"

#: What may stand for occupied or free, and what names a device: the platform sends numbers or texts.
Word = str | int | float | bool


class Bay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One parking bay and the sensor in it."""

    name: Text | str
    dev_id: int | str
    """Device number at the platform."""
    ds_id: str
    """Data stream that says whether the bay is taken; ``3200_0_5500`` for an LwM2M digital input."""
    occupied: Word = 1
    free: Word = 0
    battery: str = ""
    """Data stream with the battery's percent; empty for none."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One push instance of the platform and the bays whose sensors it carries."""

    name: Text
    token: str
    """The token that was entered at the platform."""
    bays: dict[str, Bay]
    """By a short name; the entity is ``onenet.<device>_<short name>``."""
    silent_after_h: Annotated[float, msgspec.Meta(ge=0.001, le=240)] = 25.0
    """Hours without a word from a sensor after which its bay is stale: a little more than one heartbeat."""
