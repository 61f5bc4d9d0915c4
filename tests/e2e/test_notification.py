"""A browser notification in real Chromium: one for a new incident while nobody looks; a click opens the incident."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.kit.broker import Broker
from tests.kit.browser import Desk, need_desk, running_chromium
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.site import Ends, short_rule, write_site
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

LANES = ("lane_3", "lane_5", "lane_7")
#: Remembers what the page itself shows; it is shown all the same.
_KEEP = """window.told = []; const Real = window.Notification
window.Notification = class extends Real { constructor(...all) { super(...all); window.told.push(this) } }"""
_SHOWN = """async () => (await (await navigator.serviceWorker.ready).getNotifications())
    .map((one) => [one.title, one.body, one.data.address])"""
#: A click as the browser tells it; a browser without a screen has nobody who clicks.
_CLICK = """async () => {
    self.asked = 0; WindowClient.prototype.focus = async () => { self.asked += 1 }
    const [notification] = await self.registration.getNotifications()
    self.dispatchEvent(new NotificationEvent('notificationclick', { notification })) }"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium(need_desk()) as browser:
        yield browser


@pytest.fixture
def hub(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> HubProcess:
    need_mosquitto()
    config = write_site(tmp_path / "site", {"url": broker.url}, Ends(), lanes=LANES)
    short_rule(config, "1 s")
    hub = hub_of(config)
    hub.start()
    return hub


def lanes(hub: HubProcess, broker: Broker) -> list[Lane]:
    found = [Lane(broker.port, name) for name in LANES]
    for lane in found:
        lane.announce()
    until(hub.entities, lambda known: len([one for one in known if one.startswith("mqtt")]) == 3, what="the sensors")
    for lane in found:
        lane.free()
    return found


def opened(browser: Browser, hub: HubProcess, *, worker: bool) -> Desk:
    """Open the desk in a browser that may notify."""
    desk = Desk(browser, hub.url, 1280, 800, worker=worker)
    desk.context.grant_permissions(["notifications"], origin=hub.url)
    desk.context.add_init_script(_KEEP)
    desk.open(f"#token={hub.token}")
    expect(desk.hook("sign-out")).to_be_visible()
    desk.check("status of 401")
    return desk


def look(desk: Desk, *, looks: bool) -> None:
    """Let the page have the focus or not: Playwright has all its pages focused."""
    session = desk.context.new_cdp_session(desk.page)
    session.send("Emulation.setFocusEmulationEnabled", {"enabled": looks})
    if not looks:
        desk.context.new_page().bring_to_front()
    until(lambda: desk.page.evaluate("document.hasFocus()") is looks, what="who looks")


def arrive(hub: HubProcess, lane: Lane, desk: Desk, count: int) -> str:
    """Let a car come; return the incident once the page lists it."""
    lane.occupied()
    until(hub.incidents, lambda found: len(found) == count, what="the incident")
    expect(desk.hook("incident-card")).to_have_count(count)
    return max(str(one["id"]) for one in hub.incidents())


def test_one_while_nobody_looks_and_a_click_opens_the_incident(
    browser: Browser, hub: HubProcess, broker: Broker
) -> None:
    (first, second, third), desk = lanes(hub, broker), opened(browser, hub, worker=True)
    desk.page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    arrive(hub, first, desk, 1)
    assert desk.page.evaluate(_SHOWN) == [], "somebody looks at the page"
    look(desk, looks=False)
    number = arrive(hub, second, desk, 2)
    shown: list[Any] = until(lambda: desk.page.evaluate(_SHOWN), what="a notification")
    assert [(title, address) for title, _, address in shown] == [("消防通道 lane_5", f"#/incidents/{number}")]
    number = arrive(hub, third, desk, 3)
    shown = until(lambda: desk.page.evaluate(_SHOWN), lambda found: "lane_7" in found[0][0], what="the newer one")
    assert len(shown) == 1, "in the place of the one before"
    assert "还有 2 条" in shown[0][1], "and of how many more"
    assert desk.page.evaluate("() => window.told.length") == 0, "not once more by the page"
    (worker,) = desk.context.service_workers
    worker.evaluate(_CLICK)
    expect(desk.page).to_have_url(f"{hub.url}#/incidents/{number}")
    until(lambda: worker.evaluate("() => self.asked"), lambda count: count == 1, what="the page brought forward")
    assert desk.page.evaluate(_SHOWN) == [], "it is gone"
    desk.check()
    desk.context.close()


def test_without_a_worker_the_page_itself_tells(browser: Browser, hub: HubProcess, broker: Broker) -> None:
    (first, *_), desk = lanes(hub, broker), opened(browser, hub, worker=False)
    look(desk, looks=False)
    number = arrive(hub, first, desk, 1)
    told = until(
        lambda: desk.page.evaluate("() => window.told.map((one) => [one.title, one.tag])"), what="a notification"
    )
    assert told == [["消防通道 lane_3", "menshen"]]
    desk.page.evaluate("() => window.told[0].dispatchEvent(new Event('click'))")
    expect(desk.page).to_have_url(f"{hub.url}#/incidents/{number}")
    desk.check()
    desk.context.close()
