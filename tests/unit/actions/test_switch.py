"""The hard limits of DESIGN.md 6.9, below the rule language."""

from __future__ import annotations

import pytest

from hub.actions.switch import Switch as SwitchExecutor
from hub.model.decision import Command, Switch
from hub.model.errors import Unsupported
from hub.model.ids import ActivationId, CommandKey, EntityId, RuleId, SiteId, ZoneId
from hub.model.site import Role, Site, Zone, ZoneKind
from hub.model.text import Text
from hub.model.time import HOUR, Duration, Instant

LIFT = ZoneId("lift")


class Contact:
    """A relay that notes how long it was held."""

    def __init__(self) -> None:
        self.held: list[float] = []

    async def hold(self, seconds: float, key: CommandKey) -> None:
        assert key
        self.held.append(seconds)


class Equipped:
    def __init__(self, relay: Contact) -> None:
        self._relay = relay

    def driver(self, entity: EntityId) -> Contact:
        assert entity == "io.hold"
        return self._relay


def command(role: Role, hold: int) -> Command:
    names = (RuleId("r"), LIFT, Instant(0), CommandKey("k"), ActivationId("a"))
    return Command(*names, "open", Switch(role, Duration(hold)), Duration(HOUR))


def executor(relay: Contact) -> SwitchExecutor:
    zone = Zone(LIFT, ZoneKind.LIFT_CAR, Text("电梯"), bind={Role.DOOR_HOLD: (EntityId("io.hold"),)})
    site = Site(SiteId("s"), Text("s"), "Asia/Shanghai", {}, {LIFT: zone}, {}, {})
    return SwitchExecutor(lambda: site, Equipped(relay))


async def test_a_door_hold_ends_after_a_minute_whatever_the_rule_says() -> None:
    relay = Contact()
    done = await executor(relay).perform(command(Role.DOOR_HOLD, HOUR))
    assert relay.held == [60]
    assert done.detail == {"seconds": 60}


async def test_a_role_without_a_limit_is_never_switched() -> None:
    relay = Contact()
    with pytest.raises(Unsupported):
        await executor(relay).perform(command(Role.DOOR, 1))
    assert relay.held == []
