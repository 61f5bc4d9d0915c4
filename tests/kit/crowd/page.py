"""What a program sees of many devices through the API: values as they change, and devices that fall silent."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any, Self

import aiohttp

from tests.kit.crowd.ends import Ends, Said
from tests.kit.crowd.units import Unit
from tests.kit.hub import HubProcess

#: Seconds between two looks at all entities.
LOOK = 0.2


class Page:
    """A program that listens to ``/api/v1/ws`` and fetches what changed, as the page does."""

    def __init__(self, hub: HubProcess) -> None:
        self._api = f"{hub.url}api/v1/"
        self._http = aiohttp.ClientSession(headers={"Authorization": f"Bearer {hub.token}"})
        self._waiting: dict[str, set[Said]] = {}
        self.shown: list[tuple[Said, float]] = []
        """What was looked out for and when it was shown (monotonic)."""
        self._changed = asyncio.Event()
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._fetch())]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.close()

    async def entities(self) -> dict[str, dict[str, Any]]:
        """Return all entities by id."""
        return {item["id"]: item for item in (await self._get("entities"))["items"]}

    def look_out(self, said: Said) -> None:
        """Note when ``said`` is shown."""
        self._waiting.setdefault(said.unit.zone, set()).add(said)

    def check(self) -> None:
        """Raise what ended it: who is told nothing any more would count all that follows as never shown."""
        for task in self._tasks:
            if task.done():
                task.result()

    @property
    def missing(self) -> int:
        """How many readings that were looked out for are not shown yet."""
        return sum(map(len, self._waiting.values()))

    async def _get(self, path: str) -> Any:
        async with self._http.get(self._api + path) as answer:
            assert answer.status == 200, f"{path}: {answer.status}"
            return await answer.json()

    async def _listen(self) -> None:
        """Note each change of which the hub tells. It reads always: a ping that waits behind fetches ends the line."""
        async with self._http.ws_connect(self._api + "ws") as socket:
            await socket.send_json({"subscribe": ["zones"]})
            async for _ in socket:
                self._changed.set()
            raise ConnectionError(f"the hub ended the page's WebSocket: {socket.close_code}")

    async def _fetch(self) -> None:
        """Fetch, at each change, the zones where something is waited for."""
        while await self._changed.wait():
            self._changed.clear()
            for name in tuple(self._waiting):
                await self._look(name)

    async def _look(self, name: str) -> None:
        zone = await self._get(f"zones/{name}")
        now, values = time.monotonic(), {entity["entity"]: entity["value"] for entity in zone["entities"]}
        waiting = self._waiting[name]
        for said in [said for said in waiting if (values[said.unit.entity] or 0) >= said.value]:
            waiting.discard(said)
            self.shown.append((said, now))
        if not waiting:
            del self._waiting[name]


async def meet(ends: Ends, page: Page, within: float = 60) -> None:
    """Have every device say its first words until all are shown with a value that is trusted."""
    until = time.monotonic() + within
    while True:
        entities = await page.entities()
        missing = [unit for unit in ends.units if entities.get(unit.entity, {}).get("quality") != "good"]
        if not missing:
            return
        assert time.monotonic() < until, f"{len(missing)} never came up, {missing[0].entity} among them"
        for unit in missing:
            with suppress(KeyError):  # its panel has not been picked up yet
                ends.say(unit, 0, time.monotonic())
            await asyncio.sleep(0.002)
        await asyncio.sleep(LOOK)


async def speak(ends: Ends, period: float, seconds: float, page: Page, every: int = 10) -> list[float]:
    """Have each device speak once in ``period`` s for ``seconds`` s, evenly spread, in turn.

    ``page`` looks out for one reading in ``every``, of each integration alike. Returns by how many seconds each was
    sent late, which says how busy the machine is.
    """
    step, began = period / len(ends.units), time.monotonic() + 0.1
    late: list[float] = []
    for number in range(round(seconds / step)):
        due = began + number * step
        await asyncio.sleep(due - time.monotonic())
        late.append(time.monotonic() - due)
        turn, place = divmod(number, len(ends.units))
        page.check()
        said = ends.say(ends.units[place], turn + 1, due)
        if (turn + ends.units[place].place) % every == 0:
            page.look_out(said)
    return late


async def fall_silent(ends: Ends, page: Page, within: float) -> dict[Unit, float]:
    """Have nobody speak any more; return by how many seconds after its limit each was shown stale.

    Those that are still trusted ``within`` s after the last limit are left out; less than 0 is too early.
    """
    bridge = asyncio.create_task(ends.give_up())
    until = max(ends.last.values()) + ends.silence + within
    seen: dict[Unit, float] = {}
    while len(seen) < len(ends.units) and time.monotonic() < until:
        entities, now = await page.entities(), time.monotonic()
        for unit in ends.units:
            if unit not in seen and entities[unit.entity]["quality"] == "stale":
                seen[unit] = now - ends.last[unit] - ends.silence
        await asyncio.sleep(LOOK)
    await bridge
    return seen
