"""From Home Assistant's entity ids to zones and roles: by ``--map``, else by the site's own bindings."""

from __future__ import annotations

import re
from enum import Enum

import msgspec

from hub.config.home_assistant.read import NotTurned
from hub.model.document import Node
from hub.model.ids import ZoneId
from hub.model.reader import suggest
from hub.model.reading import VALUES, Capability, Value
from hub.model.site import ROLE_CAPABILITY, Role, Site, Zone

_MAP = re.compile(r"([a-z0-9_]+\.[a-z0-9_]+)=([a-z][a-z0-9_]*)(?:\.([a-z0-9_]+))?\Z")
#: Which domains of Home Assistant hold what we bind; only among these an equal name means the same thing.
_DOMAINS: dict[Capability, tuple[str, ...]] = {
    Capability.PRESENCE: ("binary_sensor",),
    Capability.CONTACT: ("binary_sensor", "cover"),
    Capability.ALARM: ("binary_sensor",),
    Capability.MEASURE: ("sensor",),
    Capability.CAMERA: ("camera",),
    Capability.SPEAKER: ("media_player",),
    Capability.RELAY: ("switch", "light"),
}
#: The states of Home Assistant that are the active and the calm value of each pair.
_STATES: dict[Capability, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Capability.PRESENCE: (("on", "home", "present"), ("off", "not_home", "absent")),
    Capability.CONTACT: (("on", "open"), ("off", "closed")),
    Capability.ALARM: (("on", "active"), ("off", "clear")),
}


class Missing(Enum):
    """A state in which a device says nothing; no rule ever fires on it."""

    VALUE = "unknown"


class Place(msgspec.Struct, frozen=True):
    """What an entity is in the site."""

    zone: ZoneId
    role: Role

    @property
    def capability(self) -> Capability:
        """What it can do."""
        return ROLE_CAPABILITY[self.role]


class Places:
    """Looks entities and contacts up."""

    def __init__(self, site: Site, mapped: dict[str, Place], contacts: dict[str, str]) -> None:
        self.site = site
        self._mapped = mapped
        self._contacts = contacts
        self._bound: dict[str, list[Place]] = {}
        for zone in site.zones.values():
            for role, entities in zone.bind.items():
                for entity in entities:
                    self._bound.setdefault(entity.partition(".")[2], []).append(Place(zone.id, role))

    def zone(self, zone: ZoneId) -> Zone:
        """Return a zone of the site."""
        return self.site.zones[zone]

    def place(self, node: Node, entity: str) -> Place:
        """Return what an entity is in the site. Raises NotTurned."""
        if entity in self._mapped:
            return self._mapped[entity]
        domain, _, name = entity.partition(".")
        found = [place for place in self._bound.get(name, []) if domain in _DOMAINS[place.capability]]
        if len(found) == 1:
            return found[0]
        if found:
            places = ", ".join(f"{place.zone}.{place.role}" for place in found)
            raise NotTurned(node, f"`{entity}` is bound more than once ({places}): say which, --map {entity}=ZONE.ROLE")
        bind = f"`ROLE: mqtt_discovery.{name}` if it comes by MQTT discovery"
        raise NotTurned(
            node, f"`{entity}` is bound in no zone: bind it in hub.yaml ({bind}), or give --map {entity}=ZONE.ROLE"
        )

    def contact(self, node: Node, service: str) -> str:
        """Return the contact that a notify service is. Raises NotTurned."""
        name = self._contacts.get(service, service.partition(".")[2])
        if name not in self.site.contacts:
            known = suggest(name, self.site.contacts)
            raise NotTurned(node, f"no contact `{name}` in hub.yaml{known}: add it, or give --map {service}=CONTACT")
        return name


def value(capability: Capability, state: str) -> Value | Missing | None:
    """Return what a state of Home Assistant means; None for one that means nothing here."""
    if state in {"unknown", "unavailable"}:
        return Missing.VALUE
    pair = _pair(capability)
    return next((pair[side] for side, words in enumerate(_STATES[capability]) if state in words), None)


def _pair(capability: Capability) -> tuple[Value, ...]:
    """Return the active and the calm value."""
    return tuple(VALUES[capability])


def opposite(role: Role, known: Value) -> Value:
    """Return the other value of a role that is sensed."""
    active, calm = _pair(ROLE_CAPABILITY[role])
    return calm if known is active else active


def read_maps(site: Site, options: tuple[str, ...]) -> Places:
    """Read ``sensor.lane_3=lane_3.vehicle`` and ``notify.phone=guard``. Raises ValueError with what is wrong."""
    mapped: dict[str, Place] = {}
    contacts: dict[str, str] = {}
    for option in options:
        match = _MAP.match(option)
        if match is None:
            raise ValueError(f"`{option}` is no mapping: write sensor.lane_3=lane_3.vehicle, or notify.phone=guard")
        entity, target, role = match[1], match[2], match[3]
        if entity in mapped or entity in contacts:
            raise ValueError(f"`{entity}` is mapped twice")
        if role is None:
            if target not in site.contacts or not entity.startswith("notify."):
                raise ValueError(f"`{option}`: no contact `{target}`{suggest(target, site.contacts)}")
            contacts[entity] = target
            continue
        if target not in site.zones:
            raise ValueError(f"`{option}`: no zone `{target}`{suggest(target, site.zones)}")
        if role not in set(Role):
            raise ValueError(f"`{option}`: no role `{role}`{suggest(role, Role)}")
        mapped[entity] = Place(ZoneId(target), Role(role))
    return Places(site, mapped, contacts)
