"""Upkeep over the API: how devices are, how often they were wrong, and the tickets for their repair."""

from __future__ import annotations

import json
from typing import Any

from hub.journal.desk import handle
from hub.model.decision import IncidentOpened, Opened, Severity, Witness
from hub.model.entry import Entry
from hub.model.ids import ActivationId, EntityId, RuleId, ZoneId
from hub.model.incident import Handling, IncidentState, Verdict
from hub.model.reading import Capability, Entity, Presence, Quality, Reading
from hub.model.text import Text
from hub.model.time import DAY, HOUR, Instant
from hub.sdk import Device, Vitals
from tests.kit.facts import at
from tests.kit.office import GUARD, Office
from tests.kit.store import rows

CAR, DEVICE = EntityId("mqtt_discovery.car"), "mqtt_discovery/DC-1"


async def furnish(desk: Office, expire_after: int | None = None) -> None:
    """Have one device, that was heard of battery and signal."""
    entity = Entity(CAR, Capability.PRESENCE, Text("车辆"), "DC-1", expire_after=expire_after)
    desk.context.registry.announce("mqtt_discovery", "x", (Device("1", Text("d"), (entity,), ()),))
    desk.context.registry.note_vitals("mqtt_discovery", Vitals("DC-1", battery=40, signal=-90))


async def alarm(desk: Office, number: int, verdict: Verdict | None, ago: int = 0) -> None:
    """Have an incident that the device caused, judged by a guard or not yet."""
    name, when = ActivationId(f"blocked@lane@{number}"), Instant(at(number) - ago)
    where: dict[str, Any] = {"rule": RuleId("blocked"), "zone": ZoneId("lane"), "at": when, "activation": name}
    trace = (Witness(holds=True, entity=CAR, value="present"),)
    entry = Entry(when)
    entry.decisions = [
        Opened(**where, since=when, late_by=0, trace=trace),  # type: ignore[arg-type]
        IncidentOpened(**where, severity=Severity.HIGH),
    ]
    await desk.context.journal.commit(entry)
    if verdict is not None:
        step = Handling(name, IncidentState.CLOSED, when, "guard", verdict, "探头松了")
        assert await handle(desk.context.journal, step, IncidentState.OPEN)


async def upkeep(desk: Office) -> dict[str, Any]:
    answer = await desk.ask("/api/v1/upkeep")
    assert answer.status == 200, await answer.text()
    (found,) = (item for item in (await answer.json())["items"] if item["id"] == DEVICE)
    return dict(found)


async def send(desk: Office, method: str, path: str, role: str = "guard", **body: object) -> tuple[int, dict[str, Any]]:
    answer = await desk.ask(path, role, method, json=body, headers=GUARD)
    return answer.status, json.loads(await answer.text())


async def test_the_noise_of_a_device_is_the_false_share_of_what_was_judged_in_30_days(desk: Office) -> None:
    await furnish(desk)
    fresh = await upkeep(desk)
    assert (fresh["noise"], fresh["alarms"], fresh["battery"], fresh["untrusted"]) == (None, 0, 40, 1)
    await alarm(desk, -1, Verdict.FALSE_ALARM)
    await alarm(desk, -2, Verdict.FALSE_ALARM)
    await alarm(desk, -3, Verdict.RESOLVED)
    await alarm(desk, -4, None)
    await alarm(desk, -5, Verdict.FALSE_ALARM, ago=31 * DAY)
    found = await upkeep(desk)
    assert (found["alarms"], found["judged"], found["false"], found["noise"]) == (4, 3, 2, 2 / 3)


async def test_what_only_waits_to_be_confirmed_is_not_called_silent(desk: Office) -> None:
    """As after a restart: what was known is stale until the device speaks, and silent only when that is overdue."""
    await furnish(desk, expire_after=HOUR)

    async def count() -> tuple[int, int, int]:
        found = await upkeep(desk)
        return found["untrusted"], found["unconfirmed"], found["unheard"]

    assert await count() == (1, 0, 1), "never heard"
    said = Reading(CAR, Presence.PRESENT, Quality.GOOD, desk.clock.now())
    await desk.context.runtime.done(lambda batch: batch.feed(said))
    assert await count() == (0, 0, 0)
    await desk.context.runtime.done(lambda batch: batch.trust((CAR,), Quality.STALE))
    assert await count() == (1, 1, 0)
    desk.clock.advance(HOUR + 1)
    assert await count() == (1, 0, 0), "overdue"
    again = Reading(CAR, Presence.PRESENT, Quality.GOOD, desk.clock.now())
    await desk.context.runtime.done(lambda batch: batch.feed(again))
    assert await count() == (0, 0, 0), "its next word confirms it"


