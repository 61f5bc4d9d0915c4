"""What a site may set, the topics that follow from it, and which codec a device gets."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from hub.sdk import DecodeError, clean
from integrations.lorawan.codecs import CODECS

DOMAIN = "lorawan"

#: First levels of the topics; empty: this server is not used.
Base = Annotated[str, msgspec.Meta(max_length=128, pattern=r"^([\w@-]+(/[\w@-]+)*)?\Z")]
#: A DevEUI, or its beginning of at least the vendor's three bytes.
_EUI = re.compile(r"[0-9A-Fa-f]{6,16}\Z")


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of this integration. Raises ValueError for a codec or a DevEUI that cannot be."""

    chirpstack: Base = "application"
    things_stack: Base = "v3"
    devices: dict[str, str] = msgspec.field(default_factory=dict)
    """DevEUI, or the beginning of several, to codec; the longest that fits counts."""
    profiles: dict[str, str] = msgspec.field(default_factory=dict)
    """Name of the device profile (ChirpStack) or ``brand/model`` (The Things Stack) to codec."""
    default: str = ""
    """Codec of all others; empty: they are refused."""
    stale_after_h: Annotated[float, msgspec.Meta(ge=0, le=8784)] = 0.0
    """Hours of silence after which a state is stale; 0: by the model's own interval."""

    def __post_init__(self) -> None:
        for eui in self.devices:
            if not _EUI.match(eui):
                raise ValueError(f"`{clean(eui, 40)}` is no DevEUI: 16 hexadecimal digits, or the first 6 or more")
        for name in (*self.devices.values(), *self.profiles.values(), *filter(None, [self.default])):
            if name not in CODECS:
                raise ValueError(f"no codec `{clean(name, 40)}`; there are {', '.join(CODECS)}")


def filters(config: Config) -> tuple[str, ...]:
    """Return the topics of uplinks: ChirpStack v4 "Events", The Things Stack v3 "MQTT Server"."""
    chirpstack = (f"{config.chirpstack}/+/device/+/event/up",) if config.chirpstack else ()
    things_stack = (f"{config.things_stack}/+/devices/+/up",) if config.things_stack else ()
    return chirpstack + things_stack


def codec_name(config: Config, eui: str, profile: str) -> str:
    """Return the codec of a device (``eui`` in small letters). Raises DecodeError when none was set: never guess."""
    fitting = [start for start in config.devices if eui.startswith(start.lower())]
    if fitting:
        return config.devices[max(fitting, key=len)]
    name = config.profiles.get(profile, config.default)
    if not name:
        raise DecodeError(f"no codec is set for DevEUI {eui}, profile '{clean(profile, 40)}'")
    return name
