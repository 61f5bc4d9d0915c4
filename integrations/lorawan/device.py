"""From a frame and the codec of its model to the device, its entities and what it said."""

from __future__ import annotations

from hub.sdk import Device, Entity, EntityId, Quality, Sample, Text, Vitals, clean, entity_id
from integrations.lorawan.codec import Codec, Said
from integrations.lorawan.config import DOMAIN
from integrations.lorawan.servers import Frame

_HOUR = 3_600_000_000
#: Longest device name that is shown, in characters; the DevEUI follows it.
_LONGEST = 60


def label(frame: Frame) -> str:
    """Return the name of the unit with its DevEUI: names need not be unique in a network server."""
    name = clean(frame.name, _LONGEST)
    return name if frame.eui in name.lower() else f"{name} {frame.eui}".strip()


def describe(frame: Frame, codec: Codec, stale_after_h: float) -> Device:
    """Return the device with all entities of its model, also those that this frame does not speak of."""
    name = label(frame)
    entities = tuple(
        Entity(
            id=_identity(frame, channel.key),
            capability=channel.capability,
            name=channel.name,
            device=name,
            unit=channel.unit,
            expire_after=silence(codec, stale_after_h),
        )
        for channel in codec.channels
    )
    return Device(frame.eui, Text(name), entities, ())


def silence(codec: Codec, stale_after_h: float) -> int:
    """Return microseconds after which a state is stale: as configured, else one lost message and an hour."""
    return round((stale_after_h or 2 * codec.interval + 1) * _HOUR)


def samples(frame: Frame, said: Said) -> tuple[Sample | Vitals, ...]:
    """Return what was said, with the network server's time."""
    found = tuple(
        Sample(_identity(frame, key), value, Quality.UNKNOWN if value is None else Quality.GOOD, frame.at)
        for key, value in said.values.items()
    )
    return (*found, Vitals(label(frame), said.battery, frame.signal))


def _identity(frame: Frame, key: str) -> EntityId:
    return entity_id(DOMAIN, f"{frame.eui}_{key}")
