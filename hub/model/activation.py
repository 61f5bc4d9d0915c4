"""What the engine must remember of one rule in one zone between two inputs; it survives restart as one row."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import msgspec

from hub.model.ids import ActivationId, RuleId, ZoneId
from hub.model.time import Instant


class Phase(StrEnum):
    """Where a rule stands in a zone. Idle is the absence of a slot."""

    #: Idle, but time alone may make the trigger true.
    WATCHING = "watching"
    PENDING = "pending"
    ACTIVE = "active"
    COOLDOWN = "cooldown"


class SlotKey(NamedTuple):
    """One rule in one zone."""

    rule: RuleId
    zone: ZoneId


class Slot(msgspec.Struct, frozen=True, gc=False):
    """The memory of one rule in one zone. All instants are on the hub's clock."""

    phase: Phase
    since: Instant
    """PENDING: when the trigger became true. ACTIVE: when the activation opened. COOLDOWN: when it cleared."""
    trigger: str
    """Fingerprint of the trigger it runs under; an edit of the rule that keeps it keeps the slot."""
    due: Instant | None = None
    """PENDING: end of ``for``, None once a condition holds back what was in time. COOLDOWN: end of the cooldown."""
    wake: Instant | None = None
    """When the engine must look again even if nothing is heard."""
    blind_since: Instant | None = None
    """When the trigger's source became unknown."""
    activation: ActivationId | None = None
    step: int = 0
    """Escalation steps taken."""
    clearing_since: Instant | None = None
    """ACTIVE: when the clear condition became true."""
    incident: bool = False
    """ACTIVE: whether an incident is open."""
    began: Instant = Instant(0)
    """ACTIVE: when the trigger became true."""

    @property
    def announced(self) -> bool:
        """PENDING: whether its ``for`` was told of; a rule without ``for`` has nothing to tell."""
        return self.phase is Phase.PENDING and self.due != self.since
