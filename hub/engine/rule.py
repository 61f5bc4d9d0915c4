"""A rule as types. The YAML in ``rules/`` is the single truth; hub.engine.parse reads it into these."""

from __future__ import annotations

import hashlib

import msgspec

from hub.engine.terms import Term
from hub.model.decision import Capture, Notify, Rate, Say, Severity, Switch
from hub.model.ids import RuleId, ZoneId
from hub.model.site import ZoneKind
from hub.model.text import Text
from hub.model.time import MINUTE, SECOND, Duration

#: A comfort voice every minute fits; a voice every few seconds does not.
RATE = Rate(times=12, within=Duration(10 * MINUTE))


class OpenIncident(msgspec.Struct, frozen=True, tag="open_incident"):
    """Give people something to handle."""

    severity: Severity


class CloseIncident(msgspec.Struct, frozen=True, tag="close_incident"):
    """It is over."""


RuleAction = Capture | Say | Notify | Switch | OpenIncident | CloseIncident


class Trigger(msgspec.Struct, frozen=True):
    """What to watch, and for how long without a break."""

    condition: Term
    hold: Duration

    @property
    def fingerprint(self) -> str:
        """Name the trigger, so that an edit of the rule that keeps it keeps what is running under it."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


class Escalation(msgspec.Struct, frozen=True):
    """What to do when it is still so ``after`` the activation began, once or ``times`` times ``every`` so often."""

    after: Duration
    actions: tuple[RuleAction, ...]
    every: Duration = Duration(0)
    times: int = 1


class Clear(msgspec.Struct, frozen=True):
    """When it is over, and what to do then."""

    condition: Term
    hold: Duration
    actions: tuple[RuleAction, ...]


class QuietHours(msgspec.Struct, frozen=True):
    """A window of the local day (seconds after midnight) in which voices are at most so loud; 0 means no voice."""

    begin: int
    end: int
    volume: int


class Rule(msgspec.Struct, frozen=True):
    """What to watch, for how long, what to do, when to escalate, when it is over."""

    id: RuleId
    name: Text
    zone_kind: ZoneKind
    trigger: Trigger
    actions: tuple[RuleAction, ...]
    clear: Clear
    only: tuple[ZoneId, ...] = ()
    """The zones it is limited to; empty means every zone of the kind."""
    without: tuple[ZoneId, ...] = ()
    conditions: tuple[Term, ...] = ()
    escalation: tuple[Escalation, ...] = ()
    tolerate_gap: Duration = MINUTE
    """How long a running ``for`` goes on while the source is not known."""
    stale_after: Duration = Duration(60 * SECOND)
    """A spoken warning later than this is dropped, not spoken."""
    cooldown: Duration = Duration(0)
    """How long after clear the rule stays quiet in that zone."""
    quiet_hours: QuietHours | None = None
    rate: Rate = RATE
    """How often it may speak through one loudspeaker."""
    dry_run: bool = False
    """Decide and record, but act on nothing."""
    enabled: bool = True
    """Switched off it is checked like any other, and never looks at anything."""
    file: str = ""

    def applies_to(self, zone: ZoneId) -> bool:
        """Tell whether the rule serves a zone of its kind."""
        return zone not in self.without and (not self.only or zone in self.only)

    def actions_of_all_steps(self) -> tuple[RuleAction, ...]:
        """Return every action in the rule."""
        steps = [self.actions, *(step.actions for step in self.escalation), self.clear.actions]
        return tuple(action for actions in steps for action in actions)
