"""What the engine decides: activations, incidents and commands, each a frozen fact with its time."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hub.model.ids import ActivationId, CommandKey, EntityId, RuleId, ZoneId
from hub.model.site import Mode, Role
from hub.model.text import Text
from hub.model.time import Duration, Instant


class Severity(StrEnum):
    """How urgent an incident is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Reason(StrEnum):
    """Why something ended, was dropped, or was withheld."""

    CLEARED = "cleared"
    OPPOSITE_EDGE = "opposite_edge"
    SOURCE_UNKNOWN = "source_unknown"
    RULE_CHANGED = "rule_changed"
    STALE = "stale"
    QUIET_HOURS = "quiet_hours"
    LIMIT = "limit"


class Capture(msgspec.Struct, frozen=True, omit_defaults=True, tag="capture"):
    """Take one picture from the zone's camera; with a time before or after, a clip of what its camera saw."""

    before: Duration = Duration(0)
    after: Duration = Duration(0)

    @property
    def is_clip(self) -> bool:
        """Whether it takes a clip."""
        return self.before + self.after > 0


class Say(msgspec.Struct, frozen=True, tag="say"):
    """Speak through the zone's loudspeaker. ``volume`` is 0 to 100 percent of the speaker's range."""

    text: Text
    prompt: str | None = None
    volume: int = 80


class Notify(msgspec.Struct, frozen=True, tag="notify"):
    """Tell a contact."""

    contact: str


class Switch(msgspec.Struct, frozen=True, tag="switch"):
    """Hold a relay of the zone for a time; it lets go by itself."""

    role: Role
    hold: Duration


Action = Capture | Say | Notify | Switch


class Rate(msgspec.Struct, frozen=True):
    """So often within a time."""

    times: int
    within: Duration


class Witness(msgspec.Struct, frozen=True, gc=False):
    """One line of a trace: a condition (``role: wanted`` or ``mode``), its value, and the reading that decided it."""

    holds: bool | None
    negated: bool = False
    role: Role | None = None
    wanted: str | None = None
    mode: Mode | None = None
    detail: str = ""
    """The rest of the condition as it stands in the rule: a window, a count, a limit."""
    entity: EntityId | None = None
    value: str | None = None
    since: Instant | None = None


class _Decision(msgspec.Struct, frozen=True, gc=False, tag_field="kind"):
    """One decision about one rule in one zone."""

    rule: RuleId
    zone: ZoneId
    at: Instant


class PendingStarted(_Decision, frozen=True, gc=False, tag="pending_started"):
    """A trigger became true and its ``for`` began to run."""

    due: Instant


class PendingDropped(_Decision, frozen=True, gc=False, tag="pending_dropped"):
    """A running ``for`` ended without a warning."""

    reason: Reason
    ran: Duration


class Opened(_Decision, frozen=True, gc=False, tag="opened"):
    """An activation began."""

    activation: ActivationId
    since: Instant
    """When the trigger became true."""
    late_by: Duration
    """How much later than due (the hub was down or blind); 0 when on time."""
    trace: tuple[Witness, ...]
    dry_run: bool = False


class Escalated(_Decision, frozen=True, gc=False, tag="escalated"):
    """An escalation step was taken; ``step`` counts from 1."""

    activation: ActivationId
    step: int
    late_by: Duration


class Cleared(_Decision, frozen=True, gc=False, tag="cleared"):
    """An activation ended."""

    activation: ActivationId
    reason: Reason
    trace: tuple[Witness, ...] = ()


class Withheld(_Decision, frozen=True, gc=False, tag="withheld"):
    """A command was not issued, because it could have been wrong."""

    activation: ActivationId
    action: Action
    reason: Reason


class Rehearsed(_Decision, frozen=True, gc=False, tag="rehearsed"):
    """What a rule in dry run would have done."""

    activation: ActivationId
    step: str
    action: Action


class IncidentOpened(_Decision, frozen=True, gc=False, tag="incident_opened"):
    """People have something to handle."""

    activation: ActivationId
    severity: Severity


class IncidentClosed(_Decision, frozen=True, gc=False, tag="incident_closed"):
    """The hub closed the incident of an activation."""

    activation: ActivationId
    reason: Reason


class Command(_Decision, frozen=True, gc=False, tag="command"):
    """One thing to do to the world, at most once per key."""

    key: CommandKey
    activation: ActivationId
    step: str
    """``open``, the number of the escalation step, or ``clear``."""
    action: Action
    stale_after: Duration
    """A spoken warning later than this after ``at`` is dropped, not spoken; other commands are given up then."""
    rate: Rate | None = None
    """How often its rule may speak through one loudspeaker; None for what is not spoken."""
    by: str = ""
    """The person who ordered it at the duty desk; empty for what a rule decided."""


Decision = (
    PendingStarted
    | PendingDropped
    | Opened
    | Escalated
    | Cleared
    | Withheld
    | Rehearsed
    | IncidentOpened
    | IncidentClosed
    | Command
)
