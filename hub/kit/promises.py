"""What the hub relies on in everything a decoder gives back; each broken promise is one sentence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hub.model.reading import VALUES, Capability
from hub.sdk import Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hub.sdk import Device, Entity, Vitals

#: Longest text that a page or a log line is given, in characters.
LONGEST = 200
#: Longest reason of a DecodeError, in characters.
LONGEST_REASON = 300


def of_devices(domain: str, devices: Iterable[Device], *, routed: bool) -> Iterator[str]:
    """Check what is announced: ids of the hub's grammar, once each, clean names, plain topics."""
    seen: set[str] = set()
    for device in devices:
        if routed and not device.routes:
            yield f"device {device.id!r} has no route, so nothing it says is heard"
        for entity in device.entities:
            if not entity.id.startswith(f"{domain}."):
                yield f"entity {entity.id!r} must begin with `{domain}.`: make it with entity_id()"
            if entity.id in seen:
                yield f"entity {entity.id!r} is announced twice"
            seen.add(entity.id)
            for text in (entity.name.zh, entity.device):
                yield from of_text(text, "a name")


def of_text(text: str, what: str, longest: int = LONGEST) -> Iterator[str]:
    """Check a text that came from a device: clean() makes it printable and short."""
    if not text or not text.isprintable() or len(text) > longest:
        yield f"{what} is empty, over {longest} characters or not printable: {text[:60]!r}; pass it through clean()"


def of_said(entities: Iterable[Entity], said: Iterable[Sample | Vitals]) -> Iterator[str]:
    """Check that samples are of known entities, of their kind, and finite; that vitals are in range."""
    known = {entity.id: entity for entity in entities}
    for one in said:
        if not isinstance(one, Sample):
            if one.battery is not None and not 0 <= one.battery <= 100:
                yield f"a battery of {one.battery} %"
            continue
        entity = known.get(one.entity)
        if entity is None:
            yield f"a sample of {one.entity!r}, which is no entity of this device"
        elif one.value is not None and not _fits(entity.capability, one.value):
            yield f"{one.value!r} is no value of {one.entity} ({entity.capability.value})"


def _fits(capability: Capability, value: object) -> bool:
    if capability is Capability.MEASURE:
        return isinstance(value, float) and math.isfinite(value)
    return isinstance(value, VALUES.get(capability, ()))
