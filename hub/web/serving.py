"""Which zones an entity serves, for every reading: looked up, and made anew when the site is another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.model.ids import EntityId, ZoneId
    from hub.model.site import Site


class Serving:
    """The bindings of the present site, the other way round."""

    def __init__(self, site: Callable[[], Site]) -> None:
        self._site = site
        self._of: Site | None = None
        self._zones: dict[EntityId, frozenset[ZoneId]] = {}

    def __call__(self, entity: EntityId) -> frozenset[ZoneId]:
        """Return the zones that ``entity`` is bound to."""
        site = self._site()
        if site is not self._of:
            found: dict[EntityId, set[ZoneId]] = {}
            for zone in site.zones.values():
                for bound in zone.bind.values():
                    for one in bound:
                        found.setdefault(one, set()).add(zone.id)
            self._of, self._zones = site, {one: frozenset(zones) for one, zones in found.items()}
        return self._zones.get(entity, frozenset())
