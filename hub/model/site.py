"""The site as its people describe it: areas, zones, what is bound to them, whom to tell, what to say."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from hub.model.ids import AreaId, EntityId, SiteId, ZoneId, entity_id
from hub.model.reading import COMMANDED, Capability
from hub.model.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping


class ZoneKind(StrEnum):
    """The purpose of a zone, which is what rules speak of."""

    FIRE_LANE = "fire_lane"
    UNIT_DOOR = "unit_door"
    PLANT_DOOR = "plant_door"
    LIFT_CAR = "lift_car"
    CORRIDOR = "corridor"
    FACADE = "facade"
    BIKE_SHED = "bike_shed"
    PERIMETER = "perimeter"
    GATE = "gate"
    PUBLIC_VIEW = "public_view"
    SUPPLY = "supply"
    """What many devices hang on together: a power box, a gateway, a switch."""
    HUB = "hub"
    """A part of the hub itself, bound to one of its own entities (hub.runtime.troubles)."""


class Role(StrEnum):
    """As what an entity serves a zone."""

    VEHICLE = "vehicle"
    PERSON = "person"
    EBIKE = "ebike"
    DOOR = "door"
    SMOKE = "smoke"
    FALLING = "falling"
    """An object falling from the building."""
    CARD = "card"
    """A valid card, code or key at the door."""
    PERMIT = "permit"
    """A permit for this zone (moving in, loading, fire engine)."""
    ALARM = "alarm"
    """A button or alarm contact: lift passenger alarm, tamper, panic."""
    STOPPED = "stopped"
    """A lift car that stands outside its door zone."""
    CHECKPOINT = "checkpoint"
    """A patrol checkpoint that was read."""
    REVIEW = "review"
    """A person's confirmation: a button, or the word of who looked at the duty desk (``word_of``)."""
    LOAD = "load"
    TEMPERATURE = "temperature"
    CAMERA = "camera"
    SPEAKER = "speaker"
    LIGHT = "light"
    DOOR_HOLD = "door_hold"
    """The dry contact parallel to a lift's door-open button."""
    DEVICE = "device"
    """Anything that hangs on a supply and speaks now and then."""

    __hash__ = str.__hash__  # an enum's own is a Python function, and every condition looks its role up


#: The capability an entity must have to be bound in a role; as a device serves whatever speaks (see ``fits``).
ROLE_CAPABILITY: Mapping[Role, Capability] = {
    Role.VEHICLE: Capability.PRESENCE,
    Role.PERSON: Capability.PRESENCE,
    Role.EBIKE: Capability.PRESENCE,
    Role.DOOR: Capability.CONTACT,
    Role.SMOKE: Capability.ALARM,
    Role.FALLING: Capability.ALARM,
    Role.CARD: Capability.ALARM,
    Role.PERMIT: Capability.ALARM,
    Role.ALARM: Capability.ALARM,
    Role.STOPPED: Capability.ALARM,
    Role.CHECKPOINT: Capability.ALARM,
    Role.REVIEW: Capability.ALARM,
    Role.LOAD: Capability.MEASURE,
    Role.TEMPERATURE: Capability.MEASURE,
    Role.CAMERA: Capability.CAMERA,
    Role.SPEAKER: Capability.SPEAKER,
    Role.LIGHT: Capability.RELAY,
    Role.DOOR_HOLD: Capability.RELAY,
}


def fits(role: Role, capability: Capability) -> bool:
    """Tell whether an entity of a capability can serve in a role."""
    return capability not in COMMANDED if role is Role.DEVICE else ROLE_CAPABILITY[role] is capability


class Mode(StrEnum):
    """A named condition of the whole site that a person switches."""

    MAINTENANCE = "maintenance"
    TYPHOON = "typhoon"
    TEST = "test"


