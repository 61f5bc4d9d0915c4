"""Incidents: what people handle."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from hub.model.ids import ActivationId
from hub.model.time import Instant


class IncidentState(StrEnum):
    """The life of an incident (未响应 → 已响应 → 处理中 → 已处理)."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "in_progress"
    CLOSED = "closed"


class Verdict(StrEnum):
    """How a person judges an incident when closing it (误报 / 已解决 / 报修)."""

    FALSE_ALARM = "false_alarm"
    RESOLVED = "resolved"
    REPAIR = "repair"


#: Longest note to an incident or a shift, in characters.
NOTE = 500

#: What people may do: from each state to these. A rule's own closing is judged afterwards, hence closed to closed.
STEPS: Mapping[IncidentState, frozenset[IncidentState]] = {
    IncidentState.OPEN: frozenset({IncidentState.ACKNOWLEDGED, IncidentState.IN_PROGRESS, IncidentState.CLOSED}),
    IncidentState.ACKNOWLEDGED: frozenset({IncidentState.IN_PROGRESS, IncidentState.CLOSED}),
    IncidentState.IN_PROGRESS: frozenset({IncidentState.CLOSED}),
    IncidentState.CLOSED: frozenset({IncidentState.CLOSED}),
}


class Handling(msgspec.Struct, frozen=True):
    """One step that a person takes with an incident."""

    activation: ActivationId
    state: IncidentState
    """Where the incident is taken to."""
    at: Instant
    by: str
    verdict: Verdict | None = None
    """Stated when it is closed, and only then."""
    note: str = ""
    """At most ``NOTE`` characters; never empty for a false alarm."""

    @property
    def complete(self) -> bool:
        """Whether it says all that it must say."""
        closes = self.state is IncidentState.CLOSED
        return closes == (self.verdict is not None) and (self.verdict is not Verdict.FALSE_ALARM or bool(self.note))


def may_follow(state: IncidentState, verdict: Verdict | None, handling: Handling) -> bool:
    """Tell whether an incident in ``state``, judged with ``verdict`` or not yet, can be handled so."""
    return handling.complete and handling.state in STEPS[state] and (verdict is None)


class CommandStatus(StrEnum):
    """Where a command stands in the outbox."""

    PENDING = "pending"
    #: An executor began; after a crash the command may have happened already.
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    #: Too late to be right, so it was not done.
    DROPPED = "dropped"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to the command."""
        return self in {CommandStatus.DONE, CommandStatus.FAILED, CommandStatus.DROPPED}
