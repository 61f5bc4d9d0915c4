"""A sensor's line to its MQTT broker: greets on every connection, repeats as heartbeat, comes back by itself."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import aiomqtt

from integrations.sim.process import Address

#: First and longest pause before another try, in seconds; doubled each time, with up to a quarter of jitter.
BACKOFF = (0.2, 5.0)
#: MQTT keep-alive in seconds: the broker publishes the will after one and a half of it (MQTT 3.1.1, 3.1.2.10).
KEEP_ALIVE = 10


@dataclass(frozen=True)
class Publication:
    """One message; all of these devices' messages are QoS 1, and retained unless said otherwise."""

    topic: str
    payload: str
    retain: bool = True


@dataclass
class Link:
    """The line of one device."""

    broker: Address
    identifier: str
    online: Publication
    offline: Publication
    greeting: Callable[[], list[Publication]]
    """What the device says on every connection besides ``online``: discovery, then its state."""
    state: Callable[[], Publication]
    heartbeat: float
    """Seconds after which the state is said again."""
    user: str | None = None
    password: str | None = None
    connected: bool = False
    _changes: asyncio.Queue[Publication] = field(default_factory=lambda: asyncio.Queue(maxsize=256))

    def changed(self) -> None:
        """Say the present state soon; while the broker is away, only the last state is said later."""
        if self.connected and not self._changes.full():
            self._changes.put_nowait(self.state())

    async def keep(self) -> None:
        """Hold the line until cancelled."""
        pause = BACKOFF[0]
        while True:
            try:
                async with self._client() as client:
                    pause = BACKOFF[0]
                    await self._talk(client)
            except aiomqtt.MqttError:
                pass
            finally:
                self.connected = False
            await asyncio.sleep(pause * random.uniform(1, 1.25))  # noqa: S311 - jitter, no secret
            pause = min(pause * 2, BACKOFF[1])

    def _client(self) -> aiomqtt.Client:
        will = aiomqtt.Will(self.offline.topic, self.offline.payload, qos=1, retain=self.offline.retain)
        return aiomqtt.Client(
            self.broker.host,
            self.broker.port,
            identifier=self.identifier,
            username=self.user,
            password=self.password,
            keepalive=KEEP_ALIVE,
            timeout=5,
            will=will,
        )

    async def _talk(self, client: aiomqtt.Client) -> None:
        while not self._changes.empty():  # older than the greeting
            self._changes.get_nowait()
        self.connected = True
        for message in (self.online, *self.greeting()):
            await _say(client, message)
        loss = asyncio.create_task(_until_lost(client))
        try:
            while not loss.done():
                change = asyncio.create_task(self._changes.get())
                done, _ = await asyncio.wait({loss, change}, timeout=self.heartbeat, return_when="FIRST_COMPLETED")
                if change in done:
                    await _say(client, change.result())
                else:
                    change.cancel()
                if not done:
                    await _say(client, self.state())
            await loss
        except asyncio.CancelledError:
            with contextlib.suppress(aiomqtt.MqttError):
                await _say(client, self.offline)
            raise
        finally:
            loss.cancel()
            await asyncio.wait([loss])
            if not loss.cancelled():
                loss.exception()  # seen: the connection's loss was handled above


async def _say(client: aiomqtt.Client, message: Publication) -> None:
    await client.publish(message.topic, message.payload, qos=1, retain=message.retain)


async def _until_lost(client: aiomqtt.Client) -> None:
    """Raise MqttError when the connection is lost: aiomqtt says so only to whoever reads messages."""
    async for _ in client.messages:
        pass
