"""The page tries a rule on recorded history, and asks why a rule did not fire."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

import aiohttp
import msgspec
import pytest

from hub.model.decision import Decision, IncidentOpened, Opened, Severity
from hub.model.entry import Entry, Trust
from hub.model.ids import ActivationId, EntityId, RuleId, ZoneId
from hub.model.reading import Presence, Quality, Reading
from hub.model.time import MINUTE, SECOND, Duration, Instant, isoformat
from hub.web import schema
from hub.web.apart import to_the_end
from hub.web.backtest import BUSY
from hub.web.routes import API
from tests.kit.clock import START
from tests.kit.facts import at
from tests.kit.office import Office
from tests.kit.store import rows
from tests.unit.config.test_site import RULE

CAR = EntityId("mqtt_discovery.car")
PATH = "/api/v1/rules/backtest"


def wanted(rule: str = RULE, begin: int = -60, end: int = 3_600) -> dict[str, str]:
    return {"rule": rule, "begin": isoformat(at(begin)), "end": isoformat(at(end))}


async def park(desk: Office) -> None:
    """A car stays for ten minutes."""
    came = Reading(CAR, Presence.PRESENT, Quality.GOOD, at(0))
    left = Reading(CAR, Presence.ABSENT, Quality.GOOD, at(600))
    await desk.context.journal.commit(Entry(at=START, readings=[came, left]))


async def lines(answer: aiohttp.ClientResponse) -> list[schema.BacktestLine]:
    assert (answer.status, answer.content_type) == (200, "application/x-ndjson")
    return [msgspec.json.decode(line, type=schema.BacktestLine) for line in (await answer.read()).splitlines()]


async def test_a_draft_is_tried_beside_the_active_rule(desk: Office) -> None:
    await park(desk)
    found = await lines(await desk.ask(PATH, "manager", "POST", json=wanted(RULE.replace("3 min", "20 min"))))
    assert [line.progress for line in found] == sorted(line.progress for line in found)
    result = found[-1].result
    assert result is not None
    (zone,) = result.zones
    assert (zone.zone, zone.activations, zone.dropped) == ("lane", 0, 1)
    assert result.comparison is not None
    (missed,) = result.comparison.only_old
    assert (missed.opened_at, missed.done) == (isoformat(at(180)), {"capture": 1})
    assert msgspec.json.decode(msgspec.json.encode(result), type=schema.BacktestOut) == result


async def picture(desk: Office, name: str, seconds: int, zone: str = "lane", media: str = "image/jpeg") -> None:
    """Keep a picture that another rule took, and the incident that it is of."""
    who = (RuleId("other"), ZoneId(zone), at(seconds), ActivationId(name))
    decisions: list[Decision] = [Opened(*who, at(seconds), Duration(0), ()), IncidentOpened(*who, Severity.LOW)]
    await desk.context.journal.commit(Entry(at(seconds), decisions=decisions))
    values = (name, name, "c", f"evidence/{name}", media, "s", 1, at(seconds))

    def keep(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)

    await desk.context.journal.execute(keep)


async def test_what_it_would_have_done_is_shown_with_the_pictures_that_are_there(desk: Office) -> None:
    await park(desk)
    for name, seconds in {"before": -5, "came": 5, "near": 170, "hit": 185, "after": 400, "late": 790}.items():
        await picture(desk, name, seconds)
    await picture(desk, "gate", 181, zone="gate")
    await picture(desk, "spoken", 182, media="audio/wav")
    result = (await lines(await desk.ask(PATH, "manager", "POST", json=wanted())))[-1].result
    assert result is not None
    (life,) = result.activations
    assert [one.id for one in life.pictures] == ["came", "near", "hit"], "the nearest three since the car came"
    assert life.pictures[-1].incident is not None
    folder = desk.context.data / "evidence"
    folder.mkdir()
    (folder / "hit").write_bytes(b"jpeg")
    answer = await desk.ask(life.pictures[-1].url, "manager")
    assert (answer.status, await answer.read()) == (200, b"jpeg"), "by the route that audits it"
    audit = rows(desk.context.data, "SELECT action, target FROM audit WHERE actor = 'manager' AND action = 'evidence'")
    assert audit == [("evidence", "hit")]
    least = {route.name: route.role for route in API}
    assert least["backtest"] is not None
    assert least["evidence"] is not None
    assert least["backtest"] >= least["evidence"], "who hears of a picture may see it"


async def test_a_rule_for_one_zone_is_tried_beside_the_one_that_serves_it_now(desk: Office) -> None:
    await park(desk)
    own = RULE.replace("blocked", "own").replace("fire_lane}", "fire_lane, only: [lane]}").replace("3 min", "20 min")
    for against, missed in ((None, None), ("blocked", 1), ("none", None)):
        body = {**wanted(own), "against": against}
        result = (await lines(await desk.ask(PATH, "manager", "POST", json=body)))[-1].result
        assert result is not None
        found = result.comparison and len(result.comparison.only_old)
        assert found == missed, against


async def test_a_draft_that_does_not_check_is_answered_with_its_places(desk: Office) -> None:
    answer = await desk.ask(PATH, "manager", "POST", json=wanted(RULE.replace("present", "presnt")))
    assert answer.status == 422
    (finding,) = msgspec.json.decode(await answer.read(), type=schema.Findings).findings
    assert (finding.line, finding.column) == (3, 20)
    assert "did you mean `present`" in finding.sentence


async def test_without_history_it_says_so(desk: Office) -> None:
    (line,) = await lines(await desk.ask(PATH, "manager", "POST", json=wanted()))
    assert line.problem is not None
    assert "no readings" in line.problem.message


@pytest.mark.parametrize(
    "wrong",
    [
        {"begin": "yesterday"},
        {"begin": "2026-11-01T00:00"},
        {"begin": "2026-11-01T00:00Z", "end": "2026-11-01T00:00Z"},
        {"begin": "2020-01-01T00:00Z"},
        {"end": "9999-12-31T23:59:59-23:00"},
        {"rule": 1},
        {"more": 1},
    ],
    ids=str,
)
async def test_a_request_that_makes_no_sense(desk: Office, wrong: dict[str, Any]) -> None:
    answer = await desk.ask(PATH, "manager", "POST", json={**wanted(), **wrong})
    assert answer.status == 400


async def test_one_at_a_time(desk: Office) -> None:
    async with desk.client.app[BUSY]:
        answer = await desk.ask(PATH, "manager", "POST", json=wanted())
        assert (answer.status, (await answer.json())["error"]) == (409, "busy")
    await park(desk)
    assert (await lines(await desk.ask(PATH, "manager", "POST", json=wanted())))[-1].result is not None


async def test_it_ends_with_the_request(desk: Office, endless: list[asyncio.subprocess.Process]) -> None:
    answer = await desk.ask(PATH, "manager", "POST", json=wanted())
    await answer.content.readline()
    assert endless[0].returncode is None
    answer.close()
    async with asyncio.timeout(10), desk.client.app[BUSY]:
        assert endless[0].returncode is not None


async def test_what_must_end_is_ended_when_the_request_is_cancelled_meanwhile() -> None:
    reaped, done = asyncio.Event(), list[str]()

    async def reap() -> None:
        await reaped.wait()
        done.append("reaped")

    request = asyncio.create_task(to_the_end(reap()))
    for _ in range(2):
        await asyncio.sleep(0)
        request.cancel()
        await asyncio.sleep(0)
        assert not request.done()
    reaped.set()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert done == ["reaped"]


async def ask_why(desk: Office, query: str) -> schema.WhyOut:
    answer = await desk.ask(f"/api/v1/rules/blocked/why?zone=lane{query}")
    assert answer.status == 200, await answer.text()
    return msgspec.json.decode(await answer.read(), type=schema.WhyOut)


async def test_why_now_is_by_what_is_known_now(desk: Office) -> None:
    now = await ask_why(desk, "")
    assert (now.cause, now.since) == ("source_unknown", None)
    reading = Reading(CAR, Presence.PRESENT, Quality.GOOD, START)
    await desk.context.runtime.done(lambda batch: batch.feed(reading))
    now = await ask_why(desk, "")
    assert (now.cause, now.until) == ("running", isoformat(START + 3 * MINUTE))
    await desk.context.runtime.done(lambda batch: batch.trust((CAR,), Quality.STALE))
    now = await ask_why(desk, "")
    assert (now.cause, now.since is not None) == ("source_unknown", True)
    assert now.trigger[0].entity == CAR


async def test_why_then_is_by_what_was_recorded(desk: Office) -> None:
    await park(desk)
    desk.clock.advance(3_600 * SECOND)
    await desk.context.journal.commit(Entry(at=START, turns=[Trust(at(900), Quality.STALE, (CAR,))]))
    causes = {}
    for seconds in (60, 300, 700, 1_000):
        found = await ask_why(desk, f"&at={isoformat(at(seconds))}")
        causes[seconds] = (found.cause, found.since)
    assert causes == {
        60: ("running", isoformat(at(0))),
        300: ("active", isoformat(at(180))),
        700: ("trigger_false", isoformat(at(600))),
        1_000: ("source_unknown", isoformat(at(900))),
    }


async def test_why_of_what_is_not_there(desk: Office) -> None:
    for path, status in (
        ("/api/v1/rules/nothing/why?zone=lane", 404),
        ("/api/v1/rules/blocked/why?zone=nowhere", 404),
        ("/api/v1/rules/blocked/why", 404),
        ("/api/v1/rules/blocked/why?zone=lane&at=noon", 400),
        (f"/api/v1/rules/blocked/why?zone=lane&at={isoformat(Instant(START + MINUTE))}", 400),
    ):
        assert (await desk.ask(path)).status == status, path
