"""A flowerpot before a real camera: seen, filmed, locked as evidence, reviewed by a person; and where it is all set."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Browser, expect

from hub.config.site import load_site
from hub.model.ids import ZoneId
from hub.model.site import Sees
from tests.e2e.test_seeing import camera, clips
from tests.kit.axe import serious
from tests.kit.broker import Broker
from tests.kit.browser import Desk, need_desk, running_chromium
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.site import ROOT, Ends, write_site
from tests.kit.store import rows
from tests.kit.wait import until
from tests.vision.facade import Scene
from tests.vision.film import Film
from tests.vision.movers import FPS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

CALM = 4


class Facade:
    """A calm facade, until something falls from it, at each ``go``."""

    def __init__(self, scene: Scene) -> None:
        scene.fall(CALM + 1.0, 10, 70, least=18)
        frames = [frame for _, frame in scene.frames(CALM + 6.0)]
        self._calm, self._fall = frames[: CALM * FPS], frames[CALM * FPS :]
        self._cue: float | None = None
        self._wanted = False

    def go(self) -> None:
        self._wanted = True

    def __call__(self, at: float) -> npt.NDArray[np.uint8]:
        if self._wanted:
            self._cue, self._wanted = at, False
        number = round((at - (self._cue or 0.0)) * FPS)
        if self._cue is not None and number < len(self._fall):
            return self._fall[number]
        return self._calm[number % len(self._calm)]


def facade_site(folder: Path, broker: Broker, scene: Scene, port: int) -> Path:
    """Write a site with one facade that a camera watches, a lane that none does, and the shipped rule R3."""
    config = write_site(folder, {"url": broker.url}, Ends())
    site = json.loads(config.read_text("utf-8"))
    floors = [[round(click.x, 4), round(click.y, 4), click.floor] for click in scene.clicks]
    see = {"camera": "generic_camera.facade_3", "as": "falling", "floors": floors}
    lane = site["zones"]["lane_3"] | {"bind": {}}
    facade = {"kind": "facade", "name": "3号楼南立面", "bind": {}, "see": see}
    site["zones"] = {"facade_3": facade, "lane_3": lane}
    site["devices"] = {
        "generic_camera": {"facade_3": {"name": "3号楼对面摄像机", "rtsp": f"rtsp://127.0.0.1:{port}/lane"}}
    }
    site["contacts"]["manager"] = site["contacts"]["guard"]
    config.write_text(json.dumps(site, ensure_ascii=False, indent=1), "utf-8")
    rule = (ROOT / "rules" / "falling_object.yaml").read_text("utf-8")
    short = rule.replace("before: 30 s, after: 60 s", "before: 4 s, after: 3 s")
    assert short != rule, "the shipped rule takes a clip from half a minute before until a minute after"
    (config.parent / "rules" / "falling_object.yaml").write_text(short, "utf-8")
    return config


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium(need_desk()) as browser:
        yield browser


def health(hub: HubProcess) -> dict[str, Any]:
    (found,) = hub.get("sight")["items"]
    return dict(found)


def let_fall(film: Film, show: Facade, hub: HubProcess) -> None:
    """Let it fall until it is an incident: once, unless this machine had no time for all of its pictures."""
    for _ in range(4):
        lost = film.lost + health(hub)["skipped"]
        show.go()
        ends = time.monotonic() + 15
        while time.monotonic() < ends:
            if hub.incidents():
                return
            time.sleep(0.1)
        assert film.lost + health(hub)["skipped"] > lost, "it fell before the camera's eyes, and was not seen"
    raise AssertionError("this machine is too busy for a camera of 25 pictures a second")


def shoot(desk: Desk, name: str) -> None:
    """Keep what a person sees at both widths, where that is asked for."""
    if "MENSHEN_SHOTS" in os.environ:
        for width, height in ((1280, 800), (390, 844)):
            desk.resize(width, height)
            desk.shoot(Path(os.environ["MENSHEN_SHOTS"]), f"{name}-{width}", whole=True)
        desk.resize(1280, 800)


def test_a_fall_is_filmed_locked_and_reviewed(
    tmp_path: Path, broker: Broker, hub_of: MakeHub, browser: Browser
) -> None:
    scene = Scene(7, width=640, height=360)
    show = Facade(scene)
    film = Film(show, rate=FPS)
    with camera(film) as port:
        config = facade_site(tmp_path / "site", broker, scene, port)
        hub = hub_of(config)
        hub.start()
        until(lambda: health(hub), lambda one: one["decoded"] > 6 * FPS, within=40, what="the facade is watched")
        let_fall(film, show, hub)
        until(lambda: clips(hub), within=20, what="the clip is kept")
        (incident,) = hub.incidents()
        assert (incident["zone"], incident["severity"]) == ("facade_3", "high")
        assert rows(hub.data, "SELECT by, why FROM holds") == [("menshen", "fall")], "nothing erases it"
        desk = Desk(browser, hub.url, 1280, 800)
        try:
            desk.open(f"#token={hub.token}")
            desk.hook("sign-out").wait_for()
            desk.check("status of 401")
            review(desk, hub, incident["id"])
            draw(desk, config)
            desk.check()
        finally:
            desk.context.close()


def review(desk: Desk, hub: HubProcess, incident: str) -> None:
    """See the track and the clip, and say that it was a fall."""
    desk.open(f"#/incidents/{incident}")
    expect(desk.hook("incident-picture")).to_have_count(1)
    video = desk.page.locator("video")
    video.evaluate("one => { one.muted = true; return one.play() }")
    desk.page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")
    assert video.evaluate("one => [one.error, one.videoWidth, one.duration > 5]") == [None, 640, True]
    shoot(desk, "fall")
    no_barrier(desk)
    desk.hook("fall-confirm").click()
    expect(desk.hook("fall-review")).to_have_count(0)
    until(lambda: hub.incidents()[0]["state"] == "in_progress", what="the review is kept")
    assert hub.incidents()[0]["note"] == "人工复核：确认高空抛物"


def draw(desk: Desk, config: Path) -> None:
    """Move a floor line with the keyboard; have the same camera watch a lane, drawn with the mouse."""
    desk.open("#/sight")
    expect(desk.hook("sight-image")).to_be_visible()
    expect(desk.hook("sight-overlay")).to_be_visible()
    shoot(desk, "sight")
    no_barrier(desk)
    desk.hook("sight-switch").click()
    expect(desk.hook("sight-overlay")).to_have_count(0)
    (before,) = seen(config, "facade_3")
    desk.hook("sight-edit").click()
    desk.hook("sight-point").first.focus()
    for _ in range(3):
        desk.page.keyboard.press("ArrowRight")
    shoot(desk, "floors")
    no_barrier(desk)
    desk.hook("sight-save").click()
    until(lambda: seen(config, "facade_3")[0].floors[0][0] > before.floors[0][0], what="the floor line is moved")
    expect(desk.hook("sight-draw")).to_have_count(0)
    desk.hook("sight-camera").select_option("generic_camera.facade_3")
    desk.hook("sight-zone").select_option("lane_3")
    desk.hook("sight-next").click()
    board = desk.hook("sight-board")
    box = board.bounding_box()
    assert box is not None
    for x, y in ((0.2, 0.9), (0.8, 0.9), (0.6, 0.5)):
        board.click(position={"x": box["width"] * x, "y": box["height"] * y})
    expect(desk.hook("sight-point")).to_have_count(3)
    shoot(desk, "lane")
    desk.hook("sight-save").click()
    until(lambda: seen(config, "lane_3"), what="the lane is drawn")
    (lane,) = seen(config, "lane_3")
    assert lane.sees is Sees.LANE
    assert np.allclose(lane.polygon, [(0.2, 0.9), (0.8, 0.9), (0.6, 0.5)], atol=0.01)


def no_barrier(desk: Desk) -> None:
    """Find nothing serious by day and by night."""
    for theme in ("dark", "light"):
        desk.page.emulate_media(reduced_motion="reduce", color_scheme=theme)
        look = "wanted => document.documentElement.classList.contains('dark') === wanted"
        desk.page.wait_for_function(look, arg=theme == "dark")
        assert serious(desk.page) == [], theme


def seen(config: Path, zone: str) -> tuple[Any, ...]:
    return load_site(config).settings.site.zones[ZoneId(zone)].see
