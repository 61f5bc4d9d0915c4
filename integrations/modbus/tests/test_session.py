"""Whole rounds against pymodbus' server: what is read, how often, and what each lie of the far end comes to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.sdk import Alarm, Capability, Contact, Presence, Unreachable
from integrations.modbus.tests.site import FarEnd, far_end, opened
from tests.kit.patience import until

DOOR = {"key": "door", "name": "门", "unit_id": 1, "kind": "discrete", "address": 3, "meaning": "contact"}
LEVEL = {
    "key": "level", "name": "水位", "unit_id": 2, "kind": "input", "address": 7, "type": "i16", "scale": 0.1,
    "meaning": "number", "unit": "m",
}  # fmt: skip


@pytest.fixture(scope="module", params=["tcp", "rtu+tcp", "serial"])
def server(request: pytest.FixtureRequest) -> Iterator[FarEnd]:
    with far_end(request.param) as end:
        yield end


@pytest.fixture
def end(server: FarEnd) -> FarEnd:
    server.order("reset")
    return server


async def test_values_of_all_kinds_arrive(end: FarEnd, tmp_path: Path) -> None:
    points: list[dict[str, Any]] = [
        DOOR,
        LEVEL,
        {"key": "car", "name": "车", "unit_id": 1, "kind": "coil", "address": 0, "meaning": "presence"},
        {"key": "smoke", "name": "烟", "unit_id": 3, "kind": "holding", "address": 9, "bit": 15, "meaning": "alarm"},
        {"key": "power", "name": "电", "unit_id": 3, "kind": "holding", "address": 10, "type": "f32",
         "meaning": "number"},
    ]  # fmt: skip
    end.order("set", unit=1, function=5, address=0, values=[True])
    end.order("set", unit=2, function=4, address=7, values=[0x10000 - 15])
    end.order("set", unit=3, function=16, address=9, values=[0x8000, 0x4148, 0])
    async with opened(tmp_path, url=end.url, points=points) as hub:
        kinds = {str(item.entity.id): (item.entity.capability, item.entity.unit) for item in hub.connection.equipment}
        assert kinds["modbus.b_level"] == (Capability.MEASURE, "m")
        hub.run()
        await hub.until("door", Contact.CLOSED)
        await hub.until("car", Presence.PRESENT)
        await hub.until("level", -1.5)
        await hub.until("smoke", Alarm.ACTIVE)
        await hub.until("power", 12.5)
        end.order("set", unit=1, function=2, address=3, values=[True])
        await hub.until("door", Contact.OPEN)
        heard = {tuple(question) for question in end.order("heard")}
        assert heard == {(1, 1, 0, 1), (1, 2, 3, 1), (2, 4, 7, 1), (3, 3, 9, 3)}


async def test_what_does_not_change_is_not_repeated_at_every_round(end: FarEnd, tmp_path: Path) -> None:
    async with opened(tmp_path, url=end.url, points=[DOOR]) as hub:
        hub.run()
        await until(lambda: len(end.order("heard")) > 2)
        assert len(hub.said) == 1


@pytest.mark.parametrize("lie", ["silence", "broken", "truncated", "other unit", "drip", "other function"])
async def test_one_bad_unit_does_not_stop_the_others(lie: str, end: FarEnd, tmp_path: Path) -> None:
    async with opened(tmp_path, url=end.url, points=[DOOR, LEVEL]) as hub:
        hub.run()
        await hub.until("level", 0.0)
        end.order("lie", unit=2, lie=lie)
        await hub.until("level", None, "stale")
        end.order("set", unit=1, function=2, address=3, values=[True])
        await hub.until("door", Contact.OPEN)
        end.order("lie", unit=2, lie="")
        await hub.until("level", 0.0)
        assert [sample.value for sample in hub.said if sample.entity == "modbus.b_level"] == [0.0, None, 0.0]


@pytest.mark.parametrize("code", [1, 2, 3, 4, 6, 11])
async def test_a_unit_that_refuses_is_stale_and_the_session_lives(code: int, end: FarEnd, tmp_path: Path) -> None:
    async with opened(tmp_path, url=end.url, points=[DOOR, LEVEL]) as hub:
        hub.run()
        await hub.until("level", 0.0)
        end.order("refuse", unit=2, code=code)
        await hub.until("level", None, "stale")
        await hub.until("door", Contact.CLOSED)
        end.order("refuse", unit=2, code=0)
        await hub.until("level", 0.0)


async def test_a_late_answer_is_not_taken_for_the_next_one(end: FarEnd, tmp_path: Path) -> None:
    points = [LEVEL, LEVEL | {"key": "depth", "address": 20}]
    end.order("set", unit=2, function=4, address=7, values=[1])
    end.order("set", unit=2, function=4, address=20, values=[2])
    async with opened(tmp_path, url=end.url, points=[DOOR, *points]) as hub:
        hub.run()
        await hub.until("depth", 0.2)
        end.order("lie", unit=2, lie="late")
        await hub.until("depth", None, "stale")
        end.order("lie", unit=2, lie="")
        await hub.until("depth", 0.2)
        good = {sample.entity: set[Any]() for sample in hub.said}
        for sample in hub.said:
            good[sample.entity] |= {sample.value} - {None}
        assert {len(values) for values in good.values()} == {1}


@pytest.mark.parametrize("lie", ["length", "shorter"])
async def test_a_header_that_lies_costs_one_unit(lie: str, end: FarEnd, tmp_path: Path) -> None:
    if end.url.startswith("tcp"):  # only there a frame has a header
        await test_one_bad_unit_does_not_stop_the_others(lie, end, tmp_path)


@pytest.mark.parametrize("lie", ["silence", "flood", "hangup"])
async def test_nobody_left_that_answers_is_a_lost_device(lie: str, end: FarEnd, tmp_path: Path) -> None:
    async with opened(tmp_path, url=end.url, points=[DOOR]) as hub:
        hub.run()
        await hub.until("door", Contact.CLOSED)
        end.order("lie", unit=1, lie=lie)
        assert await hub.lost()


async def test_a_bus_on_which_nobody_answers_does_not_open(end: FarEnd, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="none of 1"):
        async with opened(tmp_path, url=end.url, points=[DOOR | {"unit_id": 77}]):
            pass
