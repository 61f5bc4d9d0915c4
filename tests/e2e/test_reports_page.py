"""Task (f): a manager opens the month's report, on a phone and on a PC, and takes it as PDF and as a workbook."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.kit import pdf as read_pdf
from tests.kit.broker import Broker
from tests.kit.browser import Desk, need_desk, running_chromium
from tests.kit.hub import MakeHub
from tests.kit.past import record_visits

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
CAR = "mqtt_discovery.car"


@pytest.fixture
def browser() -> Iterator[Browser]:
    with running_chromium(need_desk()) as browser:
        yield browser


def saved(desk: Desk, button: str) -> bytes:
    with desk.page.expect_download(timeout=60_000) as coming:
        desk.hook(button).click()
    return Path(coming.value.path()).read_bytes()


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
def test_the_months_report(
    browser: Browser, broker: Broker, tmp_path: Path, hub_of: MakeHub, width: int, height: int
) -> None:
    folder = tmp_path / "site"
    (folder / "rules").mkdir(parents=True)
    site = {
        "site": {"id": "t", "name": "幸福里小区"},
        "mqtt": {"url": broker.url},
        "zones": {"lane": {"kind": "fire_lane", "name": "3号楼北侧消防通道", "bind": {"vehicle": CAR}}},
        "integrations": {"mqtt_discovery": {"prefix": "homeassistant"}},
    }
    (folder / "hub.yaml").write_text(json.dumps(site, ensure_ascii=False), "utf-8")
    record_visits(tmp_path / "data-0", {CAR: [(2, 30), (1, 12.5)]})
    hub = hub_of(folder / "hub.yaml")
    hub.start()
    desk = Desk(browser, hub.url, width, height)
    desk.open(f"#token={hub.token}")
    desk.hook("reports-link").click()
    report = desk.hook("report")
    expect(report).to_contain_text("幸福里小区 月报")
    desk.hook("report-span").select_option("week")
    expect(report).to_contain_text("幸福里小区 周报")
    desk.hook("report-earlier").click()
    desk.hook("report-later").click()
    desk.hook("report-span").select_option("month")
    expect(report).to_contain_text("幸福里小区 月报")
    # two days ago may lie in the month before: then that is the month to look at
    month = time.strftime("%Y-%m", time.gmtime(time.time() - 2 * 86_400 + 8 * 3_600))
    desk.hook("report-at").fill(month)
    expect(desk.hook("report", f'[data-at="{month}"]')).to_be_visible()
    lanes = desk.hook("report-table", '[data-table="lanes"]')
    expect(lanes).to_contain_text("3号楼北侧消防通道")
    minutes = lanes.locator("tbody td").nth(1).inner_text().strip()
    assert float(minutes) > 0
    desk.fits()
    shots = Path(os.environ.get("MENSHEN_SHOTS") or tmp_path / "shots")
    desk.shoot(shots, f"report-{width}", whole=True)
    document = saved(desk, "report-pdf")
    assert f"幸福里小区 月报 {month}" in read_pdf.words(document)
    assert f"3号楼北侧消防通道\n{minutes}\n" in read_pdf.words(document)
    (shots / f"report-{width}.pdf").write_bytes(document)
    with zipfile.ZipFile(io.BytesIO(saved(desk, "report-xlsx"))) as book:
        assert "3号楼北侧消防通道" in book.read("xl/sharedStrings.xml").decode()
    desk.page.emulate_media(media="print")
    expect(desk.hook("report-print")).to_be_hidden()
    desk.check()
    desk.context.close()
