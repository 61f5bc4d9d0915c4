"""A rule as types. The YAML in ``rules/`` is the single truth; hub.engine.parse reads it into these."""

from __future__ import annotations

import hashlib

import msgspec

from hub.model.decision import Capture, Notify, Say, Severity
from hub.model.ids import RuleId
from hub.model.reading import Value
from hub.model.site import Mode, Role, ZoneKind
from hub.model.text import Text
from hub.model.time import MINUTE, SECOND, Duration


class Is(msgspec.Struct, frozen=True, tag="is"):
    """The zone's entities of a role have a value: any of them for an active value, all of them for a calm one."""

    role: Role
    value: Value


class ModeIs(msgspec.Struct, frozen=True, tag="mode"):
    """The site is in a mode."""

    mode: Mode


class Not(msgspec.Struct, frozen=True, tag="not"):
    """The opposite; unknown stays unknown."""

    term: Is | ModeIs


Condition = Is | ModeIs | Not


class OpenIncident(msgspec.Struct, frozen=True, tag="open_incident"):
    """Give people something to handle."""

    severity: Severity


class CloseIncident(msgspec.Struct, frozen=True, tag="close_incident"):
    """It is over."""


RuleAction = Capture | Say | Notify | OpenIncident | CloseIncident


class Trigger(msgspec.Struct, frozen=True):
    """What to watch, and for how long without a break."""

    condition: Is
    hold: Duration

    @property
    def fingerprint(self) -> str:
        """Name the trigger, so that an edit of the rule that keeps it keeps what is running under it."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


class Escalation(msgspec.Struct, frozen=True):
    """What to do when it is still so ``after`` the activation began."""

    after: Duration
    actions: tuple[RuleAction, ...]


class Clear(msgspec.Struct, frozen=True):
    """When it is over, and what to do then."""

    condition: Is
    hold: Duration
    actions: tuple[RuleAction, ...]


class Rule(msgspec.Struct, frozen=True):
    """What to watch, for how long, what to do, when to escalate, when it is over."""

    id: RuleId
    name: Text
    zone_kind: ZoneKind
    trigger: Trigger
    actions: tuple[RuleAction, ...]
    clear: Clear
    conditions: tuple[Condition, ...] = ()
    escalation: tuple[Escalation, ...] = ()
    tolerate_gap: Duration = MINUTE
    """How long a running ``for`` goes on while the source is not known."""
    stale_after: Duration = Duration(60 * SECOND)
    """A spoken warning later than this is dropped, not spoken."""
    cooldown: Duration = Duration(0)
    """How long after clear the rule stays quiet in that zone."""
    file: str = ""
