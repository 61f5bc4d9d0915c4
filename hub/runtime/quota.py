"""How much one entity may measure by messages: what comes beyond is left out, and said. Alarms never are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import structlog

from hub.model.text import Text
from hub.runtime.budget import Budget

if TYPE_CHECKING:
    from hub.model.ids import EntityId
    from hub.model.time import Instant
    from hub.runtime.problems import Problems

log = structlog.get_logger()

#: Numbers a second that one entity may tell in the long run, and at once: a hub that was away hears what was kept.
RATE, BURST = 50.0, 5_000.0
#: Entities with a budget of their own; whoever comes later has none and is not limited.
MOST = 20_000
#: Devices named on the banner; the others are only counted.
NAMED = 5


class Quota:
    """Budgets of entities that measure."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._budgets: dict[EntityId, Budget] = {}
        self._flooding: set[EntityId] = set()
        self.shed: Counter[EntityId] = Counter()
        """Readings that were left out."""

    def allows(self, entity: EntityId, now: Instant) -> bool:
        """Tell whether one more number is taken in; if not, it is counted and its entity is named."""
        budget = self._budgets.get(entity)
        if budget is None:
            if len(self._budgets) < MOST:
                self._budgets[entity] = Budget(RATE, BURST, now)
            return True
        left = budget.refill(now)
        if left < 1:
            self.shed[entity] += 1
            self._name(entity)
            return False
        budget.spend(1, now)
        if left > BURST / 2 and entity in self._flooding:
            self._flooding.discard(entity)
            self._problems.settle(_key(entity))
            log.info("device.calm", entity=entity, shed=self.shed[entity])
        return True

    def _name(self, entity: EntityId) -> None:
        if entity in self._flooding or len(self._flooding) >= NAMED:
            return
        self._flooding.add(entity)
        zh = f"{entity} 每秒上报超过 {RATE:g} 个读数，多出的已舍弃；报警不受影响"
        en = f"{entity} tells more than {RATE:g} numbers a second; the rest is left out, alarms never are"
        self._problems.raise_(_key(entity), Text(zh, en))
        log.warning("device.flood", entity=entity)


def _key(entity: EntityId) -> str:
    return f"flood.{entity}"
