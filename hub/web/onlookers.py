"""Who looks on live: one sitting is one row of the audit trail, however many pictures or pieces it fetches."""

from __future__ import annotations

from aiohttp import web

from hub.model.time import SECOND, Duration, Instant

#: Without a fetch for so long, a sitting is over, and the next look is another one.
SITTING = Duration(60 * SECOND)


class Onlookers:
    """Sittings of this run of the hub; a restart begins new ones."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], Instant] = {}

    def begins(self, user: str, place: str, now: Instant) -> bool:
        """Note a look at a zone or through a camera; return whether it begins a sitting."""
        self._last = {who: at for who, at in self._last.items() if abs(now - at) <= SITTING}
        new = (user, place) not in self._last
        self._last[user, place] = now
        return new


ONLOOKERS: web.AppKey[Onlookers] = web.AppKey("onlookers", Onlookers)
