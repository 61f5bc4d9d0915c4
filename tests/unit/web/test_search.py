"""Searches over the API: each filter finds its own, pages join without a gap, and a CSV holds no formula."""

from __future__ import annotations

import csv
import io
from typing import Any
from urllib.parse import urlencode

import pytest

from hub.model.entry import Entry
from hub.model.incident import Verdict
from hub.model.reading import Presence, Quality, Reading
from hub.model.time import DAY, isoformat
from hub.web.search import as_csv
from tests.kit.facts import at
from tests.kit.office import Office
from tests.unit.web.test_upkeep import CAR, DEVICE, alarm, furnish


async def found(desk: Office, what: str, **query: object) -> dict[str, Any]:
    answer = await desk.ask(f"/api/v1/search/{what}?{urlencode(query)}")
    assert answer.status == 200, await answer.text()
    return dict(await answer.json())


async def ids(desk: Office, **query: object) -> list[str]:
    return [item["id"] for item in (await found(desk, "incidents", **query))["items"]]


@pytest.fixture
async def past(desk: Office) -> Office:
    """Lend an office with three incidents and five readings."""
    await furnish(desk)
    await alarm(desk, -30, Verdict.FALSE_ALARM)
    await alarm(desk, -20, None)
    await alarm(desk, -10, Verdict.RESOLVED, ago=40 * DAY)
    readings = [Reading(CAR, Presence.PRESENT, Quality.GOOD, at(when)) for when in (-50, -40, -30, -30, -10)]
    await desk.context.journal.commit(Entry(at(-1), readings=readings))
    return desk


async def test_each_filter_finds_its_own(past: Office) -> None:
    assert await ids(past) == ["2", "1"], "30 days"
    assert await ids(past, begin=isoformat(at(-60 * 86_400))) == ["3", "2", "1"]
    assert await ids(past, end=isoformat(at(-25))) == ["1"]
    assert await ids(past, zone="lane", kind="fire_lane", rule="blocked", device=DEVICE) == ["2", "1"]
    for nothing in ({"zone": "x"}, {"kind": "gate"}, {"rule": "x"}, {"device": "no/such"}, {"text": "%"}):
        assert await ids(past, **nothing) == []
    assert await ids(past, verdict="false_alarm") == ["1"]
    assert await ids(past, verdict="unreviewed") == ["2"]
    assert await ids(past, text="探头") == ["1"]
    assert await ids(past, text="车道") == ["2", "1"], "the name of the zone"


async def test_pages_join_without_a_gap(past: Office) -> None:
    first = await found(past, "incidents", limit=1)
    assert [item["id"] for item in first["items"]] == ["2"]
    assert await ids(past, limit=1, cursor=first["next"]) == ["1"]
    whole, page, seen = await found(past, "readings"), await found(past, "readings", limit=2), []
    while page["items"]:
        seen += page["items"]
        if page["next"] is None:
            break
        page = await found(past, "readings", limit=2, cursor=page["next"])
    assert seen == whole["items"]
    assert [item["at"] for item in seen] == [isoformat(at(when)) for when in (-10, -30, -30, -40, -50)]


async def test_readings_by_name_device_and_zone(past: Office) -> None:
    for query, count in (({"text": "车辆"}, 5), ({"device": DEVICE}, 5), ({"zone": "x"}, 0), ({"entity": CAR}, 5),
                         ({"text": "no such"}, 0)):  # fmt: skip
        assert len((await found(past, "readings", **query))["items"]) == count, query


@pytest.mark.parametrize("query", ["begin=x", "begin=2026-11-01T00:00", "end=2000-01-01T00:00Z&begin=2001-01-01T00:00Z",
                                   "verdict=x", "limit=201", f"text={'x' * 81}"])  # fmt: skip
async def test_what_cannot_be_looked_for(past: Office, query: str) -> None:
    assert (await past.ask(f"/api/v1/search/incidents?{query}")).status == 400


async def test_a_cursor_that_is_none(past: Office) -> None:
    for cursor in ("x", "1", "-1", "1-", f"{1 << 63}-1"):
        assert (await past.ask(f"/api/v1/search/readings?cursor={cursor}")).status == 400


async def test_what_is_shown_as_csv(past: Office) -> None:
    answer = await past.ask("/api/v1/search/incidents.csv", "manager")
    lines = list(csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig"))))
    assert [line[0] for line in lines] == ["编号", "2", "1"]
    assert lines[2][-2:] == ["false_alarm", "探头松了"]
    readings = await past.ask(f"/api/v1/search/readings.csv?device={DEVICE}", "manager")
    assert len((await readings.read()).decode("utf-8-sig").splitlines()) == 6


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "  =1"])
def test_a_cell_is_never_a_formula(text: str) -> None:
    (_, (cell,)) = csv.reader(io.StringIO(as_csv(["x"], [[text]]).decode("utf-8-sig"), newline=""))
    assert cell == f"'{text}"


def test_a_number_stays_one() -> None:
    assert as_csv(["x"], [[-1.5]]).splitlines()[1] == b"-1.5"
