"""Uplinks as the two network servers publish them.

ChirpStack v4: documentation, "Integrations", "Event types" (UplinkEvent as JSON). The Things Stack v3: documentation,
"Data Formats", "Uplink Messages" (empty fields are left out). In both the payload is base64.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

import msgspec

from hub.sdk import DecodeError, Instant, Message, json_object

#: Largest application payload in bytes (LoRaWAN Regional Parameters).
MAX_DATA = 242
#: Strength of reception that a gateway can mean, in dBm.
_STRENGTH = (-200.0, 20.0)
#: A time outside of this is a clock that was never set.
_YEARS = range(2000, 2100)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Eui = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Fa-f]{16}\Z")]
Port = Annotated[int, msgspec.Meta(ge=0, le=255)]
Data = Annotated[bytes, msgspec.Meta(max_length=MAX_DATA)]
Time = Annotated[datetime, msgspec.Meta(tz=True)]
Layout = TypeVar("Layout", bound=msgspec.Struct)


class Frame(msgspec.Struct, frozen=True):
    """What matters of an uplink, whichever server it came from. Nothing in it is cleaned yet."""

    eui: str
    """DevEUI, 16 hexadecimal digits in small letters."""
    name: str
    profile: str
    port: int
    data: bytes
    """Empty when the device only answered the network."""
    signal: float | None
    """dBm at the gateway that heard it best."""
    at: Instant | None
    """When the network server received it."""


class _Gateway(msgspec.Struct, frozen=True):
    rssi: float | None = None


class _DeviceInfo(msgspec.Struct, frozen=True, rename="camel"):
    dev_eui: Eui
    device_name: str = ""
    device_profile_name: str = ""


class _ChirpStack(msgspec.Struct, frozen=True, rename="camel"):
    device_info: _DeviceInfo
    f_port: Port = 0
    data: Data = b""
    rx_info: tuple[_Gateway, ...] = ()
    time: Time | None = None


class _Ids(msgspec.Struct, frozen=True):
    dev_eui: Eui
    device_id: str = ""


class _Version(msgspec.Struct, frozen=True):
    brand_id: str = ""
    model_id: str = ""


class _UplinkMessage(msgspec.Struct, frozen=True):
    f_port: Port = 0
    frm_payload: Data = b""
    rx_metadata: tuple[_Gateway, ...] = ()
    version_ids: _Version = _Version()
    received_at: Time | None = None


class _ThingsStack(msgspec.Struct, frozen=True):
    end_device_ids: _Ids
    uplink_message: _UplinkMessage


def read_frame(message: Message) -> Frame:
    """Read an uplink of the server whose topic it is. Raises DecodeError."""
    levels = message.topic.split("/")
    return _things_stack(message.payload) if levels[-3:-2] == ["devices"] else _chirpstack(message.payload)


def _chirpstack(payload: bytes) -> Frame:
    event = _convert(payload, _ChirpStack, "a ChirpStack uplink")
    info = event.device_info
    return Frame(
        eui=info.dev_eui.lower(),
        name=info.device_name,
        profile=info.device_profile_name,
        port=event.f_port,
        data=event.data,
        signal=_best(event.rx_info),
        at=_instant(event.time),
    )


def _things_stack(payload: bytes) -> Frame:
    up = _convert(payload, _ThingsStack, "an uplink of The Things Stack")
    uplink, version = up.uplink_message, up.uplink_message.version_ids
    return Frame(
        eui=up.end_device_ids.dev_eui.lower(),
        name=up.end_device_ids.device_id,
        profile=f"{version.brand_id}/{version.model_id}" if version.model_id else "",
        port=uplink.f_port,
        data=uplink.frm_payload,
        signal=_best(uplink.rx_metadata),
        at=_instant(uplink.received_at),
    )


def _convert(payload: bytes, layout: type[Layout], what: str) -> Layout:
    try:
        return msgspec.convert(json_object(payload), layout)
    except msgspec.ValidationError as error:
        raise DecodeError(f"not {what}: {error}") from None
    except OverflowError:
        raise DecodeError(f"not {what}: a number is too large") from None


def _best(gateways: tuple[_Gateway, ...]) -> float | None:
    low, high = _STRENGTH
    return max((one.rssi for one in gateways if one.rssi is not None and low <= one.rssi <= high), default=None)


def _instant(time: datetime | None) -> Instant | None:
    if time is None or time.year not in _YEARS:
        return None
    return Instant((time - _EPOCH) // timedelta(microseconds=1))
