"""Identifiers: what they look like and how a vendor's free text becomes one."""

from __future__ import annotations

import hashlib
import re
from typing import NewType

SiteId = NewType("SiteId", str)
AreaId = NewType("AreaId", str)
ZoneId = NewType("ZoneId", str)
RuleId = NewType("RuleId", str)
#: ``<integration>.<object>``, for example ``mqtt_discovery.lane_3_vehicle``.
EntityId = NewType("EntityId", str)
#: ``<rule>@<zone>@<instant>``: deterministic, so that a replay names the same activation.
ActivationId = NewType("ActivationId", str)
#: Idempotency key of a command: hash(activation, step, repetition); 32 hexadecimal digits.
CommandKey = NewType("CommandKey", str)

#: Stands in the place of the rule in what a person orders at the duty desk.
OPERATOR = RuleId("operator")

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
ENTITY = re.compile(r"[a-z][a-z0-9_]{0,63}\.[a-z0-9_]{1,96}\Z")


def slug(text: str) -> str:
    """Turn a vendor's identifier into the object part of an entity id (``[a-z0-9_]``, at most 96 characters)."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:80]
    if plain and text.isascii():
        return plain
    mark = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=4).hexdigest()
    return f"{plain}_{mark}".lstrip("_")  # 车位1 and 车位一 are two things


def entity_id(integration: str, identifier: str) -> EntityId:
    """Name the entity that ``integration`` calls ``identifier``."""
    return EntityId(f"{integration}.{slug(identifier)}")
