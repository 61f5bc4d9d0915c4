"""A contact is told by its notifier."""

from __future__ import annotations

from typing import Any

import pytest

from hub.actions.notify import Notify as NotifyExecutor
from hub.model.decision import Notify
from hub.model.errors import DeviceError, Unsupported
from hub.model.ids import EntityId, SiteId
from hub.model.site import Contact, Site, Zone, ZoneKind
from hub.model.text import Text
from hub.sdk import Notice
from tests.kit.facts import command
from tests.kit.lane import LANE

DUTY = EntityId("wecom.duty")
GUARD = command(Notify("guard"))


class Robot:
    """A notifier that keeps what it was given."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    async def tell(self, notice: Notice) -> None:
        self.notices.append(notice)


class Equipped:
    def __init__(self, robot: Robot | None) -> None:
        self._robot = robot

    def driver(self, entity: EntityId) -> Any:
        return self._robot if entity == DUTY else None


def executor(robot: Robot | None, contact: Contact) -> NotifyExecutor:
    zone = Zone(LANE, ZoneKind.FIRE_LANE, Text("消防通道", "Lane"))
    site = Site(SiteId("s"), Text("小区"), "Asia/Shanghai", {}, {LANE: zone}, {contact.id: contact}, {})
    http: Any = None
    return NotifyExecutor(lambda: site, lambda rule: Text(rule), http, Equipped(robot))


async def test_a_contact_is_told_by_its_notifier() -> None:
    robot = Robot()
    done = await executor(robot, Contact("guard", Text("保安"), notifier=DUTY)).perform(GUARD)
    (notice,) = robot.notices
    assert (notice.key, notice.contact.zh, notice.zone.zh) == (GUARD.key, "保安", "消防通道")
    assert done.detail == {"contact": "guard"}


async def test_a_notifier_that_is_not_set_up_is_said() -> None:
    with pytest.raises(DeviceError, match=r"wecom\.duty is not set up"):
        await executor(None, Contact("guard", Text("保安"), notifier=DUTY)).perform(GUARD)


async def test_a_contact_that_is_gone_is_said() -> None:
    with pytest.raises(Unsupported, match="no longer"):
        await executor(Robot(), Contact("manager", Text("经理"), notifier=DUTY)).perform(GUARD)
