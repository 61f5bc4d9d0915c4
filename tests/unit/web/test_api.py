"""What the API answers: the shapes it promises, refusals with a sentence, and nothing of its inside."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from hub.journal.desk import hand_over
from hub.journal.queries import add_audit
from hub.journal.tickets import open_ticket
from hub.journal.versions import note_files
from hub.model.decision import Capture
from hub.model.entry import Entry
from hub.model.ids import EntityId
from hub.model.reading import Capability, Entity, Presence, Quality, Reading
from hub.model.roster import Briefing
from hub.model.site import Mode
from hub.model.text import Text
from hub.sdk import Device, Vitals
from hub.web import schema
from hub.web.routes import API
from tests.kit.facts import NAME, SPOKEN, at, command, evidence, story
from tests.kit.lane import CAR
from tests.kit.office import GUARD, Office
from tests.unit.config.test_site import RULE

ENTITY = EntityId("mqtt_discovery.car")


async def fill(desk: Office) -> None:
    """Have one of everything in the hub."""
    entry = story()
    await desk.context.journal.commit(entry)
    texts = {"blocked.yaml": ("blocked", RULE), "gone.yaml": ("gone", RULE)}
    for files in (texts, {"blocked.yaml": texts["blocked.yaml"]}):
        await desk.context.journal.execute(lambda db, files=files: note_files(db, files, desk.clock.now()))  # type: ignore[misc]
    entity = Entity(ENTITY, Capability.PRESENCE, Text("车位"), "DC-1", expire_after=1)
    desk.context.registry.announce("mqtt_discovery", "x", (Device("1", Text("d"), (entity,), ()),))
    spare = Entity(EntityId("mqtt_discovery.spare"), Capability.CONTACT, Text("门"), "DC-2")
    desk.context.registry.announce("mqtt_discovery", "y", (Device("2", Text("e"), (spare,), ()),))
    desk.context.registry.note_vitals("mqtt_discovery", Vitals("DC-1", battery=40, signal=-90))
    await desk.context.runtime.done(
        lambda batch: batch.feed(Reading(ENTITY, Presence.PRESENT, Quality.GOOD, batch.now))
    )
    await desk.sign_up("王师傅", "guard")
    picture = desk.context.data / evidence(command(Capture())).path
    await open_ticket(desk.context.journal, "mqtt_discovery/DC-1", "电池", "", "guard", at(9))
    await hand_over(desk.context.journal, Briefing(), "王师傅", "", "guard", at(9))
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"\xff\xd8\xff")
    await desk.context.journal.execute(lambda db: add_audit(db, at(9), "王师傅", "export", {}, target="1"))


PATHS = {
    "zone": "/api/v1/zones/lane",
    "incident": "/api/v1/incidents/1",
    "views": "/api/v1/incidents/1/views",
    "kept": "/api/v1/incidents/1/hold",
    "history": f"/api/v1/history?entity={CAR}",
    "rule_file": "/api/v1/rules/blocked/file",
    "rule_versions": "/api/v1/rules/blocked/versions",
    "why": "/api/v1/rules/blocked/why?zone=lane",
    "command": f"/api/v1/commands/{command(Capture()).key}",
    "search_incidents": "/api/v1/search/incidents?begin=2000-01-01T00:00Z&end=2099-01-01T00:00Z",
}
#: Examining needs a device: tests/e2e/test_plugin.py.
READ = [route for route in API if route.method == "GET" and route.returns is not None and route.name != "examine"]


@pytest.mark.parametrize("full", [False, True], ids=["empty", "full"])
@pytest.mark.parametrize("route", READ, ids=lambda route: route.name)
async def test_answers_have_the_shape_that_is_promised(desk: Office, route: Any, *, full: bool) -> None:
    if full:
        await fill(desk)
    role = None if route.role is None else route.role.name.lower()
    answer = await desk.ask(PATHS.get(route.name, route.path), role)
    if route.name == "sight_card" or (not full and route.name in {"incident", "views", "kept", "command"}):
        assert answer.status == 404
        return
    assert answer.status == 200
    assert answer.content_type == (route.media or "application/json")
    *_, last = (await answer.read()).splitlines()  # of lines with progress the last one has the result
    body = json.loads(last)
    read = msgspec.convert(body, route.returns)
    assert json.loads(msgspec.json.encode(read)) == body, "nothing is there that the shape does not name"
    # a plan needs its picture, a sight its camera: test_plans.py, test_sightings.py, tests/e2e/test_seeing.py
    listed = isinstance(read, schema.Page) and route.name not in {"plans", "sight", "sightings"}
    assert not full or not listed or read.items


async def test_an_incident_tells_its_story(desk: Office) -> None:
    await fill(desk)
    (incident,) = (await (await desk.ask("/api/v1/incidents")).json())["items"]
    assert (incident["id"], incident["state"], incident["severity"]) == ("1", "closed", "high")
    assert [step["kind"] for step in incident["timeline"]] == [
        "sensed", "opened", "command", "command", "incident", "escalated", "withheld", "command", "sensed", "cleared",
        "incident",
    ]  # fmt: skip
    picture, speech = [step for step in incident["timeline"] if step["kind"] == "command"][:2]
    assert (picture["status"], picture["attempts"], picture["latency_ms"]) == ("done", 2, 1_000)
    assert (speech["status"], speech["failure"], speech["repeated"]) == ("started", "unreachable", True)
    assert speech["text"]["zh"] == SPOKEN.text.zh
    (file,) = incident["evidence"]
    answer = await desk.ask(file["url"])
    assert (answer.status, await answer.read()) == (200, b"\xff\xd8\xff")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_pages_of_incidents(desk: Office) -> None:
    for number in range(3):
        opened = [made for made in story().decisions if type(made).__name__ == "IncidentOpened"]
        named = [msgspec.structs.replace(made, activation=f"{NAME}{number}") for made in opened]
        await desk.context.journal.commit(Entry(at=at(number), decisions=named))
    first = await (await desk.ask("/api/v1/incidents?limit=2")).json()
    second = await (await desk.ask(f"/api/v1/incidents?limit=2&cursor={first['next']}")).json()
    assert [item["id"] for item in first["items"] + second["items"]] == ["3", "2", "1"]
    assert second["next"] is None
    assert len((await (await desk.ask("/api/v1/incidents?state=open")).json())["items"]) == 3
    assert (await (await desk.ask("/api/v1/incidents?state=closed")).json())["items"] == []


@pytest.mark.parametrize(
    "query",
    [
        *("state=all", "limit=0", "limit=201", "limit=-1", "limit=x", "limit=1.5", "limit=%EF%BC%93", "limit=1e1"),
        *("cursor=0", "cursor=", "cursor=%00", "cursor=" + "9" * 5_000, "cursor=" + "0" * 19 + "1" + "9" * 20),
    ],
    ids=lambda query: query[:20],
)
async def test_a_query_that_makes_no_sense_is_refused(desk: Office, query: str) -> None:
    answer = await desk.ask(f"/api/v1/incidents?{query}")
    assert answer.status == 400
    assert msgspec.json.decode(await answer.read(), type=schema.Problem).error == "bad_request"


@pytest.mark.parametrize("name", ["0", "-1", "x", "9" * 30, "٣", "1.0", "1%20", "%00"])
async def test_an_incident_that_is_not_there(desk: Office, name: str) -> None:
    assert (await desk.ask(f"/api/v1/incidents/{name}")).status == 404


async def test_what_is_asked_for_by_name_may_be_anything(desk: Office) -> None:
    for path in ("/api/v1/history?entity=%27;--", "/api/v1/history?entity=%FF", "/api/v1/history?entity=%ED%A0%80"):
        answer = await desk.ask(path)
        assert (answer.status, (await answer.json())["items"]) == (200, [])
    assert (await desk.ask("/api/v1/history")).status == 400
    for path in ("/api/v1/evidence/%27", "/api/v1/zones/%E8%BD%A6", "/api/v1/evidence/%FF"):
        assert (await desk.ask(path)).status == 404


BAD_BODIES = (
    b"", b"{", b"[]", b"null", b'"x"', b'{"on": "yes"}', b'{"on": 1}', b'{"on": true, "extra": 1}', b'{"minutes": 5}',
    b'{"on": true, "minutes": 0}', b'{"on": true, "minutes": 10081}', b'{"on": true, "minutes": 1.5}',
    b'{"on": true, "minutes": "5"}', b'{"on": true, "minutes": NaN}', b"\xff\xfe{}", b"[" * 30_000, b"\xef\xbb\xbf{}",
    b'{"on": true, "minutes": ' + b"9" * 5_000 + b"}",
)  # fmt: skip


@pytest.mark.parametrize("content", BAD_BODIES, ids=lambda content: content[:24].decode("latin-1"))
async def test_a_bad_body_is_refused_and_changes_nothing(desk: Office, content: bytes) -> None:
    answer = await desk.ask("/api/v1/site/modes/test", "guard", "PUT", data=content)
    assert answer.status == 400
    msgspec.json.decode(await answer.read(), type=schema.Problem)
    assert Mode.TEST not in desk.context.runtime.state.modes


async def test_a_body_that_is_too_large(desk: Office) -> None:
    answer = await desk.ask("/api/v1/site/modes/test", "guard", "PUT", data=b" " * 100_000)
    assert answer.status == 413
    msgspec.json.decode(await answer.read(), type=schema.Problem)


async def test_a_mode_is_switched_journalled_and_ends(desk: Office) -> None:
    answer = await desk.ask("/api/v1/site/modes/maintenance", "guard", "PUT", json={"on": True, "minutes": 10})
    mode = msgspec.json.decode(await answer.read(), type=schema.ModeOut)
    assert (mode.on, mode.by) == (True, "guard")
    (kept,) = desk.context.journal.load().modes
    assert (kept.mode, kept.by) == ("maintenance", "guard")
    assert (await desk.ask("/api/v1/site/modes/holiday", "guard", "PUT", json={"on": True})).status == 404


async def test_ready_says_when_the_journal_refuses(desk: Office) -> None:
    assert (await desk.ask("/readyz", None)).status == 200
    desk.context.problems.raise_("journal", Text("日志无法写入"))
    answer = await desk.ask("/readyz", None)
    assert (answer.status, await answer.json()) == (503, {"ready": False})
    assert (await desk.ask("/healthz", None)).status == 200
    assert "menshen_ready 0.0" in await (await desk.ask("/metrics", None)).text()
    assert not (await (await desk.ask("/api/v1/site")).json())["ready"]


async def test_a_fault_shows_nothing_of_the_inside(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_arguments: object) -> None:
        raise ZeroDivisionError("secret inside")

    monkeypatch.setattr("hub.web.present.site", fault)
    answer = await desk.ask("/api/v1/site")
    assert answer.status == 500
    assert b"secret" not in await answer.read()


async def test_a_page_hears_of_what_it_asked_for(desk: Office) -> None:
    async with desk.client.ws_connect("/api/v1/ws", headers={"Authorization": "Bearer token-of-viewer"}) as socket:
        await socket.send_json({"subscribe": ["site"]})
        assert await socket.receive_json(timeout=20) == {"topic": "site", "id": None}, "what it fetched before is old"
        await desk.ask("/api/v1/site/modes/test", "guard", "PUT", json={"on": True}, headers=GUARD)
        assert await socket.receive_json(timeout=20) == {"topic": "site", "id": None}
        await socket.send_str('{"subscribe": ["everything"]}')
        message = await socket.receive(timeout=20)
        assert message.data == 1008


async def test_an_editor_gets_the_schema_of_a_rule(desk: Office) -> None:
    answer = await desk.ask("/api/v1/schema/rule")
    assert (answer.status, answer.content_type) == (200, "application/schema+json")
    assert set((await answer.json(content_type=None))["required"]) == {"rule", "zones", "trigger", "actions", "clear"}


async def test_an_entity_is_bound_only_as_what_it_is(desk: Office) -> None:
    await fill(desk)
    before = desk.context.folder().settings.site.zones
    wrong = {"role": "door", "entity": ENTITY}
    answer = await desk.ask("/api/v1/zones/lane/bind", "manager", "PUT", json=wrong, headers=GUARD)
    assert answer.status == 422
    assert "cannot serve as door" in (await answer.json())["message"]
    right = {"role": "door", "entity": "mqtt_discovery.spare"}
    answer = await desk.ask("/api/v1/zones/lane/bind", "manager", "PUT", json=right, headers=GUARD)
    assert answer.status == 204
    assert "mqtt_discovery.spare" in (desk.context.data.parent / "hub.yaml").read_text("utf-8")
    assert before == desk.context.folder().settings.site.zones, "it is taken over when the file is seen, not here"
