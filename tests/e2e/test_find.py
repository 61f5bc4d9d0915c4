"""People pass a camera; a guard finds the one in red again, by colour and time, and the trail says that he looked."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Browser, expect

from hub.vision.sighting.palette import Colour
from tests.e2e.test_seeing import camera
from tests.kit.broker import Broker
from tests.kit.browser import Desk, need_desk, running_chromium
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.site import Ends, write_site
from tests.kit.wait import until
from tests.vision.film import Film
from tests.vision.passers import DAY, Passer, empty, shown

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

CAMERA = "generic_camera.lane_3"
#: Two people in turns, for as long as anybody looks.
TURN = 24.0
PEOPLE = (
    Passer(4, 6, Colour.RED, Colour.BLACK, row=250, tall=130),
    Passer(15, 6, Colour.BLUE, Colour.WHITE, row=250, tall=130),
)


@pytest.fixture
def browser() -> Iterator[Browser]:
    with running_chromium(need_desk()) as browser:
        yield browser


def street() -> Any:
    rng = np.random.default_rng(9)
    ground = empty(rng)

    def show(at: float) -> npt.NDArray[np.uint8]:
        return shown(ground, PEOPLE, at % TURN, DAY, rng)

    return show


def site(folder: Path, broker: Broker, port: int) -> Path:
    """Write a site whose one camera is only looked after: finding again needs no place to be drawn."""
    config = write_site(folder, {"url": broker.url}, Ends())
    settings = json.loads(config.read_text("utf-8"))
    lane = settings["zones"]["lane_3"]
    lane["bind"] = {"camera": CAMERA}
    lane["see"] = {"camera": CAMERA, "as": "health"}
    settings["devices"] = {
        "generic_camera": {"lane_3": {"name": "北侧摄像机", "rtsp": f"rtsp://127.0.0.1:{port}/lane"}}
    }
    config.write_text(json.dumps(settings, ensure_ascii=False, indent=1), "utf-8")
    return config


def passed(hub: HubProcess, upper: str) -> list[dict[str, Any]]:
    return list(hub.get(f"sightings?upper={upper}")["items"])


def test_the_one_in_red_is_found_again(browser: Browser, tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    shots = Path(os.environ.get("MENSHEN_SHOTS") or tmp_path / "shots")
    with camera(Film(street())) as port:
        hub = hub_of(site(tmp_path / "site", broker, port))
        hub.start()
        until(lambda: passed(hub, "red") and passed(hub, "blue"), within=90, what="both have passed")
    first = passed(hub, "red")[0]
    assert (first["camera"], first["upper"], first["lower"], first["kind"]) == (CAMERA, "red", "black", "other")
    desk = Desk(browser, hub.url, 1280, 860)
    desk.open(f"#token={hub.token}")
    desk.hook("find-link").click()
    expect(desk.hook("find-go")).to_be_enabled()
    desk.fits()
    desk.hook("find-go").click()
    expect(desk.hook("sighting").nth(1)).to_be_visible()
    desk.shoot(shots, "find-1280", whole=True)
    desk.hook("find-upper").get_by_text("红").click()
    desk.hook("find-go").click()
    expect(desk.hook("sighting", '[data-upper="blue"]')).to_have_count(0)
    red = desk.hook("sighting", '[data-upper="red"][data-lower="black"]').first
    expect(red).to_contain_text("上红 · 下黑")
    assert red.locator("img").evaluate("image => image.naturalWidth") > 20
    desk.resize(390, 844)
    desk.fits()
    desk.shoot(shots, "find-390", whole=True)
    desk.hook("find-lower").get_by_text("黄").click()
    desk.hook("find-go").click()
    expect(desk.hook("find-none")).to_be_visible()
    desk.hook("language-switch").click()
    expect(desk.hook("find-none")).to_contain_text("Nothing like this")
    desk.fits()
    desk.shoot(shots, "find-390-en", whole=True)
    desk.check()
    desk.context.close()
    trail = [row for row in hub.get("audit")["items"] if row["action"] == "sightings"]
    assert trail, "who looked is recorded"
    assert hub.terminate()[0] == 0
