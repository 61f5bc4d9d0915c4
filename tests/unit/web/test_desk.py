"""The duty desk's API: the life of an incident, talk-down, live picture, on-call list and hand-over."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest

from hub.actions.notify import Notify as NotifyExecutor
from hub.journal.desk import handle
from hub.model.decision import IncidentClosed, IncidentOpened, Notify, Opened, Reason, Severity
from hub.model.entry import Entry
from hub.model.errors import DeviceError, Unreachable
from hub.model.ids import EntityId, RuleId, ZoneId
from hub.model.incident import Handling, IncidentState, Verdict
from hub.model.roster import Person, Roster, Shift
from hub.model.site import Contact, Role
from hub.model.text import Text
from hub.model.time import SECOND
from hub.runtime.duty import Duty
from hub.sdk import Notice, Picture
from tests.kit.facts import NAME, at, command
from tests.kit.office import GUARD, Office
from tests.kit.store import rows

WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ROSTER: dict[str, Any] = {
    "people": [{"id": "wang", "name": "王师傅", "phone": "13800000000", "contact": "guard"}],
    "shifts": [{"role": "guard", "days": WEEK, "begin": 0, "end": 1440, "people": ["wang"]}],
}


async def opened(desk: Office) -> None:
    """Have one open incident in the hub."""
    mine: dict[str, Any] = {"rule": RuleId("blocked"), "zone": ZoneId("lane"), "activation": NAME}
    entry = Entry(at(0))
    entry.decisions = [
        Opened(**mine, at=at(0), since=at(0), late_by=0, trace=()),  # type: ignore[arg-type]
        IncidentOpened(**mine, at=at(0), severity=Severity.HIGH),
    ]
    await desk.context.journal.commit(entry)


def closed_by_rule() -> Entry:
    entry = Entry(at(9))
    entry.decisions = [IncidentClosed(RuleId("blocked"), ZoneId("lane"), at(9), NAME, Reason.CLEARED)]
    return entry


async def step(desk: Office, role: str = "guard", **step: object) -> tuple[int, dict[str, Any]]:
    answer = await desk.ask("/api/v1/incidents/1/state", role, "PUT", json=step, headers=GUARD)
    return answer.status, await answer.json()


def kept(desk: Office, sql: str) -> list[tuple[Any, ...]]:
    return rows(desk.context.data, sql)


async def test_from_known_to_false_alarm(desk: Office) -> None:
    await opened(desk)
    status, incident = await step(desk, state="acknowledged", seen="open")
    assert (status, incident["state"], incident["handler"]) == (200, "acknowledged", "guard")
    assert incident["answered_at"] is not None
    assert (await step(desk, state="in_progress", seen="acknowledged"))[0] == 200
    closing = {"state": "closed", "seen": "in_progress", "verdict": "false_alarm"}
    assert (await step(desk, **closing))[0] == 422, "the reason is missing"
    assert (await step(desk, **closing, note="\u200b "))[0] == 422, "a reason of nothing"
    status, incident = await step(desk, "manager", **closing, note="树\n影")
    assert (status, incident["state"], incident["verdict"], incident["note"]) == (200, "closed", "false_alarm", "树 影")
    handled = [one for one in incident["timeline"] if one["kind"] == "handled"]
    assert [(one["state"], one["by"]) for one in handled] == [
        ("acknowledged", "guard"), ("in_progress", "guard"), ("closed", "manager"),
    ]  # fmt: skip
    sql = "SELECT actor, json_extract(body, '$.state') FROM audit WHERE action = 'handle' AND outcome = 'done'"
    audit = kept(desk, f"{sql} ORDER BY seq")
    assert audit == [("guard", "acknowledged"), ("guard", "in_progress"), ("manager", "closed")]


async def test_two_people_at_once_and_the_second_is_told(desk: Office) -> None:
    await opened(desk)
    wanted = {"state": "acknowledged", "seen": "open"}
    answers = await asyncio.gather(*(step(desk, role, **wanted) for role in ("guard", "manager", "admin")))
    assert sorted(status for status, _ in answers) == [200, 409, 409]
    refused = next(body for status, body in answers if status == 409)
    assert (refused["error"], "acknowledged already by " in refused["message"]) == ("already", True)
    assert len(kept(desk, "SELECT 1 FROM events WHERE kind = 'handling'")) == 1


@pytest.mark.parametrize("person_first", [True, False])
async def test_a_person_and_the_rule_close_it_at_once(desk: Office, *, person_first: bool) -> None:
    await opened(desk)
    person = Handling(NAME, IncidentState.CLOSED, at(8), "guard", Verdict.RESOLVED)
    journal = desk.context.journal
    both = [handle(journal, person, IncidentState.OPEN), journal.commit(closed_by_rule())]
    found = await asyncio.gather(*(both if person_first else reversed(both)))
    assert (True in found) == person_first
    incident = await (await desk.ask("/api/v1/incidents/1")).json()
    assert incident["state"] == "closed"
    assert (incident["verdict"], incident["close_reason"]) == (
        ("resolved", None) if person_first else (None, "cleared")
    )
    closings = [one for one in incident["timeline"] if one.get("state") == "closed"]
    assert len(closings) == 1, "told once"
    if not person_first:  # the person looks again and judges what the rule has closed
        assert (await step(desk, state="closed", seen="closed", verdict="resolved"))[0] == 200
        assert (await step(desk, state="closed", seen="closed", verdict="repair"))[0] == 409


async def test_nobody_is_warned_after_a_person_has_closed_it(desk: Office) -> None:
    await opened(desk)
    await step(desk, state="closed", seen="open", verdict="resolved")
    assert desk.context.journal.load().left == {NAME}
    assert desk.context.outbox._over(command(Notify("guard")))


async def test_every_page_hears_of_a_step(desk: Office) -> None:
    await opened(desk)
    async with desk.client.ws_connect("/api/v1/ws", headers={"Authorization": "Bearer token-of-viewer"}) as socket:
        await socket.send_json({"subscribe": ["incidents"]})
        await socket.receive_json(timeout=20)  # the answer to the subscription
        await step(desk, state="acknowledged", seen="open")
        assert (await socket.receive_json(timeout=20))["topic"] == "incidents"


async def test_a_list_without_timelines(desk: Office) -> None:
    await opened(desk)
    (brief,) = (await (await desk.ask("/api/v1/incidents?state=open&brief=1")).json())["items"]
    (whole,) = (await (await desk.ask("/api/v1/incidents?state=open")).json())["items"]
    assert whole["timeline"]
    assert brief == {**whole, "timeline": []}


class Eye:
    """A camera that counts, and answers when it may."""

    def __init__(self) -> None:
        self.asked = 0
        self.failure: DeviceError | None = None

    async def snapshot(self) -> Picture:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return Picture(b"\xff\xd8\xff" + bytes([self.asked]), "image/jpeg")


def equip(desk: Office, eye: Eye) -> None:
    desk.context.registry._drivers[EntityId("generic_camera.lane")] = eye


async def test_a_camera_is_asked_once_a_second_for_all_who_look(desk: Office) -> None:
    eye = Eye()
    equip(desk, eye)
    path = "/api/v1/zones/lane/picture"
    answers = await asyncio.gather(*(desk.ask(path, "guard") for _ in range(5)))
    assert {await answer.read() for answer in answers} == {b"\xff\xd8\xff\x01"}
    assert answers[0].headers["X-Taken-At"].endswith("Z")
    assert answers[0].headers["Cache-Control"] == "no-store"
    desk.clock.advance(SECOND)
    assert await (await desk.ask(path, "guard")).read() == b"\xff\xd8\xff\x02"
    assert eye.asked == 2
    assert kept(desk, "SELECT actor, action FROM audit WHERE action = 'live_picture'") == [("guard", "live_picture")]
    desk.clock.advance(61 * SECOND)
    await desk.ask(path, "guard")
    assert len(kept(desk, "SELECT seq FROM audit WHERE action = 'live_picture'")) == 2, "a sitting of its own"
    desk.clock.advance(SECOND)
    eye.failure = Unreachable("no route")
    answer = await desk.ask(path, "guard")
    assert (answer.status, (await answer.json())["message"]) == (502, "no route")


async def test_a_picture_now_is_a_command_of_the_operator(desk: Office) -> None:
    await opened(desk)
    answer = await desk.ask("/api/v1/zones/lane/picture", "guard", "POST", json={"incident": "1"}, headers=GUARD)
    assert answer.status == 202
    key = (await answer.json())["key"]
    ((activation, body),) = kept(desk, "SELECT activation, body FROM commands")
    ordered = json.loads(body)
    assert (activation, ordered["key"], ordered["by"]) == (NAME, key, "guard")
    assert (ordered["rule"], ordered["action"]) == ("operator", {"type": "capture"})
    (told,) = [
        one for one in (await (await desk.ask("/api/v1/incidents/1")).json())["timeline"] if one["kind"] == "command"
    ]
    assert (told["action"], told["by"]) == ("capture", "guard")


async def talk(desk: Office, **body: object) -> tuple[int, dict[str, Any]]:
    answer = await desk.ask("/api/v1/zones/lane/speech", "guard", "POST", json=body, headers=GUARD)
    return answer.status, await answer.json()


async def test_a_zone_without_a_loudspeaker_says_so(desk: Office) -> None:
    assert (await talk(desk, text="请驶离"))[1]["error"] == "nothing_bound"


async def test_what_a_person_says_is_a_command_of_the_operator(desk: Office) -> None:
    zone = desk.context.folder().settings.site.zones[ZoneId("lane")]
    zone.bind[Role.SPEAKER] = (EntityId("rtp_speaker.lane"),)
    wrong = {"empty": {"text": " "}, "too_long": {"text": "长" * 161}, "plate": {"text": "沪A12345请驶离"}}
    for error, body in wrong.items():
        assert (await talk(desk, **body))[1]["error"] == error
    assert (await talk(desk, prompt="none"))[0] == 404
    assert (await talk(desk, text="x", volume=0))[0] == 400
    assert kept(desk, "SELECT 1 FROM commands") == []
    assert (await talk(desk, text="请\n驶离", volume=60))[0] == 202
    assert (await talk(desk, prompt="second_warning"))[0] == 202
    ordered = [json.loads(body) for (body,) in kept(desk, "SELECT body FROM commands ORDER BY rowid")]
    assert [(one["action"]["text"]["zh"], one["action"]["volume"]) for one in ordered] == [
        ("请 驶离", 60), ("请马上移车", 80),
    ]  # fmt: skip
    assert all(one["rate"]["times"] == 20 and one["activation"].startswith("operator@lane@") for one in ordered)
    assert len({one["key"] for one in ordered}) == 2
    assert kept(desk, "SELECT actor FROM audit WHERE action = 'speak' AND outcome = 'done'") == [("guard",), ("guard",)]


async def test_the_on_call_list_is_changed_by_one_at_a_time(desk: Office) -> None:
    both = [
        desk.ask("/api/v1/roster", "manager", "PUT", json={"version": 0, "roster": ROSTER}, headers=GUARD)
        for _ in range(2)
    ]
    assert sorted([answer.status for answer in await asyncio.gather(*both)]) == [200, 409]
    found = await (await desk.ask("/api/v1/roster")).json()
    assert found["version"] == 1
    (duty,) = found["on_duty"]
    assert (duty["role"], duty["name"], duty["order"], duty["phone"]) == ("guard", "王师傅", 1, "13800000000")
    assert desk.context.journal.load().roster.people[0].name == "王师傅"
    wrong = {**ROSTER, "shifts": [{**ROSTER["shifts"][0], "role": "nobody"}]}
    answer = await desk.ask("/api/v1/roster", "manager", "PUT", json={"version": 1, "roster": wrong}, headers=GUARD)
    assert answer.status == 422


async def test_a_shift_is_handed_over_and_taken_once(desk: Office) -> None:
    await opened(desk)
    await desk.ask("/api/v1/site/modes/test", "guard", "PUT", json={"on": True}, headers=GUARD)
    note = {"giver": "王师傅", "note": "3号楼摄像机待修"}
    assert (await desk.ask("/api/v1/handovers", "guard", "POST", json=note, headers=GUARD)).status == 201
    (found,) = (await (await desk.ask("/api/v1/handovers")).json())["items"]
    assert (found["giver"], found["note"], found["taken_at"]) == ("王师傅", "3号楼摄像机待修", None)
    assert [one["id"] for one in found["briefing"]["incidents"]] == ["1"]
    assert [one["mode"] for one in found["briefing"]["modes"]] == ["test"]
    assert [one["why"] for one in found["briefing"]["devices"]] == ["unknown"]
    taking = [
        desk.ask("/api/v1/handovers/1/taken", "guard", "PUT", json={"taker": name}, headers=GUARD)
        for name in ("李师傅", "赵师傅")
    ]
    assert sorted([answer.status for answer in await asyncio.gather(*taking)]) == [204, 409]
    (found,) = (await (await desk.ask("/api/v1/handovers")).json())["items"]
    assert found["taker"] in {"李师傅", "赵师傅"}
    assert found["taken_at"] is not None
    answer = await desk.ask("/api/v1/handovers/x/taken", "guard", "PUT", json={"taker": "李"}, headers=GUARD)
    assert answer.status == 409


class Robots:
    """Chat robots by entity; those that are named are out of reach."""

    def __init__(self, *away: str) -> None:
        self.away = away
        self.told: list[tuple[str, str, str]] = []

    def driver(self, entity: EntityId) -> Any:
        return _Robot(self, entity)


class _Robot:
    def __init__(self, robots: Robots, entity: str) -> None:
        self._robots, self._entity = robots, entity

    async def tell(self, notice: Notice) -> None:
        if self._entity in self._robots.away:
            raise Unreachable("away")
        self._robots.told.append((self._entity, notice.contact.zh, notice.key))


@pytest.mark.parametrize(
    ("away", "told", "person"),
    [((), ("robot.wang", "王师傅"), "王师傅"), (("robot.wang",), ("robot.guard", "李师傅"), "李师傅")],
)
async def test_the_first_on_duty_who_can_be_reached_is_told(
    desk: Office, away: tuple[str, ...], told: tuple[str, str], person: str
) -> None:
    people = (Person("wang", "王师傅", contact="wang"), Person("li", "李师傅"))
    shifts = (Shift("guard", tuple(WEEK), 0, 1440, ("wang", "li")),)  # type: ignore[arg-type]
    duty = Duty(Roster(people, shifts), 1, desk.context.folder().duty_calendar)
    contacts = {name: Contact(name, Text(name), notifier=EntityId(f"robot.{name}")) for name in ("guard", "wang")}
    site = desk.context.folder().settings.site
    site = msgspec.structs.replace(site, contacts=contacts)
    robots, http = Robots(*away), None
    notify = NotifyExecutor(lambda: site, lambda rule: Text(rule), http, robots, duty.as_role)  # type: ignore[arg-type]
    order = msgspec.structs.replace(command(Notify("guard")), zone=ZoneId("lane"))
    done = await notify.perform(order)
    assert [one[:2] for one in robots.told] == [told]
    assert done.detail == {"contact": "guard", "person": person}
    assert (robots.told[0][2] == order.key) == (not away)
    assert duty.as_role("manager", at(0)) == (), "a role that the list does not name is told as it was"