class Sees(StrEnum):
    """What a camera looks for."""

    LANE = "lane"
    """A vehicle that stands in a polygon of its picture."""
    FALLING = "falling"
    """Something that falls along a facade."""
    LIFT = "lift"
    """An e-bike in a lift car: a polygon around its floor."""
    HEALTH = "health"
    """Nothing but whether it can see."""


class Decode(StrEnum):
    """Which pictures of a camera are decoded."""

    KEY = "key"
    """Key frames: lanes, health, facades."""
    ADAPTIVE = "adaptive"
    """Key frames until something changes, then all."""
    FULL = "full"


#: The role in which what a camera sees serves its zone.
SEEN_AS: Mapping[Sees, Role] = {Sees.LANE: Role.VEHICLE, Sees.FALLING: Role.FALLING, Sees.LIFT: Role.EBIKE}


class Sight(msgspec.Struct, frozen=True):
    """A camera that sees what happens in a zone. Places are parts of its picture, from 0 (left, top) to 1."""

    camera: EntityId
    sees: Sees
    entity: EntityId | None = None
    """What it says is a reading of this entity, which the zone is bound to; None for health."""
    polygon: tuple[tuple[float, float], ...] = ()
    """Corners of the lane, or of the floor of the lift car."""
    floors: tuple[tuple[float, float, int], ...] = ()
    """Points where a floor begins, across, down and the number of the floor; none: falls are noticed, not located."""
    decode: Decode | None = None
    """None: as what it looks for needs. Where a camera looks for several things, the most is decoded."""


class Stop(msgspec.Struct, frozen=True):
    """One picture of a facade tour: what a fixed camera shows, or one that turns at one of its presets."""

    camera: EntityId
    preset: str = ""
    """Name that the camera knows the preset by; empty for a fixed camera."""

    @property
    def id(self) -> str:
        """What its pictures are kept under: a stop that is moved to another zone keeps them."""
        return f"{self.camera}#{self.preset}" if self.preset else str(self.camera)


class Area(msgspec.Struct, frozen=True):
    """A place in the tree: building, unit, gate, garage, playground."""

    id: AreaId
    name: Text
    parent: AreaId | None = None


class Zone(msgspec.Struct, frozen=True):
    """A place with a purpose, and the entities that serve it."""

    id: ZoneId
    kind: ZoneKind
    name: Text
    area: AreaId | None = None
    bind: dict[Role, tuple[EntityId, ...]] = {}
    supplied_by: tuple[ZoneId, ...] = ()
    """The supplies that its devices hang on: when all of one is silent, that is why."""
    see: tuple[Sight, ...] = ()
    """The cameras that watch it."""
    tour: tuple[Stop, ...] = ()
    """The pictures that a facade tour takes of it."""

    def bound(self, role: Role) -> tuple[EntityId, ...]:
        """Return the entities bound as ``role``; the first one of several is preferred."""
        return self.bind.get(role, ())


def word_of(zone: ZoneId) -> EntityId:
    """Name the entity by which a person at the duty desk confirms what was seen in a zone; the hub's own."""
    return entity_id("hub", f"review_{zone}")


class Contact(msgspec.Struct, frozen=True):
    """Somebody to notify: by a webhook that takes JSON, or by an entity that can (a chat robot, a mail server)."""

    id: str
    name: Text
    webhook: str | None = None
    notifier: EntityId | None = None


class Prompt(msgspec.Struct, frozen=True):
    """A sentence that rules name; ``audio`` is a prerecorded WAV relative to the site folder, preferred over speech."""

    id: str
    text: Text
    audio: str | None = None
    urgent: bool = False
    """It cuts short what a loudspeaker is saying and goes before all that waits: fire, a fall."""


class Site(msgspec.Struct, frozen=True):
    """One community, one hub."""

    id: SiteId
    name: Text
    timezone: str
    areas: dict[AreaId, Area]
    zones: dict[ZoneId, Zone]
    contacts: dict[str, Contact]
    prompts: dict[str, Prompt]
