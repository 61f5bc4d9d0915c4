"""R3: what fell is reviewed at the desk; a confirmed fall is what the rules wait for, in the zone's role `review`."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hub.config.site import load_site
from hub.model.ids import EntityId
from hub.model.reading import Alarm, Quality, Reading
from hub.model.site import Role
from hub.model.time import MINUTE, SECOND
from hub.runtime.batch import Batch
from tests.kit.office import GUARD, Office, office
from tests.kit.site import ROOT
from tests.kit.store import rows
from tests.unit.config.test_site import GOOD, write

FALLING = EntityId("mqtt_discovery.fall")
SHIPPED = {
    name: (ROOT / "rules" / f"{name}.yaml").read_text("utf-8")
    for name in ("falling_object", "falling_object_confirmed")
}
SITE = GOOD.replace(
    "zones:\n",
    "zones:\n  north: {kind: facade, name: 北立面, bind: {falling: mqtt_discovery.fall, speaker: http_speaker.n}}\n",
).replace("contacts: {", 'contacts: {manager: {name: 经理, webhook: "http://127.0.0.1:9/x"}, ')


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Office]:
    """Lend an office whose facade has the shipped rules."""
    async with office(tmp_path, settings=SITE) as found:
        found.context.reviews.look()
        yield found


def use(desk: Office, folder: Path, *names: str) -> None:
    """Put shipped rules in force."""
    found = load_site(write(folder, SITE, **{name: SHIPPED[name] for name in names}))
    desk.context.runtime.change_rules(found.program())


def feed(value: Alarm, batch: Batch) -> None:
    batch.feed(Reading(FALLING, value, Quality.GOOD, batch.now))


async def fall(desk: Office) -> int:
    """Let something fall; return the number of the incident."""
    runtime = desk.context.runtime
    for value in (Alarm.CLEAR, Alarm.ACTIVE, Alarm.CLEAR):
        await runtime.done(partial(feed, value))
        desk.clock.advance(SECOND)
    return int(rows(desk.context.data, "SELECT max(id) FROM incidents")[0][0])


async def say(desk: Office, number: int, role: str = "guard", **more: Any) -> tuple[int, dict[str, Any]]:
    body = {"fell": True, "seen": "open", **more}
    answer = await desk.ask(f"/api/v1/incidents/{number}/review", role, "PUT", json=body, headers=GUARD)
    return answer.status, await answer.json()


def incidents(desk: Office) -> list[tuple[Any, ...]]:
    return rows(desk.context.data, "SELECT rule, state, verdict, handler FROM incidents ORDER BY id")


def told(desk: Office) -> list[tuple[Any, ...]]:
    """Return what the confirmed rule did."""
    found = "SELECT json_extract(body, '$.action.type') FROM commands WHERE activation LIKE 'falling_object_confirmed%'"
    return rows(desk.context.data, f"{found} ORDER BY at, key")


def test_every_facade_is_bound_to_the_word_of_the_desk(tmp_path: Path) -> None:
    zones = {zone.id: zone for zone in load_site(write(tmp_path, SITE)).settings.site.zones.values()}
    assert {str(name): zone.bound(Role.REVIEW) for name, zone in zones.items()} == {
        "north": ("hub.review_north",), "lane": (),
    }  # fmt: skip


async def test_a_confirmed_fall_warns_the_ground_and_tells_the_manager(desk: Office, tmp_path: Path) -> None:
    use(desk, tmp_path, *SHIPPED)
    number = await fall(desk)
    assert [row[:3] for row in incidents(desk)] == [("falling_object", "open", None)]
    assert (await say(desk, number, "viewer"))[0] == 403, "the table of routes says who may review"
    status, found = await say(desk, number, note="人工复核")
    assert (status, found["state"], found["verdict"]) == (200, "closed", "resolved")
    await desk.context.runtime.done(lambda batch: None)
    assert [row[:3] for row in incidents(desk)] == [
        ("falling_object", "closed", "resolved"), ("falling_object_confirmed", "open", None),
    ]  # fmt: skip
    assert {row[0] for row in told(desk)} == {"say", "notify"}
    desk.clock.advance(SECOND)
    await desk.context.runtime.done(lambda batch: None)
    state = desk.context.runtime.state.states[EntityId("hub.review_north")]
    assert (state.value, state.quality) == (Alarm.CLEAR, Quality.GOOD), "a word is a moment"
    again = await fall(desk)
    assert again == 3, "what falls next is reviewed anew"
    assert incidents(desk)[2][:2] == ("falling_object", "open")
    audit = rows(desk.context.data, "SELECT actor, action, target FROM audit WHERE action = 'handle'")
    assert audit == [("guard", "handle", str(number))]


async def test_a_bird_warns_nobody(desk: Office, tmp_path: Path) -> None:
    use(desk, tmp_path, *SHIPPED)
    number = await fall(desk)
    assert (await say(desk, number, fell=False))[0] == 422, "what it was must be said"
    status, found = await say(desk, number, fell=False, note="鸟")
    assert (status, found["state"], found["verdict"]) == (200, "closed", "false_alarm")
    await desk.context.runtime.done(lambda batch: None)
    assert told(desk) == []
    assert (await say(desk, number))[1]["error"] == "already"


async def test_without_a_rule_that_waits_it_stays_with_who_confirmed_it(desk: Office, tmp_path: Path) -> None:
    use(desk, tmp_path, "falling_object")
    number = await fall(desk)
    status, found = await say(desk, number)
    assert (status, found["state"], found["verdict"], found["handler"]) == (200, "in_progress", None, "guard")


async def test_what_did_not_fall_is_not_reviewed(desk: Office, tmp_path: Path) -> None:
    use(desk, tmp_path, "falling_object")
    number = await fall(desk)

    def elsewhere(db: sqlite3.Connection) -> None:
        db.execute("UPDATE incidents SET zone = 'lane'")

    await desk.context.journal.execute(elsewhere)
    assert (await say(desk, number))[1]["error"] == "not_reviewed"


async def test_a_word_that_a_restart_cut_short_ends(desk: Office, tmp_path: Path) -> None:
    use(desk, tmp_path, *SHIPPED)
    word = EntityId("hub.review_north")
    await desk.context.runtime.done(lambda batch: batch.feed(Reading(word, Alarm.ACTIVE, Quality.GOOD, batch.now)))
    desk.context.reviews.look()
    await desk.context.runtime.done(lambda batch: None)
    assert desk.context.runtime.state.states[word].value is Alarm.CLEAR
    desk.clock.advance(11 * MINUTE)
    number = await fall(desk)
    assert (await say(desk, number))[0] == 200
