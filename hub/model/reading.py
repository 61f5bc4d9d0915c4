"""What devices say: typed values, readings, and the state the hub keeps of each entity."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hub.model.ids import EntityId
from hub.model.text import Text
from hub.model.time import Instant


class Presence(StrEnum):
    """Something is in a place, or it is not (vehicle, person, e-bike)."""

    PRESENT = "present"
    ABSENT = "absent"


class Contact(StrEnum):
    """A door, window or hatch."""

    OPEN = "open"
    CLOSED = "closed"


class Alarm(StrEnum):
    """A detector that is either calm or not (smoke, tamper, button)."""

    ACTIVE = "active"
    CLEAR = "clear"


Value = Presence | Contact | Alarm | float

#: The value of each pair that rules wait for; its opposite is the calm one.
ACTIVE_VALUES: frozenset[Value] = frozenset({Presence.PRESENT, Contact.OPEN, Alarm.ACTIVE})


class Capability(StrEnum):
    """What one entity can do. The first three are sensed, ``measure`` is a number, the others are commanded."""

    PRESENCE = "presence"
    CONTACT = "contact"
    ALARM = "alarm"
    MEASURE = "measure"
    CAMERA = "camera"
    SPEAKER = "speaker"
    RELAY = "relay"
    NOTIFIER = "notifier"


#: Capabilities that are commanded and never say anything.
COMMANDED = frozenset({Capability.CAMERA, Capability.SPEAKER, Capability.RELAY, Capability.NOTIFIER})

VALUES: dict[Capability, type[Presence] | type[Contact] | type[Alarm]] = {
    Capability.PRESENCE: Presence,
    Capability.CONTACT: Contact,
    Capability.ALARM: Alarm,
}


class Quality(StrEnum):
    """How far a state can be trusted."""

    GOOD = "good"
    #: Known once, but not confirmed now (source silent, link lost, retained message of unknown age).
    STALE = "stale"
    #: Never heard, or the device itself says that it does not know.
    UNKNOWN = "unknown"


class Entity(msgspec.Struct, frozen=True):
    """One typed capability of a device, as its integration describes it."""

    id: EntityId
    capability: Capability
    name: Text
    device: str
    """Name of the physical unit, cleaned."""
    unit: str = ""
    """Unit of a ``measure`` as the vendor gives it, for example ``°C``."""
    expire_after: int | None = None
    """Microseconds after the last reading at which the state is stale (its device repeats itself); None for never."""


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One decoded value with the hub's time and, where the device sends one, its own.

    ``value`` None keeps the value known before and changes only how far it is trusted; with UNKNOWN it is forgotten.
    """

    entity: EntityId
    value: Value | None
    quality: Quality
    at: Instant
    device_at: Instant | None = None
    retained: bool = False


class State(msgspec.Struct, frozen=True, gc=False):
    """The last known value of an entity."""

    value: Value | None
    quality: Quality
    since: Instant
    """When the value became what it is."""
    at: Instant
    """When the entity was last heard."""


NEVER_HEARD = State(value=None, quality=Quality.UNKNOWN, since=Instant(0), at=Instant(0))


#: Looked up once: an enum's attribute costs as much as a comparison.
_UNKNOWN = Quality.UNKNOWN


def next_state(prior: State, reading: Reading) -> State:
    """Return the state after ``reading``."""
    if reading.quality is _UNKNOWN or (reading.value is None and prior.value is None):
        value, quality = None, _UNKNOWN
    else:
        value, quality = prior.value if reading.value is None else reading.value, reading.quality
    return State(
        value=value,
        quality=quality,
        since=prior.since if value == prior.value else reading.at,
        at=prior.at if reading.value is None else reading.at,
    )


_WORDS: dict[str, Value] = {str(value): value for kind in VALUES.values() for value in kind}


def value_from_store(stored: str | float | None) -> Value | None:
    """Read a stored value back. Raises KeyError for a word that is no value."""
    return _WORDS[stored] if isinstance(stored, str) else stored
