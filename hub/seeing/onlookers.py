"""Who looks on live at which camera: one sitting is one row of the audit trail, however many pieces it fetches."""

from __future__ import annotations

from hub.model.ids import EntityId
from hub.model.time import SECOND, Duration, Instant

#: Without a fetch for so long, a sitting is over, and the next look is another one.
SITTING = Duration(60 * SECOND)


class Onlookers:
    """Sittings of this run of the hub; a restart begins new ones."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, EntityId], Instant] = {}

    def begins(self, user: str, camera: EntityId, now: Instant) -> bool:
        """Note a look; return whether it begins a sitting."""
        self._last = {who: at for who, at in self._last.items() if abs(now - at) <= SITTING}
        new = (user, camera) not in self._last
        self._last[user, camera] = now
        return new
