"""Stored XSS: hostile names of zones, rules, devices, users and tokens run on no page (S10)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.kit.broker import Broker
from tests.kit.browser import Desk, need_desk, running_chromium
from tests.kit.hostile import NAMES, RAN
from tests.kit.hub import MakeHub
from tests.kit.mqtt import Lane, Lines
from tests.kit.site import Ends, short_rule, write_site
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.xdist_group("page")]


class Hostile(Lane):
    """A sensor that gives itself and its entity a hostile name."""

    def __init__(self, port: int, number: int, called: str) -> None:
        super().__init__(port, f"lane_{number}")
        self.called = called

    def configuration(self) -> tuple[str, str]:
        topic, text = super().configuration()
        config = json.loads(text)
        config["name"] = config["device"]["name"] = self.called
        return topic, json.dumps(config)


@pytest.fixture
def browser() -> Iterator[Browser]:
    with running_chromium(need_desk()) as browser:
        yield browser


def site(folder: Path, broker: Broker) -> Path:
    """Write a site whose zones and rules have hostile names, and whose lanes have a sensor each."""
    lanes = tuple(f"lane_{number}" for number in range(len(NAMES)))
    config = write_site(folder, {"url": f"mqtt://127.0.0.1:{broker.port}"}, Ends(), lanes=lanes)
    written = json.loads(config.read_text("utf-8"))
    for lane, name in zip(lanes, NAMES, strict=True):
        written["zones"][lane]["name"] = {"zh": name, "en": name}
    written["site"]["name"] = NAMES[0]
    config.write_text(json.dumps(written), "utf-8")
    rule = short_rule(config, "1 s")
    rule.write_text(f"name: {json.dumps(NAMES[1])}\n{rule.read_text('utf-8')}", "utf-8")
    return config


def test_no_name_becomes_a_program(browser: Browser, tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    hub = hub_of(site(tmp_path / "site", broker))
    hub.start()
    sensors = [Hostile(broker.port, number, name) for number, name in enumerate(NAMES)]
    for sensor in sensors:
        sensor.announce()
    for name in NAMES:
        status, said = hub.send("POST", "users", {"name": name, "role": "guard", "password": "correct horse battery"})
        assert status == 200, said
        assert hub.send("POST", "tokens", {"name": f"{name[:62]} t", "role": "viewer"})[0] == 200
    assert hub.send("POST", "session", {"name": NAMES[2], "password": NAMES[3]})[0] == 401
    until(hub.entities, lambda known: len(known) == len(NAMES), what="every sensor known")
    with Lines(broker.port, sensors[4].topic) as lines:
        lines.send('{"occupancy": "OFF"}')
        lines.send('{"occupancy": "ON"}')
        until(hub.incidents, what="an incident")

    desk = Desk(browser, hub.url, 1280, 800)
    desk.open(f"#token={hub.token}")
    expect(desk.hook("sign-out")).to_be_visible()
    for page, shown, count in (
        ("", desk.hook("zone-card"), len(NAMES)),
        ("#/incidents/1", desk.page.locator("main h1"), 1),
        ("#/devices", desk.page.locator("main section .card"), len(NAMES)),
        ("#/users", desk.hook("user-row"), len(NAMES)),
        ("#/audit", desk.hook("audit-row"), 50),
        ("#/account", desk.page.locator("main h1"), 1),
        ("#/health", desk.hook("upkeep"), len(NAMES)),
        ("#/search", desk.hook("found"), 1),
        ("#/reports", desk.hook("report-table", '[data-table="lanes"] tbody tr'), len(NAMES)),
        ("#/handover", desk.hook("handover-briefing"), 1),
        ("#/rules", desk.hook("rule"), 1),
    ):
        desk.page.goto(f"{hub.url}{page}")
        expect(shown.first).to_be_visible()
        while (more := desk.hook("more-zones")).count():  # the desk shows twenty zones at first
            more.click()
        expect(shown).to_have_count(count)
        assert not desk.page.evaluate(RAN), f"something ran, or became an element, on {page or 'the desk'}"
    desk.page.goto(f"{hub.url}#/users")
    expect(desk.hook("user-row")).to_have_count(len(NAMES))
    told = {" ".join(text.split()) for text in desk.hook("user-row").locator("strong").all_inner_texts()}
    assert told == {" ".join(name.split()) for name in NAMES}, "shown as they are"
    desk.check("status of 401", "status of 404")
    desk.context.close()
