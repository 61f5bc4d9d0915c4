"""How many lines were of no use, as an entity: a wrong baud rate or a bad cable shows on the page."""

from __future__ import annotations

from hub.sdk import Capability, Entity, EntityId, Sample, Text, clean, entity_id
from integrations.serial_lines.config import DOMAIN, Config


def garbage_entity(name: str, config: Config) -> Entity:
    """Return the entity that counts for the board ``name``."""
    return Entity(
        id=entity_id(DOMAIN, f"{name}_garbage"),
        capability=Capability.MEASURE,
        name=Text(f"{config.name.zh} 无效行数", config.name.en and f"{config.name.en} useless lines"),
        device=clean(config.name.zh),
    )


class Garbage:
    """Counts since the port was opened."""

    def __init__(self, entity: EntityId) -> None:
        self.undecoded = 0
        self._entity = entity
        self._due = 0

    def news(self, too_long: int) -> tuple[Sample, ...]:
        """Return the count when it is 0 (the first time) or has doubled: noise must not fill the journal."""
        count = self.undecoded + too_long
        if count < self._due:
            return ()
        self._due = max(1, count * 2)
        return (Sample(self._entity, float(count)),)
