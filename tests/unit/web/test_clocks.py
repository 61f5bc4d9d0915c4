"""A camera whose clock is wrong is told, until it is set (integrations.onvif against its far end)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hub.model.ids import EntityId
from hub.runtime.problems import Problems
from hub.runtime.registry import Registry
from hub.sdk import Sample, Tools, Vitals
from hub.seeing.clocks import Clocks
from integrations.onvif.tests.kit import opened
from integrations.sim.onvif_camera import FakeCamera

GATE = EntityId("onvif.gate")


@pytest.fixture
async def tools(tmp_path: Path) -> AsyncIterator[Tools]:
    async def report(*_: Sample | Vitals) -> None: ...

    async with aiohttp.ClientSession() as http:
        yield Tools(http=http, site=tmp_path, data=tmp_path, report=report)


async def test_a_wrong_clock_is_told_until_it_is_set(tools: Tools) -> None:
    camera, registry, problems, clocks = FakeCamera(offset=timedelta(seconds=-95)), Registry(), Problems(), Clocks()
    async with opened(camera, tools) as connection:
        registry.equip("onvif", "gate", connection.equipment)
        await clocks.ask(registry, problems)
        assert abs(clocks.ahead[GATE] + 95) < 1
        (text,) = problems.texts()
        assert text.en.startswith("The clock of onvif.gate is 9")
        assert text.en.endswith(" late: set it")
        assert "慢了" in text.zh
        camera.offset = timedelta()
        await clocks.ask(registry, problems, new_only=True)
        assert problems.texts(), "what is known is asked again in an hour"
        await clocks.ask(registry, problems)
        assert problems.texts() == []
        camera.offset = timedelta(seconds=40)
        await clocks.ask(registry, problems)
        registry.equip("onvif", "gate", ())
        await clocks.ask(registry, problems)
        assert (clocks.ahead, problems.texts()) == ({}, []), "a camera that is gone has no clock"


async def test_one_that_does_not_answer_keeps_what_it_said(tools: Tools) -> None:
    camera, registry, problems, clocks = FakeCamera(offset=timedelta(seconds=60)), Registry(), Problems(), Clocks()

    def busy() -> tuple[int, bytes]:
        return 503, b""

    async with opened(camera, tools) as connection:
        registry.equip("onvif", "gate", connection.equipment)
        await clocks.ask(registry, problems)
        lies: dict[str, Any] = {"GetSystemDateAndTime": busy}
        camera.lies |= lies
        await clocks.ask(registry, problems)
        assert len(problems.texts()) == 1
        assert GATE in clocks.ahead
