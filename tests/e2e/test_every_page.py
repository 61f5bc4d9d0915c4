"""Every page of the router table, by day and by night, on a phone and a PC: no serious finding, no breach, no jump."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from tests.kit.axe import serious
from tests.kit.broker import free_port
from tests.kit.browser import Desk, need_desk, running_chromium
from tests.kit.hub import HubProcess
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.past import record_visits
from tests.kit.site import ROOT
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

#: What stands in a path for the one thing that the page is about.
NAMES = {"rule": "fire_lane_blocked"}  # and an incident that is opened for it
SITE = """\
site: {{id: test, name: {{zh: 和平里小区, en: Test community}}}}
mqtt: {{listen: "127.0.0.1:{port}"}}
zones:
  lane_3: {{kind: fire_lane, name: 3号楼北侧消防通道, bind: {{vehicle: mqtt_discovery.lane_3}}}}
  lane_5: {{kind: fire_lane, name: 5号楼东侧消防通道, bind: {{vehicle: mqtt_discovery.lane_5_vehicle}}}}
integrations: {{mqtt_discovery: {{prefix: homeassistant}}}}
contacts:
  guard: {{name: 值班保安, webhook: "http://127.0.0.1:9/x"}}
  manager: {{name: 物业经理, webhook: "http://127.0.0.1:9/x"}}
prompts: {{second_warning: {{text: 请马上移车。}}}}
"""
SIZES = [(1280, 800), (390, 844)]
THEMES: list[Literal["light", "dark"]] = ["light", "dark"]
RULE = """\
rule: at_once
name: {zh: 消防通道有车, en: A vehicle in the fire lane}
zones: {kind: fire_lane, only: [lane_5]}
trigger: {vehicle: present, for: 1 s}
actions: [{open_incident: {severity: high}}]
clear: {vehicle: absent, for: 1 s, actions: [{close_incident: cleared}]}
"""
#: Sums up the shifts that no person caused, as the Core Web Vitals do.
SHIFTS = """window.shifted = 0; new PerformanceObserver((list) => { for (const one of list.getEntries())
    if (!one.hadRecentInput) window.shifted += one.value }).observe({ type: 'layout-shift', buffered: true })"""
#: Counts what the page waits for.
ASKING = """window.asking = 0; const real = window.fetch; window.fetch = (...all) => { window.asking += 1
    return real(...all).finally(() => { window.asking -= 1 }) }"""


def routes() -> dict[str, str]:
    """Return the paths of the router table by name: a new page cannot be forgotten."""
    source = (ROOT / "ui" / "src" / "router.ts").read_text("utf-8")
    return {name: path for path, name in re.findall(r"path: '([^']+)', name: '([^']+)'", source)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium(need_desk()) as browser:
        yield browser


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(os.environ.get("MENSHEN_SHOTS") or tmp_path_factory.mktemp("shots"))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """Lend one hub to all pages: they are only looked at."""
    need_mosquitto()
    folder = tmp_path_factory.mktemp("site")
    (folder / "rules").mkdir()
    config = folder / "hub.yaml"
    port = free_port()
    config.write_text(SITE.format(port=port), "utf-8")
    (folder / "rules" / "at_once.yaml").write_text(RULE, "utf-8")
    rule = (ROOT / "rules" / "fire_lane_blocked.yaml").read_text("utf-8")
    (folder / "rules" / "fire_lane_blocked.yaml").write_text(rule, "utf-8")
    hub = HubProcess(config, folder / "data")
    record_visits(hub.data, {"mqtt_discovery.lane_3": [(0.6, 9)]})
    hub.start()
    lane = Lane(port, "lane_5")
    lane.announce()
    until(hub.entities, lambda known: any("lane_5" in name for name in known), what="the sensor known")
    lane.occupied(retain=True)  # what the hub hears as retained is no fresh alarm
    yield hub
    hub.close()


@pytest.fixture(scope="module")
def desk(browser: Browser, hub: HubProcess) -> Iterator[Desk]:
    desk = Desk(browser, hub.url, 1280, 800)
    desk.context.add_init_script(SHIFTS)
    desk.context.add_init_script(ASKING)
    desk.open(f"#token={hub.token}")
    desk.hook("sign-out").wait_for()
    desk.check("status of 401")
    yield desk
    desk.context.close()


def address(hub: HubProcess, name: str) -> str:
    """Return where a page is; one about one thing is opened about a real one."""
    one = NAMES.get(name) or until(lambda: hub.get("incidents")["items"], what="an incident")[0]["id"]
    device = next(found for found in hub.get("devices")["items"] if found["integration"] == "mqtt_discovery")
    path = routes()[name].replace(":id", one).replace(":integration", device["integration"])
    assert ":" not in path.replace(":name", ""), "a parameter that the test does not know"
    return path.replace(":name", quote(device["name"], safe=""))


def settled(desk: Desk) -> None:
    """Wait until the page has fetched what it shows, and drawn it."""
    expect(desk.page.locator("main > *").first).to_be_attached()
    frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    for _ in range(3):  # what has come may ask for more
        desk.page.wait_for_function("() => window.asking === 0")
        expect(desk.hook("work")).to_have_count(0)  # what comes line by line
        desk.page.evaluate(f"() => {frames}")


def test_the_router_table_is_read() -> None:
    source = (ROOT / "ui" / "src" / "router.ts").read_text("utf-8")
    assert len(routes()) == len(re.findall(r"\{ path: ", source)) - 1, "all but the redirect of what is not there"


@pytest.mark.parametrize("name", routes())
def test_a_page(desk: Desk, hub: HubProcess, shots: Path, name: str) -> None:
    desk.errors.clear()
    desk.resize(1280, 800)
    desk.page.evaluate("() => { window.shifted = 0 }")
    desk.open(f"#{address(hub, name)}")
    settled(desk)
    assert desk.page.locator("main [role=alert]").all_inner_texts() == [], "it shows something real"
    assert desk.page.evaluate("() => window.shifted") < 0.1
    for (width, height), theme in itertools.product(SIZES, THEMES):
        desk.resize(width, height)
        desk.page.emulate_media(reduced_motion="reduce", color_scheme=theme)
        look = "wanted => document.documentElement.classList.contains('dark') === wanted"
        desk.page.wait_for_function(look, arg=theme == "dark")
        desk.fits()
        if "MENSHEN_SHOTS" in os.environ:
            desk.shoot(shots, f"page-{name}-{theme}-{width}", whole=True)
        assert serious(desk.page) == [], f"{name}, {theme}, {width} px"
    desk.check()
