"""Incidents: what people handle."""

from __future__ import annotations

from enum import StrEnum


class IncidentState(StrEnum):
    """The life of an incident (未响应 → 已响应 → 处理中 → 已处理)."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "in_progress"
    CLOSED = "closed"


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
