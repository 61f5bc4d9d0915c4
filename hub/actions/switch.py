"""Holds a relay for a time. The hard limits of DESIGN.md 6.9 are enforced here, below the rule language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.model.decision import Switch as SwitchAction
from hub.model.errors import DeviceError, Unsupported
from hub.model.execution import Done
from hub.model.site import Role
from hub.model.time import HOUR, SECOND
from hub.sdk import Relay

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hub.actions.capture import Equipped
    from hub.model.decision import Command
    from hub.model.site import Site

#: Longest that a relay is held, by role; a role that is not here is never switched. A door-hold request ends after
#: 60 s whatever happens, and no role closes or locks anything (DESIGN.md 6.9).
LONGEST: Mapping[Role, int] = {Role.DOOR_HOLD: 60 * SECOND, Role.LIGHT: HOUR}


class Switch:
    """Executor of ``switch``."""

    def __init__(self, site: Callable[[], Site], equipped: Equipped) -> None:
        self._site = site
        self._equipped = equipped

    async def perform(self, command: Command) -> Done:
        """Hold every relay of the role in the zone, never longer than its limit."""
        action = command.action
        if not isinstance(action, SwitchAction) or action.role not in LONGEST:
            raise Unsupported("the hub never switches this")
        zone = self._site().zones.get(command.zone)
        relays = () if zone is None else zone.bound(action.role)
        if not relays:
            raise Unsupported(f"no {action.role} is bound to this zone")
        seconds = min(action.hold, LONGEST[action.role]) / SECOND
        for entity in relays:
            relay = self._equipped.driver(entity)
            if not isinstance(relay, Relay):
                raise DeviceError(f"{entity} is not set up")
            await relay.hold(seconds, command.key)
        return Done(detail={"seconds": seconds})
