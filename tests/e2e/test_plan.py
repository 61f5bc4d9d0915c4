"""A site plan from nothing: a found door contact is placed on it, its zone drawn and bound, and it stays."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, FilePayload, expect

from hub.config.site import load_site
from hub.model.ids import EntityId
from tests.e2e.test_places import FOUND
from tests.kit.broker import Broker
from tests.kit.browser import Desk, need_desk, running_chromium
from tests.kit.hub import MakeHub
from tests.kit.mqtt import need_mosquitto, publish

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
RULE = """\
rule: opened
zones: {kind: unit_door}
trigger: {door: open}
actions: [{open_incident: {severity: high}}]
clear: {door: closed}
"""
ENTITY = "mqtt_discovery.d9"
#: Corners of the zone and the place of the door, in parts of the plan's box on the page.
CORNERS = ((0.4, 0.4), (0.65, 0.4), (0.65, 0.6), (0.4, 0.6))
DOOR = (0.5, 0.45)


@pytest.fixture
def browser() -> Iterator[Browser]:
    with running_chromium(need_desk()) as browser:
        yield browser


def drawing() -> bytes:
    picture = Image.new("RGB", (1200, 800), "#e9efe4")
    pen = ImageDraw.Draw(picture)
    for left in (120, 480, 840):
        pen.rectangle((left, 240, left + 240, 480), fill="#cdb9a0", outline="#6b5a45", width=4)
    pen.rectangle((60, 560, 1140, 640), fill="#b8bcc2")
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def click(desk: Desk, place: tuple[float, float]) -> None:
    box = desk.hook("plan-map").bounding_box()
    assert box is not None
    desk.hook("plan-map").click(position={"x": box["width"] * place[0], "y": box["height"] * place[1]})


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)], ids=["390", "1280"])
def test_a_found_door_is_placed_drawn_and_bound(
    browser: Browser, broker: Broker, tmp_path: Path, hub_of: MakeHub, width: int, height: int
) -> None:
    need_mosquitto()
    shots = Path(os.environ.get("MENSHEN_SHOTS") or tmp_path / "shots")
    folder = tmp_path / "site"
    (folder / "rules").mkdir(parents=True)
    site = {
        "site": {"id": "t", "name": "小区"},
        "mqtt": {"url": broker.url},
        "zones": {"door_9": {"kind": "unit_door", "name": "9号楼1单元门", "bind": {}}},
        "integrations": {"mqtt_discovery": {"prefix": "homeassistant"}},
    }
    (folder / "hub.yaml").write_text(json.dumps(site, ensure_ascii=False), "utf-8")
    (folder / "rules" / "opened.yaml").write_text(RULE, "utf-8")
    hub = hub_of(folder / "hub.yaml")
    hub.start()
    publish(broker.port, "homeassistant/binary_sensor/d9/config", json.dumps(FOUND), retain=True)
    desk = Desk(browser, hub.url, width, height)
    desk.open(f"#token={hub.token}")
    desk.hook("devices-link").click()
    expect(desk.hook("found", '[data-name="DW-9"]')).to_be_visible()
    publish(broker.port, "doors/9", "OFF")
    desk.hook("plan-link").click()
    expect(desk.hook("plan-empty")).to_be_visible()
    desk.shoot(shots, f"plan-empty-{width}")
    svg: FilePayload = {"name": "a.png", "mimeType": "image/png", "buffer": b"<svg/>"}
    desk.hook("plan-file").set_input_files(svg)
    expect(desk.hook("plan-empty").get_by_role("alert")).to_contain_text("请选择 PNG、JPEG 或 WebP 图片")
    desk.hook("plan-file").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": drawing()})
    expect(desk.hook("plan-map")).to_have_attribute("data-ready", "true")

    desk.hook("plan-edit").click()
    desk.page.get_by_label("选择防区").select_option("door_9")
    desk.hook("plan-draw").click()
    for corner in CORNERS:
        click(desk, corner)
    desk.shoot(shots, f"plan-drawing-{width}", whole=True)
    desk.hook("plan-finish").click()
    zone = desk.page.locator('path[data-zone="door_9"]')
    expect(zone).to_be_visible()

    desk.page.get_by_label("选择设备").select_option(ENTITY)
    desk.hook("plan-place").click()
    click(desk, DOOR)
    marker = desk.page.locator(f'[data-device="{ENTITY}"]')
    expect(marker).to_be_visible()
    bind = desk.hook("entity")
    bind.get_by_label("防区").select_option("door_9")
    desk.hook("bind").click()
    expect(bind).to_contain_text("9号楼1单元门 · 门")
    desk.fits()
    desk.shoot(shots, f"plan-arranged-{width}", whole=True)

    # from the plan to the same zone on a camera's picture, and back to where one was
    desk.hook("plan-on-camera").click()
    expect(desk.hook("sight-add-form")).to_be_visible()
    expect(desk.page.get_by_role("status").filter(has_text="9号楼1单元门")).to_be_visible()
    desk.shoot(shots, f"plan-on-camera-{width}", whole=True)
    desk.hook("sight-back").click()
    expect(desk.hook("plan-arrange")).to_be_visible()
    expect(desk.page.get_by_label("选择防区")).to_have_value("door_9")

    desk.open()
    desk.hook("plan-link").click()
    expect(marker).to_be_visible()
    expect(zone).to_have_attribute("data-status", "calm")
    zone.focus()
    desk.page.keyboard.press("Enter")
    expect(desk.hook("plan-card")).to_contain_text("9号楼1单元门")
    desk.fits()
    desk.shoot(shots, f"plan-{width}", whole=True)

    kept = load_site(folder / "hub.yaml").settings
    plan = kept.plans["main"]
    assert (folder / plan.image).read_bytes() == drawing()
    assert [(name, len(corners)) for name, corners in plan.zones.items()] == [("door_9", len(CORNERS))]
    assert list(plan.devices) == [ENTITY]
    assert [dict(one.bind) for one in kept.site.zones.values()] == [{"door": (ENTITY,)}]
    before = plan.devices[EntityId(ENTITY)]

    desk.hook("plan-edit").click()
    box = marker.bounding_box()
    assert box is not None
    desk.page.mouse.move(box["x"] + 12, box["y"] + 12)
    desk.page.mouse.down()
    desk.page.mouse.move(box["x"] + 62, box["y"] + 12, steps=5)
    with desk.page.expect_response(lambda answer: "/devices/" in answer.url and answer.request.method == "PUT"):
        desk.page.mouse.up()
    after = load_site(folder / "hub.yaml").settings.plans["main"].devices[EntityId(ENTITY)]
    assert after[0] > before[0] + 0.02
    assert after[1] == pytest.approx(before[1], abs=0.005)

    desk.hook("plan-edit").click()
    publish(broker.port, "doors/9", "ON")
    expect(zone).to_have_attribute("data-status", "alarm")  # by itself, while the page is open
    expect(desk.page.locator(".plan-label")).to_contain_text("9号楼1单元门 · 告警")
    desk.shoot(shots, f"plan-alarm-{width}", whole=True)
    desk.hook("plan-zone").click()
    desk.hook("plan-incident").click()
    expect(desk.page).to_have_url(re.compile("#/incidents/"))
    desk.hook("incident-on-plan").click()  # and where it is
    expect(desk.hook("plan-card")).to_contain_text("9号楼1单元门")
    expect(desk.hook("plan-zone")).to_have_attribute("aria-pressed", "true")
    expect(desk.hook("plan-arrange")).to_have_count(0)
    desk.check("422")  # the picture that was none
    desk.context.close()
