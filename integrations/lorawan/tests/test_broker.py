"""The messages by way of a real broker: the filters take them, and a retained one is known as such."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from hub.sdk import Message
from integrations.lorawan.config import filters
from integrations.lorawan.tests.play import CONFIG, outcome
from tests.kit.broker import Broker
from tests.kit.captures import read_captures
from tests.kit.mqtt import need_mosquitto, publish

CAPTURES = read_captures(Path(__file__).parents[1] / "captures" / "servers.jsonl")
#: Seconds in which the broker hands everything on.
PATIENCE = 20


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    need_mosquitto()
    broker = Broker(tmp_path / "broker")
    broker.start()
    yield broker
    broker.stop()


async def test_uplinks_of_both_servers_arrive_and_decode(broker: Broker) -> None:
    (kept,) = [capture for capture in CAPTURES if capture.message.retained]
    live = [capture for capture in CAPTURES if not capture.message.retained]
    await asyncio.to_thread(publish, broker.port, kept.message.topic, kept.message.payload, retain=True)
    found: list[Message] = []
    async with asyncio.timeout(PATIENCE), aiomqtt.Client("127.0.0.1", broker.port) as client:
        for mask in filters(CONFIG):
            await client.subscribe(mask, qos=1)
        for capture in live:
            await asyncio.to_thread(publish, broker.port, capture.message.topic, capture.message.payload)
        foreign = "application/a/device/1000000000000001/event/join"
        await asyncio.to_thread(publish, broker.port, foreign, b"{}")
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            found.append(Message(str(message.topic), message.payload, message.retain))
            if len(found) == len(CAPTURES):
                break
    expected = [kept, *live]
    assert [message.retained for message in found] == [True] + [False] * len(live)
    assert [outcome(message, CONFIG) for message in found] == [capture.expect for capture in expected]