async def test_what_need_not_speak_and_never_did_is_not_called_silent(desk: Office) -> None:
    """A self-test says nothing until it fails; its device speaks by other words."""
    fault = Entity(EntityId("mqtt_discovery.fault"), Capability.ALARM, Text("自检故障"), "DC-1")
    car = Entity(CAR, Capability.PRESENCE, Text("车辆"), "DC-1")
    desk.context.registry.announce("mqtt_discovery", "x", (Device("1", Text("d"), (car, fault), ()),))
    found = await upkeep(desk)
    assert (found["untrusted"], found["unconfirmed"], found["unheard"]) == (2, 0, 2), "nothing at all was heard"
    said = Reading(CAR, Presence.PRESENT, Quality.GOOD, desk.clock.now())
    await desk.context.runtime.done(lambda batch: batch.feed(said))
    found = await upkeep(desk)
    assert (found["untrusted"], found["unconfirmed"], found["unheard"]) == (1, 1, 0)


async def test_an_incident_closed_for_repair_opens_a_ticket_in_the_same_transaction(desk: Office) -> None:
    await furnish(desk)
    await alarm(desk, -1, Verdict.REPAIR)
    (ticket,) = (await (await desk.ask("/api/v1/tickets?state=open")).json())["items"]
    assert (ticket["incident"], ticket["note"], ticket["opened_by"]) == ("1", "探头松了", "guard")
    assert (await upkeep(desk))["tickets"] == 0
    status, _ = await send(desk, "PUT", f"/api/v1/tickets/{ticket['id']}", device=DEVICE)
    assert (status, (await upkeep(desk))["tickets"]) == (200, 1)


async def test_a_ticket_from_hand_to_done(desk: Office) -> None:
    await furnish(desk)
    status, ticket = await send(desk, "POST", "/api/v1/tickets", device=DEVICE, note="电池 40%", assigned="李师傅")
    assert (status, ticket["assigned"], ticket["opened_by"], ticket["done_at"]) == (201, "李师傅", "guard", None)
    where = f"/api/v1/tickets/{ticket['id']}"
    status, ticket = await send(desk, "PUT", where, assigned="王师傅")
    assert (status, ticket["assigned"], ticket["note"]) == (200, "王师傅", "电池 40%")
    status, ticket = await send(desk, "PUT", where, "manager", done=True)
    assert (status, ticket["done_by"]) == (200, "manager")
    status, problem = await send(desk, "PUT", where, assigned="x")
    assert (status, problem["error"]) == (409, "ticket_done")
    assert (await (await desk.ask("/api/v1/tickets?state=open")).json())["items"] == []
    (done,) = (await (await desk.ask(f"/api/v1/tickets?state=done&device={DEVICE}")).json())["items"]
    assert done["id"] == ticket["id"]
    kept = rows(desk.context.data, "SELECT actor, action, outcome FROM audit WHERE action LIKE '%ticket' ORDER BY seq")
    assert kept[:3] == [("guard", "open_ticket", "done"), ("guard", "change_ticket", "done"),
                        ("manager", "change_ticket", "done")]  # fmt: skip


async def test_what_no_ticket_can_be(desk: Office) -> None:
    await furnish(desk)
    assert (await send(desk, "POST", "/api/v1/tickets", device="no/such", note="x"))[0] == 404
    assert (await send(desk, "POST", "/api/v1/tickets", device=DEVICE, note="\u202e "))[0] == 422
    assert (await send(desk, "PUT", "/api/v1/tickets/99", note="x"))[0] == 404
    for query in ("state=all", "limit=0", "cursor=x"):
        assert (await desk.ask(f"/api/v1/tickets?{query}")).status == 400


async def test_tickets_come_in_pages(desk: Office) -> None:
    await furnish(desk)
    for note in "abc":
        await send(desk, "POST", "/api/v1/tickets", device=DEVICE, note=note)
    first = await (await desk.ask("/api/v1/tickets?limit=2")).json()
    rest = await (await desk.ask(f"/api/v1/tickets?limit=2&cursor={first['next']}")).json()
    assert [item["note"] for item in (*first["items"], *rest["items"])] == ["c", "b", "a"]
    assert rest["next"] is None
