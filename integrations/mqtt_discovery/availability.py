"""Availability topics: whether an entity's last value can still be trusted.

Source: HA documentation of ``availability``, ``availability_topic`` and ``availability_mode``. Each message is decoded
on its own, so with several topics the modes that need memory are approximated towards distrust:

- ``latest``, or one topic: the message decides.
- ``all``: "offline" on any topic is STALE. "online" on one of several says nothing about the others, so it is no
  sample; the next value of the entity restores trust.
- ``any``: "online" on any topic is GOOD. "offline" on one is STALE although another may still be online; the next
  value, or the next "online", restores trust.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from hub.sdk import DecodeError, EntityId, Message, Quality, Route, Sample, clean
from integrations.mqtt_discovery.options import text, topic
from integrations.mqtt_discovery.template import Operand, Template, render
from integrations.mqtt_discovery.template_parser import parse

_MODES = frozenset({"all", "any", "latest"})
#: Most availability topics of one entity; real ones have one to three.
_MOST = 8


@dataclass(frozen=True, slots=True)
class Source:
    """One availability topic of one entity."""

    entity: EntityId
    template: Template
    online: str
    offline: str
    restores: bool
    """Whether "online" here alone means that the entity is available."""


def availability_routes(entity: EntityId, options: dict[str, Any]) -> tuple[Route, ...]:
    """Return the routes of an entity's availability topics. Raises DecodeError when the options do not make sense."""
    mode = text(options, "availability_mode", "latest")
    if mode not in _MODES:
        raise DecodeError(f"availability_mode '{clean(mode, 20)}' is not all, any or latest")
    given = options.get("availability")
    if given is not None and "availability_topic" in options:
        raise DecodeError("availability and availability_topic exclude each other")
    if given is None:
        given = []
        if options.get("availability_topic") is not None:
            given = [
                {
                    **options,
                    "topic": options["availability_topic"],
                    "value_template": options.get("availability_template"),
                }
            ]
    if not isinstance(given, list) or len(given) > _MOST:
        raise DecodeError(f"availability is not a list of up to {_MOST} topics")
    restores = mode != "all" or len(given) == 1
    return tuple(_route(entity, source, restores=restores) for source in given)


def _route(entity: EntityId, options: Any, *, restores: bool) -> Route:
    if not isinstance(options, dict):
        raise DecodeError("an entry of availability is not an object")
    template = text(options, "value_template")
    source = Source(
        entity=entity,
        template=parse(template) if template else Operand(),
        online=text(options, "payload_available", "online").strip(),
        offline=text(options, "payload_not_available", "offline").strip(),
        restores=restores,
    )
    if source.online == source.offline:
        raise DecodeError("payload_available and payload_not_available are the same")
    return Route(topic(options, "topic"), partial(decode_availability, source))


def decode_availability(source: Source, message: Message) -> tuple[Sample, ...]:
    """Turn one availability message into a change of trust."""
    state = render(source.template, message.payload)
    if not state:
        return ()
    if state == source.offline:
        return (Sample(source.entity, None, Quality.STALE),)
    if state != source.online:
        known = f"neither '{clean(source.online, 40)}' nor '{clean(source.offline, 40)}'"
        raise DecodeError(f"availability '{clean(state, 40)}' is {known}")
    return (Sample(source.entity, None, Quality.GOOD),) if source.restores else ()
