"""Looking on live in a real browser: the camera's own packets play, the audit trail says who looked, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.test_falling import shoot
from tests.e2e.test_seeing import camera, seeing_site, sight
from tests.kit.broker import Broker
from tests.kit.browser import Desk, need_desk, running_chromium
from tests.kit.http import request
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.store import rows
from tests.kit.wait import until
from tests.vision.film import Film
from tests.vision.test_worker import lane_film

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

CAMERA = "generic_camera.lane_3"
#: The film has four pictures a second and a key frame each second.
PLAYS = "() => document.querySelector('video')?.currentTime > {}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium(need_desk()) as browser:
        yield browser


def looks(hub: HubProcess) -> list[tuple[Any, ...]]:
    return rows(hub.data, "SELECT action, target, body FROM audit WHERE action LIKE 'onlook%'")


def get(hub: HubProcess, piece: str = "", token: str | None = None) -> tuple[int, bytes]:
    return request("GET", f"{hub.url}api/v1/sight/{CAMERA}/live{piece}", token=token or hub.token)


#: What a browser lacks that cannot play it: Media Source Extensions altogether, as on old phones, or the codec.
NO_PLAYER = "for (const name of ['MediaSource', 'ManagedMediaSource', 'WebKitMediaSource']) delete window[name]"
NO_CODEC = "MediaSource.isTypeSupported = () => false"


def falls_back(browser: Browser, hub: HubProcess, unable: str) -> None:
    """Look on in a browser that cannot play it: pictures go on, one a second, and the page says why."""
    desk = Desk(browser, hub.url, 1280, 800)
    desk.context.add_init_script(unable)
    try:
        desk.open(f"#token={hub.token}")
        desk.hook("sign-out").wait_for()
        desk.open("#/sight")
        desk.hook("sight-live").click()
        goes_on(desk)
    finally:
        desk.context.close()


def cut_off(browser: Browser, hub: HubProcess) -> None:
    """Look on, and lose the video on the way."""
    desk = Desk(browser, hub.url, 1280, 800)
    try:
        desk.open(f"#token={hub.token}")
        desk.hook("sign-out").wait_for()
        desk.open("#/sight")
        desk.page.route("**/live/**", lambda route: route.abort())
        desk.hook("sight-live").click()
        goes_on(desk)
    finally:
        desk.context.close()


def goes_on(desk: Desk) -> None:
    """Expect pictures in the place of the video: each has another address."""
    expect(desk.hook("sight-live-failed")).to_have_text("这路视频无法实时播放，改为显示截图。", timeout=30_000)
    expect(desk.hook("sight-video")).to_have_count(0)
    late = 40_000  # a busy machine's cameras come last
    expect(desk.hook("sight-image")).to_be_visible(timeout=late)
    first = desk.hook("sight-image").get_attribute("src")
    assert first is not None
    expect(desk.hook("sight-image")).not_to_have_attribute("src", first, timeout=late)
    shoot(desk, "live-failed")


def test_a_guard_looks_on_live(tmp_path: Path, broker: Broker, hub_of: MakeHub, browser: Browser) -> None:
    scene, show = lane_film(500, 501)
    with camera(Film(show)) as port:
        hub = hub_of(seeing_site(tmp_path / "site", broker, scene, port, 9))
        hub.start()
        until(lambda: sight(hub)["link"] == "streaming" and sight(hub)["decoded"] > 4, within=40)
        assert not looks(hub), "pictures for the hub are nobody's look"
        desk = Desk(browser, hub.url, 1280, 800)
        try:
            desk.open(f"#token={hub.token}")
            desk.hook("sign-out").wait_for()
            desk.check("status of 401")
            desk.errors.clear()
            desk.open("#/sight")
            expect(desk.hook("sight-image")).to_be_visible()
            desk.hook("sight-live").click()
            desk.page.wait_for_function(PLAYS.format(0))
            begin = desk.page.evaluate("() => document.querySelector('video').currentTime")
            desk.page.wait_for_function(PLAYS.format(begin + 2))
            assert desk.page.evaluate("() => document.querySelector('video').videoWidth") == 320
            expect(desk.hook("sight-overlay")).to_be_visible()
            shoot(desk, "live")
            assert len(looks(hub)) == 1, "one row for a sitting"
            desk.hook("sight-live").click()
            expect(desk.hook("sight-image")).to_be_visible()
            expect(desk.hook("sight-video")).to_have_count(0)
            desk.check()
        finally:
            desk.context.close()
        for unable in (NO_PLAYER, NO_CODEC):
            falls_back(browser, hub, unable)
        cut_off(browser, hub)
        status, listed = get(hub)
        lines = listed.decode().splitlines()
        last = next(line for line in reversed(lines) if line.startswith("live/"))
        assert (status, get(hub, last.removeprefix("live"))[1][4:8]) == (200, b"moof")
        assert [get(hub, f"/{piece}")[0] for piece in ("999999", "begin-x", "..%2f", "1" * 30)] == [404] * 4
        assert get(hub, token="wrong")[0] == 401
        assert json.dumps(CAMERA) in looks(hub)[0][2]
