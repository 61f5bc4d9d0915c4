"""Relays that publish what they are told on ``out/<number>``: the far side of the loop of tests.bench.mqtt."""

from __future__ import annotations

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from hub.sdk import Capability, CommandKey, Connection, Entity, Equipment, Plugin, Text, Tools, entity_id

plugin = Plugin("bench_relay")


class Config(msgspec.Struct, frozen=True):
    """Which broker, and how many relays."""

    name: Text
    port: int
    count: int
    qos: int = 0


class Relay:
    """One relay."""

    def __init__(self, client: paho.Client, number: int, qos: int) -> None:
        self._client = client
        self._topic = f"out/{number}"
        self._qos = qos

    async def hold(self, seconds: float, key: CommandKey) -> None:
        """Publish that it is held."""
        self._client.publish(self._topic, key, self._qos)


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> Connection:
    """Connect to the broker."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="bench-relay")
    client.max_inflight_messages_set(10_000)
    client.connect("127.0.0.1", config.port)
    client.loop_start()

    async def close() -> None:
        client.disconnect()
        client.loop_stop()

    relays = (
        Equipment(
            Entity(entity_id("bench_relay", f"relay_{number}"), Capability.RELAY, config.name, "bench"),
            Relay(client, number, config.qos),
        )
        for number in range(config.count)
    )
    return Connection(tuple(relays), close=close)
