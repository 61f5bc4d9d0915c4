"""One journal transaction: all that a batch of inputs changed, committed together or not at all."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.model.activation import Slot, SlotKey
from hub.model.decision import Decision
from hub.model.errors import Failure
from hub.model.ids import ActivationId, CommandKey, EntityId
from hub.model.incident import CommandStatus
from hub.model.memory import Memory
from hub.model.reading import Quality, Reading, State
from hub.model.site import Mode
from hub.model.time import Instant

#: Deliveries that are known again, after a restart too: more than the hub's own broker ever has in flight to it
#: (hub.runtime.mqtt.broker). One that is forgotten and comes again would lay an old state over a newer one.
KEPT_DELIVERIES = 20_480

#: In the place of a packet identifier: a new session began, the ones before say nothing any more.
NEW_SESSION = 0
#: In the place of a packet identifier: the journal was restored, so what a broker has kept goes on from another past.
RESTORED = -1


class Delivery(msgspec.Struct, frozen=True):
    """Identity of a message that a transport will send again until it is acknowledged."""

    link: str
    """Name of the transport's session."""
    mid: int
    """MQTT packet identifier, 1 to 65535 (MQTT 3.1.1, 2.3.1)."""
    digest: bytes
    """Hash of topic and payload, 16 bytes."""


class Announcement(msgspec.Struct, frozen=True):
    """A discovery message, kept so that the entities it names are known before the broker repeats it."""

    integration: str
    topic: str
    payload: bytes
    """Empty: the device was withdrawn."""


class Bookmarked(msgspec.Struct, frozen=True):
    """A bookmark of a configured device, written with what it was reported with (hub.sdk.Tools)."""

    domain: str
    device: str
    key: str
    value: str
    """Empty: it is taken out."""


class Evidence(msgspec.Struct, frozen=True):
    """A file that was written once."""

    id: str
    activation: ActivationId
    command: CommandKey
    path: str
    """Relative to the data folder."""
    media_type: str
    sha256: str
    size: int
    at: Instant


class Outcome(msgspec.Struct, frozen=True):
    """What became of a command: a fact like any other, journalled before it is shown."""

    key: CommandKey
    activation: ActivationId
    status: CommandStatus
    at: Instant
    attempt: int = 1
    failure: Failure | None = None
    reason: str = ""
    """Why it failed or was dropped, in a technician's words; cleaned text."""
    repeated: bool = False
    """The command may have happened before a crash already."""
    evidence: Evidence | None = None
    detail: dict[str, str | int | float] = {}


class ModeChange(msgspec.Struct, frozen=True):
    """A person switched a mode. ``until`` None means until somebody switches it back."""

    mode: Mode
    on: bool
    at: Instant
    until: Instant | None = None
    by: str = ""


class ClockJump(msgspec.Struct, frozen=True):
    """The wall clock moved by ``by`` microseconds against the monotonic one; every kept instant moves with it."""

    at: Instant
    by: int


class Trust(msgspec.Struct, frozen=True):
    """``entities`` are trusted otherwise from now on, though none of them spoke: a link was lost, or is back."""

    at: Instant
    quality: Quality
    entities: tuple[EntityId, ...]


class Started(msgspec.Struct, frozen=True):
    """The hub runs again; between ``since``, its last commit, and ``at`` it decided nothing."""

    at: Instant
    since: Instant


class LinkLost(msgspec.Struct, frozen=True):
    """From now on nothing is heard of the devices of ``integrations``: the link on which they speak is away."""

    at: Instant
    integrations: tuple[str, ...]
    """One at least."""


class LinkBack(msgspec.Struct, frozen=True):
    """The link that was away is back: what its devices say is heard again."""

    at: Instant


class Adopted(msgspec.Struct, frozen=True):
    """A rule set was taken over: every rule looked at every zone once."""

    at: Instant


#: What moves the engine beside readings. Journalled in the order in which it was decided, for backtests.
Turn = ModeChange | ClockJump | Trust | Started | LinkLost | LinkBack | Adopted


class Note(msgspec.Struct, frozen=True):
    """Something people should be able to read later that is no decision: a link lost, a rule set refused."""

    kind: str
    at: Instant
    body: dict[str, Any] = {}


class Entry(msgspec.Struct):
    """One transaction, filled by the runtime while it works through a batch."""

    at: Instant
    readings: list[Reading] = []
    states: dict[EntityId, State] = {}
    memories: dict[EntityId, Memory] = {}
    slots: dict[SlotKey, Slot | None] = {}
    decisions: list[Decision] = []
    outcomes: list[Outcome] = []
    modes: list[ModeChange] = []
    jumps: list[ClockJump] = []
    turns: list[Turn] = []
    notes: list[Note] = []
    deliveries: list[Delivery] = []
    announcements: list[Announcement] = []
    bookmarks: list[Bookmarked] = []

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (
            self.readings
            or self.states
            or self.memories
            or self.slots
            or self.decisions
            or self.outcomes
            or self.modes
            or self.jumps
            or self.turns
            or self.notes
            or self.deliveries
            or self.announcements
            or self.bookmarks
        )
