"""Stored XSS: hostile names and texts of everything there is run on no page of the router, and in no report (S10).

What comes by e-mail: integrations/email/tests/test_letter.py. With SOAK_MARKUP the pages about one thing are opened
for each of the sixty; without, for every tenth.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Iterator
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, expect

from hub.model.text import clean
from tests.e2e.test_every_page import ASKING, routes, settled
from tests.kit import pdf as read_pdf
from tests.kit.broker import Broker
from tests.kit.browser import Desk, need_desk, running_chromium
from tests.kit.hostile import NAMES, RAN
from tests.kit.hostile_estate import estate, live
from tests.kit.http import request
from tests.kit.hub import HubProcess
from tests.kit.mqtt import need_mosquitto

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: The pages that are about one thing, by the name of the route.
ONE = {"device", "rule", "incident"}
STEP = 1 if "SOAK_MARKUP" in os.environ else 10
#: What a page must show of the sixty, so that an empty one cannot pass.
SHOWN = {"desk": 20, "devices": 60, "users": 60, "audit": 5, "health": 60, "search": 20, "reports": 60, "rules": 50,
         "roster": 60, "handover": 20, "plan": 20}  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium(need_desk()) as browser:
        yield browser


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """Lend a hub in which everything is hostile."""
    folder = tmp_path_factory.mktemp("estate")
    need_mosquitto()
    broker = Broker(folder / "broker")
    broker.start()
    hub = HubProcess(estate(folder / "site", broker), folder / "data")
    try:
        hub.start()
        live(hub, broker)
        yield hub
    finally:
        hub.close()
        broker.stop()


@pytest.fixture(scope="module")
def desk(browser: Browser, hub: HubProcess) -> Iterator[Desk]:
    desk = Desk(browser, hub.url, 1280, 800)
    desk.context.add_init_script(ASKING)
    desk.open(f"#token={hub.token}")
    expect(desk.hook("sign-out")).to_be_visible()
    desk.check("status of 401")
    yield desk
    desk.context.close()


def look(desk: Desk, address: str) -> str:
    """Open a page, and everything that it folds away; return its text. Nothing of it may run."""
    desk.errors.clear()
    desk.open(f"#{address}")
    settled(desk)
    desk.page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true })")
    settled(desk)
    assert not desk.page.evaluate(RAN), f"something ran, or became an element, on {address}"
    desk.check("status of 404", "status of 409", "status of 502")  # a picture of a camera that is not there
    fields = "() => [...document.querySelectorAll('input, textarea, select')].map((one) => one.value).join('\\n')"
    return desk.page.locator("body").inner_text() + str(desk.page.evaluate(fields))


def seen(text: str) -> int:
    """Count the hostile names in a text, as they are."""
    found = " ".join(text.split())
    return sum(" ".join(name.split()) in found for name in NAMES)


@pytest.mark.parametrize("name", sorted(routes().keys() - ONE))
def test_on_a_page_of_many_things(desk: Desk, name: str) -> None:
    assert seen(look(desk, routes()[name])) >= SHOWN.get(name, 0), "shown as they are"


@pytest.mark.parametrize("name", sorted(ONE))
def test_on_a_page_of_one_thing(desk: Desk, hub: HubProcess, name: str) -> None:
    devices = {one["name"]: one["integration"] for one in hub.get("devices")["items"]}
    incidents = [one["id"] for one in hub.get("incidents")["items"]]
    for number in range(0, len(NAMES), STEP):
        path = routes()[name]
        if name == "device":
            called = clean(NAMES[number])
            path = path.replace(":integration", devices[called]).replace(":name", quote(called, safe=""))
        else:
            path = path.replace(":id", f"rule_{number}" if name == "rule" else incidents[number % len(incidents)])
        assert seen(look(desk, path)) >= 1, path


def test_the_rules_say_the_names_of_their_files(hub: HubProcess) -> None:
    files = {one["file"] for one in hub.get("rules")["items"]}
    assert sum("<" in name or "hit" in name for name in files) >= 50, "hostile files are in force"


@pytest.mark.parametrize("form", ["pdf", "xlsx"])
def test_in_a_report(hub: HubProcess, form: str) -> None:
    status, content = request("GET", f"{hub.url}api/v1/reports/{form}", token=hub.token, within=90)
    assert status == 200, content[:300]
    if form == "pdf":
        assert not re.search(rb"/(JavaScript|JS|URI|Launch|AA|EmbeddedFile)\b", content)
        assert re.findall(rb"/OpenAction\s*(.)", content) == [b"["], "a place in it to begin at, no action"
        assert seen(read_pdf.words(content).replace("\n", "")) >= 30
        return
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert not [name for name in parts.namelist() if "vba" in name.lower() or "externalLink" in name]
        sheets = [parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
        strings = ElementTree.fromstring(parts.read("xl/sharedStrings.xml"))  # noqa: S314 - our own
    assert not re.search("<f[ >]|<hyperlink", "".join(sheets)), "no cell is a formula or a link"
    assert seen("\n".join(strings.itertext())) == len(NAMES)
