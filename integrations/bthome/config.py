"""What a site enters for one Bluetooth adapter and the sensors that it hears."""

from __future__ import annotations

from typing import Annotated

import msgspec

from hub.sdk import Text

DOMAIN = "bthome"

#: A Bluetooth device address as it is printed on the sensor.
Address = Annotated[str, msgspec.Meta(pattern=r"^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\Z")]
#: A property of ``objects.NAMES``; the second of its kind in one advertisement is called ``temperature_2``.
Property = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,31}\Z")]


class Sensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sensor. Only what is entered here is listened to: any radio nearby can send under any address."""

    name: Text | str
    sends: Annotated[tuple[Property, ...], msgspec.Meta(min_length=1, max_length=16)]
    """What becomes an entity; all else that it sends is skipped."""
    bindkey: Annotated[str, msgspec.Meta(pattern=r"^([0-9A-Fa-f]{32})?\Z")] = ""
    """Key of encrypted advertisements, 32 hexadecimal digits. With a key, plain ones are refused."""
    silent_after_s: Annotated[int, msgspec.Meta(ge=0, le=604_800)] = 0
    """Seconds without an advertisement after which its values are stale; 0 for a sensor that speaks only on events."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One adapter."""

    devices: Annotated[dict[Address, Sensor], msgspec.Meta(min_length=1, max_length=500)]
    adapter: Annotated[str, msgspec.Meta(pattern=r"^(hci[0-9]{1,3})?\Z")] = ""
    """Name in BlueZ, for example ``hci0``; empty takes the first that is switched on."""
    timeout_s: Annotated[float, msgspec.Meta(ge=0.1, le=25)] = 10.0
    """Seconds within which BlueZ must answer."""
    watch_s: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 5.0
    """Seconds between two looks at whether the adapter is still there."""
