"""Task (a): from the one-time code on the console to the first rule active, led by the page, in at most ten steps."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from hub.config.site import load_site
from hub.model.site import Role
from hub.runtime.troubles import Cause
from tests.e2e.test_people import first_code
from tests.kit.broker import free_port
from tests.kit.browser import Desk, need_desk, running_chromium
from tests.kit.hub import MakeHub
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

MOST = 10
PASSWORD = "门神守着幸福里的大门"
SITE: dict[str, Any] = {
    "site": {"id": "fresh", "name": "我的小区"},
    "zones": {},
    "integrations": {"mqtt_discovery": {"prefix": "homeassistant"}},
    "contacts": {
        "guard": {"name": "值班保安", "webhook": "http://127.0.0.1:9/x"},
        "manager": {"name": "物业经理", "webhook": "http://127.0.0.1:9/x"},
    },
    "prompts": {"second_warning": {"text": "请马上移车。"}},
}


class Person:
    """Counts what a person does: each field filled in and each thing clicked or chosen is one step.

    A password that is typed twice is two fields, and two steps.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.steps: list[str] = []

    def types(self, hook: str, text: str) -> None:
        self.steps.append(hook)
        self.desk.page.locator(f'input[data-testid="{hook}"]').fill(text)

    def clicks(self, hook: str) -> None:
        self.steps.append(hook)
        self.desk.hook(hook).click()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium(need_desk()) as browser:
        yield browser


@pytest.mark.parametrize("size", [(390, 844), (1280, 800)], ids=str)
def test_from_the_code_to_the_first_active_rule(
    browser: Browser, hub_of: MakeHub, tmp_path: Path, size: tuple[int, int]
) -> None:
    need_mosquitto()
    port, config = free_port(), tmp_path / "hub.yaml"
    shots, width = Path(os.environ.get("MENSHEN_SHOTS") or tmp_path / "shots"), size[0]
    (tmp_path / "rules").mkdir()
    config.write_text(json.dumps({**SITE, "mqtt": {"listen": f"127.0.0.1:{port}"}}, ensure_ascii=False), "utf-8")
    hub = hub_of(config)
    hub.start()
    lane = Lane(port, "lane_3")
    lane.announce()
    lane.free(retain=True)

    desk = Desk(browser, hub.url, *size)
    desk.open()
    person = Person(desk)
    person.types("first-code", first_code(hub))
    person.types("first-name", "陈经理")
    person.types("new-password", PASSWORD)
    person.types("new-password-again", PASSWORD)
    desk.shoot(shots, f"begin-code-{width}", whole=True)
    person.clicks("first-submit")
    expect(desk.hook("begin-device")).to_have_value(lane.entity)  # what was found is chosen
    expect(desk.hook("begin-kind")).to_have_value("fire_lane")
    expect(desk.hook("begin-rule-fire_lane_blocked")).to_be_checked()
    person.types("begin-site", "和平里小区")
    person.types("begin-name", "3号楼北侧消防通道")
    desk.fits()
    desk.shoot(shots, f"begin-{width}", whole=True)
    person.clicks("begin-start")
    expect(desk.hook("begin-done")).to_contain_text("消防通道占用 已启用，正在守着 3号楼北侧消防通道。")
    desk.fits()
    desk.shoot(shots, f"begin-done-{width}", whole=True)
    assert len(person.steps) <= MOST, person.steps

    said = load_site(config).settings.site
    assert said.name.zh == "和平里小区"
    (place, *parts) = said.zones.values()
    assert (place.kind, place.name.zh, dict(place.bind)) == (
        "fire_lane", "3号楼北侧消防通道", {"vehicle": (lane.entity,)}
    )  # fmt: skip
    assert {zone.bound(Role.ALARM) for zone in parts} == {(f"hub.{cause}",) for cause in Cause}, "and of the hub itself"
    rules = {rule["id"]: rule["enabled"] for rule in hub.get("rules")["items"]}
    assert rules == {"fire_lane_blocked": True, "hub_trouble": True}
    desk.hook("begin-desk").click()
    expect(desk.page.locator("header.bar")).to_contain_text("和平里小区")
    lane.occupied()  # the zone hears its device
    until(
        lambda: any(one["value"] == "present" for zone in hub.get("zones")["items"] for one in zone["entities"]),
        what="the car seen in the zone",
    )
    expect(desk.page.locator("main")).to_contain_text("3号楼北侧消防通道")
    desk.shoot(shots, f"begin-desk-{width}")
    desk.check("status of 401")  # nobody is signed in at first
    desk.context.close()


def test_a_rule_that_cannot_work_here_says_what_is_missing(browser: Browser, hub_of: MakeHub, tmp_path: Path) -> None:
    config = tmp_path / "hub.yaml"
    (tmp_path / "rules").mkdir()
    whole = {**SITE, "mqtt": {"listen": f"127.0.0.1:{free_port()}"}}
    poor = {key: value for key, value in whole.items() if key not in {"contacts", "prompts"}}
    config.write_text(json.dumps(poor, ensure_ascii=False), "utf-8")
    hub = hub_of(config)
    hub.start()
    desk = Desk(browser, hub.url, 1280, 800)
    desk.open(f"#token={hub.token}")
    desk.hook("sign-out").wait_for()
    desk.open("#/begin")
    person = Person(desk)
    person.types("begin-name", "3号楼北侧消防通道")
    person.clicks("begin-start")
    expect(desk.hook("begin-wrong")).to_contain_text("guard")
    assert hub.get("zones")["items"] == [], "nothing was made by halves"
    expect(desk.hook("begin-hub")).to_have_count(0)  # its manager is missing, too
    config.write_text(json.dumps(whole, ensure_ascii=False), "utf-8")
    until(
        lambda: {one["id"] for one in hub.get("rules/words")["contacts"]} >= {"guard"}, what="the hub knows the guard"
    )
    person.clicks("begin-start")
    expect(desk.hook("begin-done")).to_contain_text("接上设备后")
    assert len(hub.get("zones")["items"]) == 1
    desk.check()
    desk.context.close()
