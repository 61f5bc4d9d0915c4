"""The connection to the broker, by itself: what is asked for is asked at once, and what the broker answers is known."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.runtime.mqtt.link import Arrival, Link
from tests.kit.broker import Broker, only_heard
from tests.kit.mqtt import need_mosquitto, publish

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]


class Listener:
    """Hears what comes; there is always room."""

    full = False

    def __init__(self) -> None:
        self.up, self.heard = asyncio.Event(), asyncio.Queue[Arrival]()
        self.no = asyncio.Queue[tuple[str, ...]]()

    def arrived(self, arrival: Arrival) -> None:
        self.heard.put_nowait(arrival)

    def connected(self, *, resumed: bool) -> None:
        """Nothing to do before it is in sync."""

    def lost(self, reason: str) -> None:
        """It comes back by itself."""

    def refused(self, topics: tuple[str, ...]) -> None:
        self.no.put_nowait(topics)

    def synced(self, *, resumed: bool) -> None:
        self.up.set()

    async def room(self) -> None:
        """There is."""


@contextlib.asynccontextmanager
async def linked(broker: Broker) -> AsyncIterator[tuple[Link, Listener]]:
    """Lend a link that is up."""
    listener = Listener()
    link = Link(broker.url, "menshen-test", listener)
    running = asyncio.create_task(link.run())
    try:
        async with asyncio.timeout(30):
            await listener.up.wait()
            yield link, listener
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def test_who_speaks_as_soon_as_it_is_known_is_heard(broker: Broker) -> None:
    need_mosquitto()
    async with linked(broker) as (link, listener):
        link.subscribe(["lane/state"])
        publish(broker.port, "lane/state", "ON")  # while it lasts, the loop stands still as on a busy machine
        assert (await listener.heard.get()).payload == b"ON"


async def test_a_topic_is_unconfirmed_until_the_broker_has_answered(broker: Broker) -> None:
    need_mosquitto()
    async with linked(broker) as (link, listener):
        assert link.unconfirmed == 0
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            link.subscribe([f"lane/{number}" for number in range(250)])  # more than one SUBSCRIBE
            await asyncio.sleep(0.1)
            assert link.unconfirmed == 250
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        publish(broker.port, "lane/249", "ON")
        assert (await listener.heard.get()).payload == b"ON"
        assert link.unconfirmed == 0, "the answer comes before what is said on the topic"


async def test_what_the_broker_refuses_is_told(tmp_path: Path) -> None:
    need_mosquitto()
    broker = Broker(tmp_path / "broker", extra=only_heard("lane/#", "menshen/#", folder=tmp_path))
    broker.start()
    try:
        async with linked(broker) as (link, listener):
            link.subscribe(["door/state", "lane/state", "lift/state"])
            assert await listener.no.get() == ("door/state", "lift/state")
            assert link.unconfirmed == 0
            publish(broker.port, "lane/state", "ON")
            assert (await listener.heard.get()).payload == b"ON"
    finally:
        broker.stop()
