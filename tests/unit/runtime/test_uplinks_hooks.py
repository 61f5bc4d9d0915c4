"""Devices known by their own messages, and devices that push by HTTP."""

from __future__ import annotations

import pytest

from hub.model.errors import DecodeError
from hub.model.ids import EntityId, entity_id
from hub.model.reading import Capability, Entity, Presence, Quality
from hub.model.text import Text
from hub.runtime.hooks import Hooks
from hub.runtime.intake import Decoder, Intake
from hub.runtime.mqtt.link import Arrival
from hub.runtime.registry import Registry
from hub.sdk import Device, Message, Push, PushAnswer, Sample, Uplink, Vitals
from tests.kit.clock import settle
from tests.kit.loop import Loop

PRESENT, ABSENT = Presence.PRESENT, Presence.ABSENT
A, B = EntityId("lora.a"), EntityId("lora.b")


def decode(message: Message) -> Uplink:
    """Read ``<unit> <value>``."""
    words = message.payload.decode().split()
    if len(words) != 2:
        raise DecodeError("two words are needed")
    unit, value = words
    entity = Entity(entity_id("lora", unit), Capability.PRESENCE, Text(unit), unit)
    owner = B if value == "foreign" else entity.id
    sample = Sample(owner, ABSENT if value == "absent" else PRESENT)
    return Uplink(Device(unit, Text(unit), (entity,), ()), (sample, Vitals(unit, battery=50)))


class Gateway:
    """An intake with one decoder of uplinks."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.registry = Registry()
        decoders = (Decoder("lora", ("up/#",), decode=decode),)
        self.intake = Intake("mqtt", loop.runtime, self.registry, decoders, loop.problems)

    async def get(self, payload: str, topic: str = "up/1") -> None:
        self.intake.arrived(Arrival(topic, payload.encode(), 0, False, False, 0, 1))
        await settle()

    def state(self, name: EntityId) -> tuple[object, Quality]:
        state = self.loop.runtime.state.states[name]
        return state.value, state.quality


async def test_a_message_that_names_its_device_makes_it_known_and_says_its_value() -> None:
    loop = Loop()
    gate = Gateway(loop)
    async with loop.running():
        await gate.get("a present")
        assert gate.state(A) == (PRESENT, Quality.GOOD)
        await gate.get("a absent")
        await gate.get("b present")
        assert (gate.state(A)[0], gate.state(B)[0]) == (ABSENT, PRESENT), "two units may share a topic"
        assert gate.registry.vitals("lora", "a") == Vitals("a", battery=50)
        announced = [kept for entry in loop.journal.entries for kept in entry.announcements]
        assert [kept.topic for kept in announced] == ["up/1#a", "up/1#b"], "written once, not with every message"


async def test_what_uplinks_made_known_is_known_after_a_restart() -> None:
    first = Loop()
    gate = Gateway(first)
    async with first.running():
        await gate.get("a present")
    second = Gateway(Loop())
    second.intake.restore([kept for entry in first.journal.entries for kept in entry.announcements], [])
    assert set(second.registry.entities) == {A}
    async with second.loop.running():
        await second.get("a present")
        assert second.loop.journal.entries[-1].announcements == []


@pytest.mark.parametrize("payload", ["nonsense", "a foreign"])
async def test_a_bad_uplink_is_counted_and_says_nothing(payload: str) -> None:
    loop = Loop()
    gate = Gateway(loop)
    async with loop.running():
        await gate.get("b absent")
        await gate.get(payload)
        assert gate.intake.counts["lora", "refused"] == 1
        assert gate.state(B)[0] is ABSENT


async def test_a_push_reaches_its_device_and_no_other() -> None:
    seen: list[Push] = []

    async def handler(push: Push) -> PushAnswer:
        seen.append(push)
        return PushAnswer(body=push.query.get("msg", "").encode())

    hooks = Hooks()
    assert hooks.open("onenet", "lane", handler) == "/hooks/onenet/lane"
    push = Push("GET", {"msg": "x"}, {}, b"")
    assert (await hooks.pushed("onenet", "lane", push)).body == b"x"
    assert (await hooks.pushed("onenet", "other", push)).status == 404
    assert seen == [push]


async def test_a_handler_that_fails_is_kept_from_the_sender() -> None:
    async def handler(push: Push) -> PushAnswer:
        raise ZeroDivisionError(push.body)

    hooks = Hooks()
    hooks.open("onenet", "lane", handler)
    answer = await hooks.pushed("onenet", "lane", Push("POST", {}, {}, b"secret"))
    assert (answer.status, answer.body) == (503, b"try again later")
