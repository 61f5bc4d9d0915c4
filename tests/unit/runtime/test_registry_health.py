"""Who owns an entity, and when a device that promised to repeat itself has fallen silent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hub.model.ids import EntityId
from hub.model.reading import Capability, Entity, Presence, Quality
from hub.model.text import Text
from hub.model.time import HOUR
from hub.runtime.health import Health
from hub.runtime.registry import Registry
from hub.sdk import Device, Equipment, Route
from tests.kit.clock import settle
from tests.kit.lane import CAR, LEFT, RIGHT, seconds
from tests.kit.loop import Loop


def device(*names: EntityId, topic: str = "", expire: int | None = None) -> Device:
    entities = tuple(Entity(name, Capability.PRESENCE, Text(name), "d", expire_after=expire) for name in names)
    routes = tuple(Route(topic or f"state/{name}", lambda message: ()) for name in names)
    return Device(names[0], Text("d"), entities, routes)


def test_announce_replace_withdraw() -> None:
    registry = Registry()
    first = registry.announce("a", "find/1", (device(CAR), device(LEFT)))
    assert (first.listen, first.unlisten, first.withdrawn) == ((f"state/{CAR}", f"state/{LEFT}"), (), ())
    again = registry.announce("a", "find/1", (device(CAR), device(LEFT)))
    assert (again.listen, again.unlisten, again.withdrawn, again.refused) == ((), (), (), ())
    other = registry.announce("a", "find/1", (device(LEFT, topic="elsewhere"), device(RIGHT)))
    assert other.listen == ("elsewhere", f"state/{RIGHT}")
    assert other.unlisten == (f"state/{CAR}", f"state/{LEFT}")
    assert other.withdrawn == (CAR,)
    assert registry.routes(f"state/{CAR}") == ()
    gone = registry.announce("a", "find/1", ())
    assert gone.withdrawn == (LEFT, RIGHT)
    assert (registry.entities, registry.topics()) == ({}, ())


def test_an_entity_has_one_owner_the_first() -> None:
    registry = Registry()
    registry.announce("a", "find/1", (device(CAR),))
    second = registry.announce("b", "find/2", (device(CAR, topic="stolen"), device(LEFT)))
    assert second.refused == (CAR,)
    assert second.listen == (f"state/{LEFT}",), "the device that is refused is refused whole"
    assert registry.entities[CAR].integration == "a"
    registry.announce("b", "find/2", ())
    assert registry.entity(CAR) is not None, "whoever was refused takes nothing away"


def test_a_topic_may_lead_to_several() -> None:
    registry = Registry()
    registry.announce("a", "find/1", (device(CAR, topic="shared"),))
    second = registry.announce("b", "find/2", (device(LEFT, topic="shared"),))
    assert len(registry.routes("shared")) == 2
    gone = registry.announce("a", "find/1", ())
    assert (second.unlisten, gone.unlisten) == ((), ())
    assert [integration for integration, _ in registry.routes("shared")] == ["b"]


class Mouth:
    async def play(self, clip: object, volume: int, key: object) -> None: ...


def test_what_is_commanded_is_not_sensed() -> None:
    registry, mouth = Registry(), Mouth()
    name = EntityId("x.speaker")
    registry.equip("x", "horn", [Equipment(Entity(name, Capability.SPEAKER, Text("喇叭"), "d"), mouth)])
    registry.announce("a", "find/1", (device(CAR),))
    assert registry.driver(name) is mouth
    assert registry.driver(CAR) is None
    assert registry.sensed() == (CAR,)


class Ward:
    """A loop with one device that repeats itself every minute."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.registry = Registry()
        self.registry.announce("a", "1", (device(CAR, expire=seconds(60)), device(LEFT)))
        self.health = Health(self.loop.runtime, self.registry, self.loop.clock)
        self.loop.runtime.listen(self.health.heard)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Loop]:
        """Run while the context lasts."""
        async with self.loop.running():
            await self.loop.hear(CAR, Presence.PRESENT)
            await self.loop.hear(LEFT, Presence.PRESENT)
            yield self.loop
            self.health.close()

    def quality(self, name: EntityId = CAR) -> Quality:
        """Return how far an entity is trusted."""
        return self.loop.runtime.state.states[name].quality


async def test_a_silent_device_is_stale_after_its_time() -> None:
    ward = Ward()
    async with ward.open() as loop:
        await loop.clock.run(seconds(60) - 10)
        assert ward.quality() is Quality.GOOD
        await loop.clock.run(20)
        assert ward.quality() is Quality.STALE
        assert ward.quality(LEFT) is Quality.GOOD, "it promised nothing"


async def test_a_repeat_keeps_it_alive() -> None:
    ward = Ward()
    async with ward.open() as loop:
        for _ in range(10):
            await loop.clock.run(seconds(50))
            await loop.hear(CAR, Presence.PRESENT)
        assert ward.quality() is Quality.GOOD
        await loop.clock.run(seconds(61))
        assert ward.quality() is Quality.STALE


async def test_what_the_device_says_of_itself_is_no_repeat() -> None:
    ward = Ward()
    async with ward.open() as loop:
        await loop.clock.run(seconds(50))
        await loop.hear(CAR, None, Quality.GOOD)
        await loop.clock.run(seconds(11))
        assert ward.quality() is Quality.STALE


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_a_jump_of_the_clock_changes_nothing(by: int) -> None:
    ward = Ward()
    async with ward.open() as loop:
        await loop.clock.run(seconds(30))
        loop.clock.jump(by)
        loop.runtime.clock_jumped(by)
        await settle()
        await loop.clock.run(seconds(29))
        assert ward.quality() is Quality.GOOD
        await loop.clock.run(seconds(2))
        assert ward.quality() is Quality.STALE


async def test_what_fell_silent_while_its_link_was_away_is_noticed() -> None:
    ward = Ward()
    async with ward.open() as loop:
        loop.runtime.post(lambda batch: batch.trust((CAR,), Quality.STALE))
        await loop.clock.run(seconds(300))
        loop.runtime.post(lambda batch: batch.trust((CAR,), Quality.GOOD))
        await settle()
        assert ward.quality() is Quality.GOOD
        await loop.clock.run(seconds(61))
        assert ward.quality() is Quality.STALE


async def test_what_fell_silent_before_a_restart_is_noticed() -> None:
    ward = Ward()
    async with ward.open() as loop:
        again = Health(loop.runtime, ward.registry, loop.clock)
        ward.health.close()
        again.watch(loop.runtime.state.states)
        await loop.clock.run(seconds(61))
        assert ward.quality() is Quality.STALE
        again.close()
