"""The connection to the broker, by itself: what is asked for is asked at once."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from hub.runtime.mqtt.link import Arrival, Link
from tests.kit.broker import Broker
from tests.kit.mqtt import need_mosquitto, publish

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]


class Listener:
    """Hears what comes; there is always room."""

    full = False

    def __init__(self) -> None:
        self.up, self.heard = asyncio.Event(), asyncio.Queue[Arrival]()

    def arrived(self, arrival: Arrival) -> None:
        self.heard.put_nowait(arrival)

    def connected(self, *, resumed: bool) -> None:
        """Nothing to do before it is in sync."""

    def lost(self, reason: str) -> None:
        """It comes back by itself."""

    def synced(self, *, resumed: bool) -> None:
        self.up.set()

    async def room(self) -> None:
        """There is."""


async def test_who_speaks_as_soon_as_it_is_known_is_heard(broker: Broker) -> None:
    need_mosquitto()
    listener = Listener()
    link = Link(broker.url, "menshen-test", listener)
    running = asyncio.create_task(link.run())
    try:
        async with asyncio.timeout(30):
            await listener.up.wait()
            link.subscribe(["lane/state"])
            publish(broker.port, "lane/state", "ON")  # while it lasts, the loop stands still as on a busy machine
            assert (await listener.heard.get()).payload == b"ON"
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
