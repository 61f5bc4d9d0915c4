"""A door contact that nobody has a zone for: on the page it gets a new zone in a new area, and is bound to it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from hub.config.site import load_site
from tests.kit.broker import Broker
from tests.kit.browser import Desk, need_desk, running_chromium
from tests.kit.hub import MakeHub
from tests.kit.mqtt import need_mosquitto, publish
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
FOUND = {
    "unique_id": "d9", "name": "9号楼门磁", "device_class": "door", "state_topic": "doors/9",
    "device": {"identifiers": ["d9"], "name": "DW-9"},
}  # fmt: skip


@pytest.fixture
def browser() -> Iterator[Browser]:
    with running_chromium(need_desk()) as browser:
        yield browser


def test_a_found_door_gets_a_zone_of_its_own(browser: Browser, broker: Broker, tmp_path: Path, hub_of: MakeHub) -> None:
    need_mosquitto()
    folder = tmp_path / "site"
    (folder / "rules").mkdir(parents=True)
    site = {
        "site": {"id": "t", "name": "小区"},
        "mqtt": {"url": broker.url},
        "zones": {"lane": {"kind": "fire_lane", "name": "车道", "bind": {}}},
        "integrations": {"mqtt_discovery": {"prefix": "homeassistant"}},
    }
    (folder / "hub.yaml").write_text(json.dumps(site, ensure_ascii=False), "utf-8")
    hub = hub_of(folder / "hub.yaml")
    hub.start()
    publish(broker.port, "homeassistant/binary_sensor/d9/config", json.dumps(FOUND), retain=True)
    publish(broker.port, "doors/9", "OFF", retain=True)
    desk = Desk(browser, hub.url, 1280, 860)
    desk.open(f"#token={hub.token}")
    desk.hook("devices-link").click()
    desk.resize(390, 844)
    door = desk.hook("found", '[data-name="DW-9"]')
    door.get_by_label("防区").select_option(label="＋ 新防区…")
    form = desk.hook("zone-form")
    form.get_by_label("用途").select_option(label="单元门")
    desk.hook("zone-name").fill("9号楼1单元门")
    form.get_by_label("所在区域").select_option(label="＋ 新区域…")
    desk.hook("area-name").fill("9号楼")
    desk.fits()
    desk.shoot(Path(os.environ.get("MENSHEN_SHOTS") or tmp_path / "shots"), "zone-new-390")
    desk.hook("zone-save").click()
    expect(door.get_by_label("防区").locator("option:checked")).to_have_text("9号楼1单元门")
    expect(door.get_by_label("用作")).to_have_value("door")
    desk.hook("bind").click()
    expect(desk.hook("device", '[data-name="DW-9"]')).to_contain_text("9号楼1单元门 · 门")
    zones = until(
        lambda: [
            zone for zone in load_site(folder / "hub.yaml").settings.site.zones.values() if zone.name.zh[0] == "9"
        ],
        within=5,
    )
    assert [(zone.kind, dict(zone.bind)) for zone in zones] == [("unit_door", {"door": ("mqtt_discovery.d9",)})]
    assert [area.name.zh for area in load_site(folder / "hub.yaml").settings.site.areas.values()] == ["9号楼"]
    desk.check()
    desk.context.close()
