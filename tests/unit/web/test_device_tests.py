"""Tests of a device from its page: ordinary commands of the operator, audited, and not too often."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.model.ids import EntityId, ZoneId
from hub.model.reading import Capability, Entity
from hub.model.site import Role
from hub.model.text import Text
from hub.model.time import MINUTE
from hub.sdk import Device
from hub.web.tries import TRIES
from tests.kit.office import GUARD, Office
from tests.kit.store import rows

KINDS = {"horn": (Capability.SPEAKER, Role.SPEAKER), "eye": (Capability.CAMERA, Role.CAMERA),
         "lamp": (Capability.RELAY, Role.LIGHT)}  # fmt: skip


@pytest.fixture
async def fitted(desk: Office) -> Office:
    """Lend an office whose lane has a loudspeaker, a camera and a lamp."""
    zone = desk.context.folder().settings.site.zones[ZoneId("lane")]
    for name, (capability, role) in KINDS.items():
        entity = Entity(EntityId(f"mqtt_discovery.{name}"), capability, Text(name), name)
        desk.context.registry.announce("mqtt_discovery", name, (Device(name, Text(name), (entity,), ()),))
        zone.bind[role] = (entity.id,)
    return desk


async def order(desk: Office, name: str, what: str, role: str = "guard", **body: object) -> tuple[int, dict[str, Any]]:
    path = f"/api/v1/entities/mqtt_discovery.{name}/{what}"
    answer = await desk.ask(path, role, "POST", json=body, headers=GUARD)
    return answer.status, json.loads(await answer.text())


async def test_each_test_is_a_command_of_the_operator(fitted: Office) -> None:
    assert (await order(fitted, "horn", "speech", text="这是试音"))[0] == 202
    assert (await order(fitted, "eye", "picture"))[0] == 202
    assert (await order(fitted, "lamp", "hold", "manager", seconds=3))[0] == 202
    ordered = [json.loads(body) for (body,) in rows(fitted.context.data, "SELECT body FROM commands ORDER BY rowid")]
    assert [one["action"]["type"] for one in ordered] == ["say", "capture", "switch"]
    assert (ordered[2]["action"]["role"], ordered[2]["action"]["hold"]) == ("light", 3_000_000)
    assert {(one["rule"], one["zone"]) for one in ordered} == {("operator", "lane")}
    audited = rows(fitted.context.data, "SELECT action, target FROM audit WHERE action LIKE 'test%' ORDER BY seq")
    assert audited == [("test_speaker", "mqtt_discovery.horn"), ("test_camera", "mqtt_discovery.eye"),
                       ("test_relay", "mqtt_discovery.lamp")]  # fmt: skip


async def test_what_became_of_it(fitted: Office) -> None:
    _, ordered = await order(fitted, "eye", "picture")
    found = await (await fitted.ask(f"/api/v1/commands/{ordered['key']}", "guard")).json()
    assert (found["status"], found["evidence"], found["error"]) == ("pending", None, "")
    assert (await fitted.ask("/api/v1/commands/none", "guard")).status == 404


async def test_what_is_refused(fitted: Office) -> None:
    assert (await order(fitted, "lamp", "hold", "guard", seconds=3))[0] == 403
    assert (await order(fitted, "lamp", "hold", "manager", seconds=11))[0] == 400
    assert (await order(fitted, "eye", "speech", text="x"))[1]["error"] == "not_bound"
    assert (await order(fitted, "none", "picture"))[0] == 404
    assert rows(fitted.context.data, "SELECT 1 FROM commands") == []


async def test_no_device_is_tested_too_often(fitted: Office) -> None:
    assert [(await order(fitted, "eye", "picture"))[0] for _ in range(TRIES)] == [202] * TRIES
    status, problem = await order(fitted, "eye", "picture")
    assert (status, problem["error"]) == (429, "too_many_tests")
    assert (await order(fitted, "horn", "speech", text="x"))[0] == 202, "another one can be tested"
    fitted.clock.advance(MINUTE + 1)
    assert (await order(fitted, "eye", "picture"))[0] == 202
