"""The installable page: it opens without the hub and says so, tells how old its data is and that it was replaced."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, WebSocketRoute, expect

from tests.kit.broker import free_port
from tests.kit.browser import Desk, need_desk, running_chromium
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
SITE = """\
site: {{id: test, name: 和平里小区}}
web: {{listen: "127.0.0.1:{web}"}}
mqtt: {{listen: "127.0.0.1:{port}"}}
zones: {{lane_3: {{kind: fire_lane, name: 3号楼北侧消防通道, bind: {{}}}}}}
integrations: {{mqtt_discovery: {{prefix: homeassistant}}}}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium(need_desk()) as browser:
        yield browser


@pytest.fixture
def hub(hub_of: MakeHub, tmp_path: Path) -> HubProcess:
    (tmp_path / "rules").mkdir()
    config = tmp_path / "hub.yaml"
    config.write_text(SITE.format(port=free_port(), web=free_port()), "utf-8")
    hub = hub_of(config)
    hub.start()
    return hub


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    return Path(os.environ.get("MENSHEN_SHOTS") or tmp_path / "shots")


def test_without_the_hub_the_page_says_how_old_it_is_and_still_opens(
    browser: Browser, hub: HubProcess, shots: Path
) -> None:
    desk = Desk(browser, hub.url, 390, 844, worker=True)
    desk.open(f"#token={hub.token}")
    desk.hook("sign-out").wait_for()
    desk.page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    until(lambda: desk.page.evaluate("() => navigator.serviceWorker.controller !== null"), what="the worker in charge")
    kept = desk.page.evaluate(
        "async () => (await Promise.all((await caches.keys()).map(async (name) =>"
        " (await (await caches.open(name)).keys()).map((one) => new URL(one.url).pathname)))).flat()"
    )
    assert "/" in kept
    assert not [path for path in kept if path.startswith(("/api", "/hooks", "/metrics"))], "never the API, never media"
    told = desk.page.evaluate("async () => (await (await fetch('./manifest.webmanifest')).json()).icons.length")
    assert told == 2

    hub.terminate()
    expect(desk.hook("banner-lost")).to_be_visible()
    expect(desk.hook("banner-age")).to_contain_text("秒前")
    first = desk.hook("banner-age").inner_text()
    expect(desk.hook("banner-age")).not_to_have_text(first)  # it counts
    desk.shoot(shots, "shell-lost-390")
    desk.page.reload()
    expect(desk.page.locator("body")).to_contain_text("重试")  # from the worker: the hub is away
    desk.fits()
    desk.shoot(shots, "shell-away-390")
    desk.check("ERR_CONNECTION_REFUSED", "WebSocket", "Failed to fetch", "status of 50")
    desk.context.close()


def test_a_page_that_stood_open_during_an_update_offers_the_new_one(
    browser: Browser, hub: HubProcess, shots: Path
) -> None:
    desk = Desk(browser, hub.url, 1280, 800)
    desk.open(f"#token={hub.token}")
    desk.hook("sign-out").wait_for()
    desk.context.route(
        hub.url,
        lambda route: route.fulfill(
            content_type="text/html", body='<script type="module" src="./assets/index-another.js"></script>'
        ),
    )
    expect(desk.hook("banner-newer")).to_have_count(0)
    desk.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    expect(desk.hook("banner-newer")).to_contain_text("刷新")
    desk.shoot(shots, "shell-newer-1280")
    desk.context.close()


def test_the_theme_is_kept_in_this_browser(browser: Browser, hub: HubProcess) -> None:
    desk = Desk(browser, hub.url, 1280, 800)
    desk.page.emulate_media(color_scheme="light")
    desk.open(f"#token={hub.token}")
    root = desk.page.locator("html")
    expect(desk.hook("theme")).to_have_accessible_name("明暗：跟随系统")
    expect(root).not_to_have_class("dark")
    desk.hook("theme").click()
    desk.hook("theme").click()
    expect(desk.hook("theme")).to_have_accessible_name("明暗：深色")
    expect(root).to_have_class("dark")
    desk.page.reload()
    expect(root).to_have_class("dark")
    desk.check()
    desk.context.close()


def test_what_happens_while_the_socket_is_cut_is_seen_when_it_is_back(browser: Browser, hub: HubProcess) -> None:
    """Far sooner than the page would ask by itself, which it does every 30 s."""
    desk = Desk(browser, hub.url, 1280, 800)
    sockets: list[WebSocketRoute] = []

    def pass_on(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    desk.context.route_web_socket("**/api/v1/ws", pass_on)
    desk.open(f"#token={hub.token}")
    expect(desk.page.locator(".live.open")).to_be_visible()
    for turn in range(3):
        sockets[-1].close()
        hub.mode("test", on=turn % 2 == 0)  # nobody is there to hear of it
        expect(desk.hook("banner-test")).to_have_count(1 - turn % 2, timeout=8_000)
        expect(desk.page.locator(".live.open")).to_be_visible()
    assert len(sockets) == 4
    desk.check()
    desk.context.close()


def test_a_dialogue_is_used_without_a_mouse(browser: Browser, hub: HubProcess) -> None:
    desk = Desk(browser, hub.url, 1280, 800)
    desk.open(f"#token={hub.token}")
    desk.hook("rules-link").focus()
    desk.page.keyboard.press("Enter")
    ringed = "() => getComputedStyle(document.activeElement).outlineStyle !== 'none'"
    add = desk.hook("add-rule")
    for _ in range(30):
        desk.page.keyboard.press("Tab")
        assert desk.page.evaluate(ringed), "where one is must be seen"
        if add.evaluate("button => button === document.activeElement"):
            break
    desk.page.keyboard.press("Enter")
    expect(desk.hook("new-rule")).to_be_visible()
    within = "form => form.closest('.el-dialog').contains(document.activeElement)"
    until(lambda: desk.hook("new-rule").evaluate(within), what="the focus in the dialogue")
    for _ in range(40):
        desk.page.keyboard.press("Tab")
        assert desk.hook("new-rule").evaluate(within), "the focus stays in the dialogue"
    desk.page.keyboard.press("Escape")
    expect(desk.hook("new-rule")).to_be_hidden()
    expect(add).to_be_focused()
    desk.check()
    desk.context.close()
