"""How often a rule may speak through one loudspeaker: counted there, whatever zone or step it speaks for."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.model.decision import Command
    from hub.model.ids import EntityId, RuleId
    from hub.model.time import Instant

#: Most voices remembered per rule and loudspeaker: the largest ``times`` a rule may state (hub.engine.parse).
REMEMBERED = 60


class Rates:
    """The last voices of each rule on each loudspeaker."""

    def __init__(self) -> None:
        self._heard: defaultdict[tuple[RuleId, EntityId], deque[Instant]] = defaultdict(
            lambda: deque(maxlen=REMEMBERED)
        )

    def heard(self, command: Command, speaker: EntityId, at: Instant) -> None:
        """Count a voice."""
        self._heard[command.rule, speaker].append(at)

    def allows(self, command: Command, speaker: EntityId, now: Instant) -> bool:
        """Tell whether the rule may speak there now. Voices of the future (the clock went back) do not count."""
        if command.rate is None:
            return True
        begins = now - command.rate.within
        recent = sum(begins < at <= now for at in self._heard[command.rule, speaker])
        return recent < command.rate.times
