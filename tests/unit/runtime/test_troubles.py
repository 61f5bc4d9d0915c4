"""The hub's own trouble: one reading for each cause that is bound, one incident for it, and none for a short one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from hub.config.stories import load_story
from hub.model.decision import IncidentClosed, IncidentOpened
from hub.model.ids import EntityId, ZoneId
from hub.model.reading import Alarm, Quality
from hub.model.site import Role, Zone, ZoneKind
from hub.model.text import Text
from hub.model.time import MINUTE, SECOND
from hub.runtime.registry import Registry
from hub.runtime.troubles import Cause, Troubles, entity
from tests.kit.clock import settle
from tests.kit.lane import site
from tests.kit.loop import IMPATIENT, Loop

RULES = Path(__file__).parents[3] / "rules"
(RULE,) = load_story(RULES / "stories" / "hub_trouble.yaml").program.rules
WHY = Text("磁盘将满", "nearly full")


class Watched(Loop):
    """A loop whose site has a zone for each of ``bound``."""

    def __init__(self, *bound: Cause) -> None:
        zones = {
            ZoneId(f"hub_{cause}"): Zone(ZoneId(f"hub_{cause}"), ZoneKind.HUB, WHY, bind={Role.ALARM: (entity(cause),)})
            for cause in bound
        }
        super().__init__(RULE, of=msgspec.structs.replace(site(), zones=zones))
        self.runtime.post(lambda batch: batch.adopt(self.runtime.program))
        self.registry = Registry()
        self.troubles = Troubles(lambda: self.site, self.registry, self.runtime, self.problems, self.clock)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        async with self.running():
            self.troubles.watch()
            await settle()
            try:
                yield
            finally:
                self.troubles.close()

    def said(self, cause: Cause) -> list[tuple[Alarm, Quality]]:
        readings = [reading for entry in self.journal.entries for reading in entry.readings]
        return [(reading.value, reading.quality) for reading in readings if reading.entity == entity(cause)]  # type: ignore[misc]

    def incidents(self) -> tuple[list[str], int]:
        opened, closed = self.journal.of(IncidentOpened), self.journal.of(IncidentClosed)
        return [str(one.zone) for one in opened if isinstance(one, IncidentOpened)], len(closed)


CLEAR, ACTIVE = (Alarm.CLEAR, Quality.GOOD), (Alarm.ACTIVE, Quality.GOOD)


async def test_a_cause_is_one_incident_however_often_it_is_told_and_closes_by_itself() -> None:
    loop = Watched(Cause.DISK, Cause.CLOCK)
    async with loop.watching():
        for percent in (9, 8, 7):
            loop.problems.raise_("disk", Text(f"{percent}%", f"{percent}%"))
            await loop.clock.run(20 * SECOND)
        loop.problems.settle("disk")
        await loop.clock.run(30 * SECOND)
        loop.problems.raise_("disk", WHY)
        await loop.clock.run(MINUTE)
        assert loop.incidents() == (["hub_disk"], 0)
        loop.problems.settle("disk")
        await loop.clock.run(MINUTE + SECOND)
        assert loop.incidents() == (["hub_disk"], 1)
        assert loop.said(Cause.DISK) == [CLEAR, ACTIVE, CLEAR, ACTIVE, CLEAR]
        assert loop.said(Cause.CLOCK) == [CLEAR]


async def test_two_causes_are_two_incidents() -> None:
    loop = Watched(*Cause)
    async with loop.watching():
        loop.problems.raise_("clock", WHY)
        loop.problems.raise_("cameras", WHY)
        loop.problems.raise_("device.firmware_node.x", WHY)  # a device's own trouble is not the hub's
        await loop.clock.run(10 * SECOND)
        assert loop.incidents() == (["hub_clock", "hub_cameras"], 0)


async def test_a_broker_is_trouble_after_a_minute_and_not_before() -> None:
    loop = Watched(Cause.BROKER)
    async with loop.watching():
        loop.problems.raise_("link.mqtt", WHY)
        await loop.clock.run(59 * SECOND)
        loop.problems.settle("link.mqtt")
        await loop.clock.run(MINUTE)
        assert loop.said(Cause.BROKER) == [CLEAR]
        loop.problems.raise_("link.mqtt", WHY)
        await loop.clock.run(MINUTE + 6 * SECOND)
        assert loop.incidents() == (["hub_broker"], 0)
        loop.problems.settle("link.mqtt")
        await loop.clock.run(2 * MINUTE)
        assert loop.incidents() == (["hub_broker"], 1)


async def test_a_journal_that_refuses_is_an_incident_as_soon_as_it_can_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(*IMPATIENT)
    loop = Watched(Cause.JOURNAL)
    async with loop.watching():
        loop.journal.refuses = True
        await loop.hear(EntityId("any.thing"), Alarm.ACTIVE)
        for _ in range(20):  # turns of the loop that are tried again, and time for the rule
            loop.clock.advance(SECOND)
            await settle()
        assert "journal" in loop.problems
        assert loop.incidents() == ([], 0), "nothing is on the disk"
        (banner,) = loop.problems.texts()
        assert "未记录" not in banner.zh, "nobody must go and look at the hub's own zone"
        loop.journal.refuses = False
        for _ in range(20):
            await settle()
        assert "journal" not in loop.problems
        assert loop.incidents() == (["hub_journal"], 0)
        await loop.clock.run(2 * MINUTE)
        assert loop.incidents() == (["hub_journal"], 1)
        assert loop.said(Cause.JOURNAL) == [CLEAR, ACTIVE, CLEAR]


async def test_a_site_without_such_zones_has_the_banner_alone_until_it_has_them() -> None:
    loop = Watched()
    async with loop.watching():
        loop.problems.raise_("disk", WHY)
        await loop.clock.run(MINUTE)
        assert [entry.readings for entry in loop.journal.entries if entry.readings] == []
        assert loop.registry.entities == {}
        loop.site = Watched(Cause.DISK).site
        loop.troubles.look()
        await settle()
        assert loop.said(Cause.DISK) == [ACTIVE]
        assert list(loop.registry.entities) == [entity(Cause.DISK)]
