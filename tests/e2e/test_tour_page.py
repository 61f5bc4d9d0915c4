"""A facade tour on the page: a flowerpot on a sill is ticked to a ticket, and told no more; a typhoon is checked."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from integrations.sim.onvif_camera import PASSWORD, USER
from tests.kit.axe import serious
from tests.kit.broker import Broker
from tests.kit.browser import Desk, drawn, need_desk, running_chromium
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.site import Ends, write_site
from tests.kit.wait import until
from tests.vision.facade_camera import PRESETS, facade_camera
from tests.vision.test_tour import Facade, jpeg

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

CAMERA = "onvif.roof"


@pytest.fixture
def browser() -> Iterator[Browser]:
    with running_chromium(need_desk()) as browser:
        yield browser


def site(folder: Path, broker: Broker, url: str) -> Path:
    """Write a site with one tower, which a camera on the opposite roof turns to."""
    config = write_site(folder, {"url": broker.url}, Ends())
    settings = json.loads(config.read_text("utf-8"))
    settings["zones"]["tower_3"] = {
        "kind": "facade", "name": {"zh": "3号楼南立面", "en": "Tower 3, south"}, "bind": {"camera": CAMERA},
        "tour": {"camera": CAMERA, "preset": PRESETS["1"]},
    }  # fmt: skip
    settings["tour"] = {"at": ["10:00"]}
    settings["devices"]["onvif"] = {
        "roof": {"name": "楼顶球机", "url": url, "user": USER, "password": PASSWORD, "settle_s": 0, "events": False}
    }
    config.write_text(json.dumps(settings, ensure_ascii=False, indent=1), "utf-8")
    return config


def stops(hub: HubProcess) -> list[dict[str, Any]]:
    return list(hub.get("tour")["stops"])


def make(desk: Desk, hub: HubProcess) -> None:
    """Make a tour by the page, and wait until it is over."""
    begun = hub.get("tour")["begun_at"]
    desk.hook("tour-go").click()
    until(lambda: hub.get("tour"), lambda one: one["begun_at"] != begun and one["ended_at"], 60, "a tour made")
    expect(desk.hook("tour-go")).to_contain_text("现在巡查")


def test_a_flowerpot_becomes_a_ticket(browser: Browser, tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    shots = Path(os.environ.get("MENSHEN_SHOTS") or tmp_path / "shots")
    facade, yard = Facade(3), Facade(4)
    (tmp_path / "home.jpg").write_bytes(jpeg(yard.taken(yard.shown(), "same")))
    (tmp_path / "1.jpg").write_bytes(jpeg(facade.taken(facade.shown(), "same")))
    with facade_camera(tmp_path, off_s=90) as url:
        hub = hub_of(site(tmp_path / "site", broker, url))
        hub.start()
        until(hub.entities, lambda known: CAMERA in known, 30, "the camera set up")
        desk = Desk(browser, hub.url, 1280, 860)
        desk.open(f"#token={hub.token}")
        desk.hook("tour-link").click()
        expect(desk.hook("tour-stop")).to_have_count(1)
        desk.hook("tour-add").locator("summary").click()
        desk.hook("add-zone").select_option("tower_3")
        desk.hook("add-camera").select_option(CAMERA)
        for named, count in (("西侧", 2), ("", 3)):
            desk.hook("add-preset").fill(named)
            desk.hook("add-go").click()
            expect(desk.hook("tour-stop")).to_have_count(count)
        desk.hook("tour-stop", f'[data-id="{CAMERA}#西侧"]').get_by_test_id("tour-remove").click()
        expect(desk.hook("tour-stop")).to_have_count(2)
        make(desk, hub)
        first = desk.hook("tour-stop", f'[data-id="{CAMERA}#{PRESETS["1"]}"]')
        expect(first).to_contain_text("等人认可")
        assert min(drawn(first.get_by_test_id("tour-picture"))) > 100
        desk.shoot(shots, "tour-first-1280", whole=True)
        for left in (1, 0):
            desk.hook("tour-accept").first.click()
            expect(desk.hook("tour-accept")).to_have_count(left)
        pot = len(facade.sills) // 2 + 3
        (tmp_path / "1.jpg").write_bytes(jpeg(facade.taken(facade.shown(pot=pot), "shadow")))
        make(desk, hub)
        candidate = desk.hook("tour-candidate")
        expect(candidate).to_have_count(1)
        for picture in (candidate.locator("img").first, candidate.locator("img").last):
            picture.scroll_into_view_if_needed()
            assert min(drawn(picture)) > 50
        first.get_by_text("照片", exact=True).click()
        desk.fits()
        assert serious(desk.page) == []
        desk.shoot(shots, "tour-1280", whole=True)
        desk.resize(390, 844)
        desk.fits()
        desk.shoot(shots, "tour-390", whole=True)
        desk.hook("tour-ticket").click()
        desk.hook("tour-note").fill("10 楼窗台花盆")
        desk.hook("tour-open").click()
        expect(candidate).to_have_count(0)
        expect(first).to_contain_text("不同之处都已确认")
        make(desk, hub)
        expect(first).to_contain_text("没有变化")
        assert [stop["candidates"] for stop in stops(hub)] == [[], []]
        desk.hook("check-begin").click()
        desk.hook("check-tick").first.click()
        expect(desk.hook("tour-check")).to_contain_text("已看 1/2")
        desk.hook("language-switch").click()
        expect(desk.hook("tour-check")).to_contain_text("1 of 2 looked at")
        assert serious(desk.page) == []
        desk.fits()
        desk.shoot(shots, "tour-check-390-en", whole=True)
        desk.hook("language-switch").click()
        desk.resize(1280, 860)
        desk.page.emulate_media(media="print")
        expect(desk.hook("tour-go")).to_be_hidden()
        expect(desk.hook("tour-check")).to_contain_text("还没看")
        desk.shoot(shots, "tour-check-print", whole=True)
        desk.page.emulate_media(media="screen")
        desk.hook("health-link").click()
        expect(desk.hook("upkeep", '[data-id^="onvif/"]')).to_contain_text("时钟快")
        ticket = desk.hook("ticket")
        expect(ticket).to_contain_text("外墙巡查 3号楼南立面 南侧 5-10 层：10 楼窗台花盆")
        assert min(drawn(desk.hook("ticket-picture").last)) > 50
        desk.shoot(shots, "tour-ticket-1280", whole=True)
        desk.check()
        desk.context.close()
        trail = {row["action"] for row in hub.get("audit")["items"]}
        assert trail >= {
            "put_stop",
            "begin_tour",
            "tour_picture",
            "accept_picture",
            "judge_candidate",
            "tick_tour_check",
        }
        assert hub.terminate()[0] == 0
