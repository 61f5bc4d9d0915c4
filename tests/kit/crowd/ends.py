"""The far ends of all devices: messages through the broker, lines of wired panels, HTTP pushes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import aiohttp

from tests.kit.crowd.messages import announcements, given_up, message
from tests.kit.crowd.units import DISCOVERY, LORAWAN, PUSHING, ZIGBEE, Unit, value
from tests.kit.generator import Generator


@dataclass(frozen=True, slots=True)
class Said:
    """One reading on its way; ``due`` is when it was to be sent, by the monotonic clock and by the wall clock."""

    unit: Unit
    value: float
    due: float
    wall: float


class Ends:
    """All devices. ``said`` is what they said, in order, without the first words by which they became known."""

    def __init__(self, units: Sequence[Unit], silence: int) -> None:
        self.units = units
        self.silence = silence
        self.said: list[Said] = []
        self.last: dict[Unit, float] = {}
        """When each was last sent (monotonic)."""
        self.refused: list[str] = []
        """Why pushes were not taken; a real device would push again, these do not."""
        self.port = 0
        self._farm: Generator | None = None
        self._hooks = ""
        self._http = aiohttp.ClientSession()
        self._server: asyncio.Server | None = None
        self._panels: dict[str, asyncio.StreamWriter] = {}
        self._pushes: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._picked_up, "127.0.0.1", 0, backlog=2_000)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._panels.values():
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._panels.values()), return_exceptions=True)
        await self._server.wait_closed()
        for task in self._pushes:
            task.cancel()
        await asyncio.gather(*self._pushes, return_exceptions=True)
        await self._http.close()

    def announce(self, farm: Generator, url: str) -> None:
        """Use the broker behind ``farm`` and the hub at ``url`` from now on, and announce what announces itself."""
        self._farm, self._hooks = farm, f"{url}hooks/{PUSHING}"
        for topic, payload in announcements(self.units, self.silence):
            farm.send(topic, payload, retain=True)

    def say(self, unit: Unit, turn: int, due: float) -> Said:
        """Have ``unit`` say what belongs to its ``turn``; turn 0 only makes it known."""
        now = time.monotonic()
        said = Said(unit, value(turn), due, time.time() - (now - due))
        if turn:
            self.said.append(said)
        self.last[unit] = now
        if unit.domain in {ZIGBEE, DISCOVERY, LORAWAN}:
            assert self._farm is not None
            self._farm.send(*message(unit, said.value))
        elif unit.domain == PUSHING:
            task = asyncio.create_task(self._push(unit, said.value))
            self._pushes.add(task)
            task.add_done_callback(self._pushed)
        else:
            name, number = unit.panel
            self._panels[f"{unit.domain}/{name}"].write(f"{number} {said.value}\n".encode())
        return said

    async def give_up(self) -> None:
        """Do as the Zigbee bridge does: tell of each of its devices once it has been silent for the limit."""
        assert self._farm is not None
        for unit in sorted((unit for unit in self.units if unit.domain == ZIGBEE), key=self.last.__getitem__):
            await asyncio.sleep(self.last[unit] + self.silence - time.monotonic())
            self._farm.send(*given_up(unit))

    async def _picked_up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._panels[(await reader.readline()).decode().strip()] = writer

    async def _push(self, unit: Unit, said: float) -> None:
        async with self._http.post(f"{self._hooks}/{unit.panel[0]}", data=str(said)) as answer:
            assert answer.status == 200, f"the hub answered {answer.status} to a push"

    def _pushed(self, task: asyncio.Task[None]) -> None:
        self._pushes.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.refused.append(str(error) or type(error).__name__)
