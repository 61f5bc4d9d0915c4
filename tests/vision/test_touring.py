"""A facade tour from the camera's preset to the tick of a person: real SOAP, process and journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import numpy as np
import pytest

from hub.model.time import HOUR, MINUTE, SECOND, Instant
from hub.sdk import Sample, Tools, Vitals
from hub.seeing.tour import due
from integrations.onvif.tests.kit import opened
from integrations.sim.onvif_camera import FakeCamera
from tests.kit.office import GUARD, Office, office
from tests.kit.store import rows
from tests.unit.config.test_site import GOOD
from tests.vision.test_tour import Facade, jpeg

LANE = "camera: generic_camera.lane}"
STOPS = "[{camera: onvif.gate, preset: south}, {camera: onvif.gate, preset: north}]"
SITE = GOOD.replace(LANE, f"{LANE}, tour: {STOPS}") + 'tour: {at: ["08:10"]}\n'


@dataclass
class Towers:
    """A camera that turns between two facades, each with what stands there now."""

    desk: Office
    camera: FakeCamera
    data: Path
    facades: dict[str, Facade]
    shown: dict[str, bytes]

    def show(self, token: str, **there: Any) -> None:
        facade = self.facades[token]
        self.shown[token] = jpeg(facade.taken(facade.shown(**there), "same"))

    async def send(self, method: str, path: str, **body: object) -> int:
        return (await self.desk.ask(f"/api/v1/tour/{path}", "guard", method, json=body, headers=GUARD)).status

    async def tour(self) -> dict[str, Any]:
        answer = await self.desk.ask("/api/v1/tour", "guard")
        assert answer.status == 200, await answer.text()
        return dict(await answer.json())

    async def made(self) -> list[dict[str, Any]]:
        """Make a tour and return its stops."""
        assert await self.send("POST", "runs") == 202
        tour = self.desk.context.tour
        assert tour is not None
        async with asyncio.timeout(60):
            while tour.progress is not None or tour._wish is not None:  # noqa: ASYNC110 - a process works meanwhile
                await asyncio.sleep(0.02)
        found = await self.tour()
        assert found["ended_at"] is not None
        return list(found["stops"])


@pytest.fixture
async def towers(tmp_path: Path) -> AsyncIterator[Towers]:
    async def report(*_: Sample | Vitals) -> None: ...

    facades = {"1": Facade(3), "2": Facade(4)}
    shown: dict[str, bytes] = {}
    camera = FakeCamera(presets={"1": "south", "2": "north"}, turns=0, shows=lambda token: shown[token])
    async with (
        aiohttp.ClientSession() as http,
        opened(camera, Tools(http=http, site=tmp_path, data=tmp_path, report=report), settle_s=0.0) as connection,
        office(tmp_path, settings=SITE) as desk,
    ):
        desk.context.registry.equip("onvif", "gate", connection.equipment)
        assert desk.context.tour is not None
        running = asyncio.create_task(desk.context.tour.run())
        found = Towers(desk, camera, tmp_path / "data", facades, shown)
        for token in facades:
            found.show(token)
        yield found
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_from_the_preset_to_the_ticket(towers: Towers) -> None:
    south, north = await towers.made()
    assert [stop["outcome"] for stop in (south, north)] == ["first", "first"]
    assert towers.camera.at == "", "it went home"
    for stop in (south, north):
        assert await towers.send("PUT", f"pictures/{stop['picture']}/accepted") == 204
    pot = len(towers.facades["1"].sills) // 2 + 3
    towers.show("1", pot=pot)
    towers.show("2")
    south, north = await towers.made()
    assert (south["outcome"], north["outcome"], north["candidates"]) == ("differs", "same", [])
    (candidate,) = south["candidates"]
    for side in ("before", "after"):
        picture = await towers.desk.ask(f"/api/v1/tour/pictures/{candidate[side]}", "guard")
        assert (picture.status, picture.content_type) == (200, "image/jpeg")
        assert (await picture.read()).startswith(b"\xff\xd8")
    assert (await towers.desk.ask(f"/api/v1/tour/pictures/{candidate['after']}", "viewer")).status == 403
    south, _ = await towers.made()
    assert [one["id"] for one in south["candidates"]] == [candidate["id"]], "the same pot is told once"
    assert await towers.send("PUT", f"candidates/{candidate['id']}", mark="ticket", note="10 楼花盆") == 204
    assert await towers.send("PUT", f"candidates/{candidate['id']}", mark="fine") == 409
    tickets = (await (await towers.desk.ask("/api/v1/tickets?state=open", "guard")).json())["items"]
    assert (tickets[0]["note"], tickets[0]["pictures"]) == (
        "外墙巡查 车道 south：10 楼花盆",
        [candidate["before"], candidate["after"]],
    )
    south, _ = await towers.made()
    assert (south["outcome"], south["candidates"]) == ("same", []), "its picture is the accepted one now"
    trail = rows(towers.data, "SELECT action FROM audit ORDER BY seq")
    assert [action for (action,) in trail].count("tour_picture") == 1, "looking at a stop is recorded once"
    assert [action for (action,) in trail].count("begin_tour") == 4


async def test_what_cannot_be_compared_says_why_and_brings_no_candidates(towers: Towers) -> None:
    for stop in await towers.made():
        await towers.send("PUT", f"pictures/{stop['picture']}/accepted")
    towers.shown["1"] = jpeg(towers.facades["1"].taken(np.roll(towers.facades["1"].shown(), 150, 1), "same"))
    del towers.camera.presets["2"]  # type: ignore[union-attr]
    moved, gone = await towers.made()
    assert (moved["outcome"], moved["candidates"], moved["beyond"]) == ("elsewhere", [], moved["found"])
    assert (gone["outcome"], gone["reason"]) == ("none", "the camera has no preset `north`; it has: south")


async def test_a_check_before_a_typhoon(towers: Towers) -> None:
    assert await towers.send("POST", "ticks", check="1", stop="onvif.gate#south") == 409, "none was begun"
    assert await towers.send("POST", "checks") == 201
    number = (await towers.tour())["check"]["id"]
    assert await towers.send("POST", "ticks", check=number, stop="onvif.gate#west") == 404
    assert await towers.send("POST", "ticks", check=number, stop="onvif.gate#south") == 204
    assert await towers.send("POST", "ticks", check=number, stop="onvif.gate#south") == 409
    south, north = (await towers.tour())["stops"]
    assert (south["ticked_by"], north["ticked_by"]) == ("guard", "")
    trail = rows(towers.data, "SELECT action, target FROM audit WHERE action LIKE '%tour_check' AND outcome = 'done'")
    assert trail == [("begin_tour_check", number), ("tick_tour_check", "onvif.gate#south")]


async def test_a_tour_is_made_at_its_hour_once(towers: Towers) -> None:
    """The virtual clock begins at 08:00 in Shanghai."""
    tour = towers.desk.context.tour
    assert tour is not None
    ended = "SELECT by FROM tour_runs WHERE ended_at IS NOT NULL"
    for minute in range(20):
        towers.desk.clock.advance(MINUTE)
        async with asyncio.timeout(60):
            while not towers.desk.clock.waiting or tour.progress is not None:  # noqa: ASYNC110 - a process works meanwhile
                await asyncio.sleep(0.01)
        assert rows(towers.data, ended) == ([] if minute < 9 else [("menshen",)])
    assert [stop["outcome"] for stop in (await towers.tour())["stops"]] == ["first", "first"]


def test_a_tour_is_due_at_its_hour_and_for_an_hour_after() -> None:
    ten = round(datetime(2026, 11, 21, 10, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()) * SECOND
    hours = (10 * 3600, 23 * 3600 + 50 * 60)
    assert due(hours, "Asia/Shanghai", Instant(ten - 1)) == []
    assert due(hours, "Asia/Shanghai", Instant(ten)) == [ten]
    assert due(hours, "Asia/Shanghai", Instant(ten + HOUR)) == []
    late = Instant(ten + 14 * HOUR + 10 * MINUTE)
    assert due(hours, "Asia/Shanghai", late) == [ten + 13 * HOUR + 50 * MINUTE], "also after midnight"
