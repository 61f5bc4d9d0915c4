"""The magnetometer and the Zigbee2MQTT door against a real Mosquitto."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import aiomqtt
import pytest

from tests.kit.broker import Broker
from tests.kit.patience import eventually
from tests.kit.program import Program


@asynccontextmanager
async def ear(broker: Broker, *topics: str) -> AsyncIterator[aiomqtt.Client]:
    async with aiomqtt.Client(broker.host, broker.port) as client:
        for topic in topics:
            await client.subscribe(topic, qos=1)
        yield client


async def next_of(client: aiomqtt.Client, topic: str) -> aiomqtt.Message:
    """Return the next message on ``topic``."""
    async with asyncio.timeout(10):
        async for message in client.messages:
            if str(message.topic) == topic:
                return message
    raise AssertionError("the broker went away")


def text(message: aiomqtt.Message) -> str:
    assert isinstance(message.payload, bytes)
    return message.payload.decode()


async def value_of(client: aiomqtt.Client, topic: str, key: str) -> Any:
    return json.loads(text(await next_of(client, topic)))[key]


async def put(http: aiohttp.ClientSession, sensor: Program, scene: dict[str, bool]) -> None:
    async with http.put(sensor.url("/scene", "control"), json=scene) as answer:
        assert answer.status == 200


async def test_magnetometer(http: aiohttp.ClientSession, broker: Broker) -> None:
    state, availability = "magnetometer/lane_3/state", "magnetometer/lane_3/availability"
    module = "integrations.sim.magnetometer"
    async with ear(broker, "homeassistant/#", "magnetometer/#") as client:
        with Program(module, "--mqtt", broker.address, "--id", "lane_3", "--heartbeat", "60") as sensor:
            assert text(await next_of(client, availability)) == "online"
            found = json.loads(text(await next_of(client, "homeassistant/binary_sensor/lane_3/vehicle/config")))
            assert found["device_class"] == "occupancy"
            assert (found["state_topic"], found["availability_topic"]) == (state, availability)
            assert found["unique_id"]
            assert found["device"]["identifiers"]
            assert await value_of(client, state, "occupancy") == "OFF"
            await put(http, sensor, {"vehicle": True})
            message = await next_of(client, state)
            assert json.loads(text(message))["occupancy"] == "ON"
            assert message.qos == 1
            await put(http, sensor, {"vehicle": True})  # no change, nothing said
            await put(http, sensor, {"vehicle": False})
            await put(http, sensor, {"vehicle": True})
            assert [await value_of(client, state, "occupancy") for _ in range(2)] == ["OFF", "ON"]
            async with ear(broker, "homeassistant/#", state, availability) as newcomer:  # all of it is retained
                kept = {str((message := await anext(newcomer.messages)).topic): message for _ in range(3)}
                assert all(message.retain for message in kept.values())
                assert json.loads(text(kept[state]))["occupancy"] == "ON"
            sensor.kill()
            assert text(await next_of(client, availability)) == "offline", "the last will"


async def test_the_heartbeat_repeats_the_state_and_a_clean_end_says_goodbye(broker: Broker) -> None:
    module = "integrations.sim.magnetometer"
    async with ear(broker, "magnetometer/#") as client:
        with Program(module, "--mqtt", broker.address, "--heartbeat", "0.2") as sensor:
            said = [await value_of(client, "magnetometer/lane_3/state", "occupancy") for _ in range(4)]
            assert said == ["OFF"] * 4
            code, _, errors = sensor.terminate()
            assert (code, errors) == (0, "")
        while text(await next_of(client, "magnetometer/lane_3/availability")) != "offline":
            pass


async def test_it_comes_back_after_the_broker_was_away(http: aiohttp.ClientSession, broker: Broker) -> None:
    async def connected() -> bool:
        async with http.get(sensor.url("/scene", "control")) as answer:
            return bool((await answer.json())["connected"])

    with Program("integrations.sim.magnetometer", "--mqtt", broker.address, "--heartbeat", "60") as sensor:
        await eventually(connected, bool)
        broker.kill()
        await eventually(connected, lambda up: not up)
        await put(http, sensor, {"vehicle": True})
        broker.start()
        async with ear(broker, "#") as client:
            assert await value_of(client, "magnetometer/lane_3/state", "occupancy") == "ON"


async def test_zigbee_door(http: aiohttp.ClientSession, broker: Broker) -> None:
    module = "integrations.sim.zigbee_door"
    async with ear(broker, "zigbee2mqtt/#") as client:
        with Program(module, "--mqtt", broker.address, "--id", "3号楼单元门", "--heartbeat", "60") as door:
            assert await value_of(client, "zigbee2mqtt/bridge/state", "state") == "online"
            devices = json.loads(text(await next_of(client, "zigbee2mqtt/bridge/devices")))
            contact = next(one for one in devices if one["type"] == "EndDevice")
            assert contact["definition"]["model"] == "MCCGQ11LM"
            assert contact["friendly_name"] == "3号楼单元门"
            topic = "zigbee2mqtt/3号楼单元门"
            assert await value_of(client, f"{topic}/availability", "state") == "online"
            first = json.loads(text(await next_of(client, topic)))
            assert {"battery", "voltage", "linkquality"} <= set(first)
            assert first["contact"] is True, "closed"
            await put(http, door, {"open": True})
            assert await value_of(client, topic, "contact") is False
            door.kill()
            assert await value_of(client, "zigbee2mqtt/bridge/state", "state") == "offline"


@pytest.mark.parametrize("body", ["{}", "[]", "no", '{"vehicle": 1}', '{"vehicle": true, "more": 1}', "[" * 5000])
async def test_the_control_refuses_anything_else(http: aiohttp.ClientSession, body: str) -> None:
    with Program("integrations.sim.magnetometer", "--mqtt", "127.0.0.1:1") as sensor:
        async with http.put(sensor.url("/scene", "control"), data=body) as answer:
            assert answer.status == 400
