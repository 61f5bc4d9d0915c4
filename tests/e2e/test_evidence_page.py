"""Evidence in a real browser: an incident is exported and proves itself; the head is shown and verified."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from hub.journal.package import verify_package
from hub.journal.verify import verify_folder
from tests.e2e.test_desk import SIZED, Community, browser, community, shots
from tests.kit.axe import serious
from tests.kit.browser import drawn
from tests.kit.wait import until

__all__ = ["browser", "community", "shots"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@SIZED
def test_evidence_from_export_to_verification(
    browser: Browser,
    community: Community,
    shots: Path,
    tmp_path: Path,
    size: tuple[int, int],
) -> None:
    community.lane.occupied()
    until(community.hub.incidents, lambda found: bool(found and found[0]["evidence"]))
    desk = community.desk(browser, size, "陈经理", "manager")
    desk.open("#/incidents/1")
    with desk.page.expect_download(timeout=60_000) as download:
        desk.hook("export").click()
    made = tmp_path / "made.zip"
    download.value.save_as(made)
    report = verify_package(made)
    assert report.breaks == []
    assert report.files >= 1
    desk.hook("incident-evidence").locator("summary").click()
    expect(desk.hook("views")).to_be_visible()
    expect(desk.hook("views")).to_contain_text("陈经理 · 导出证据")
    expect(desk.hook("hold")).to_have_attribute("data-on", "false")
    desk.hook("hold-why").fill("派出所立案")
    desk.hook("hold-submit").click()
    expect(desk.hook("hold")).to_have_attribute("data-on", "true")
    expect(desk.hook("hold")).to_contain_text("陈经理 · 派出所立案")
    expect(desk.hook("views")).to_contain_text("陈经理 · 保留证据")
    assert community.hub.get("incidents/1/hold")["on"]
    desk.hook("incident-evidence").scroll_into_view_if_needed()
    desk.shoot(shots, f"evidence-incident-{size[0]}", whole=True)
    assert serious(desk.page) == []
    desk.fits()
    guard = community.desk(browser, size, "王师傅", "guard")
    guard.open("#/incidents/1")
    expect(guard.hook("hold")).to_contain_text("派出所立案")
    expect(guard.hook("release")).to_have_count(0)
    guard.check()
    guard.context.close()
    desk.hook("release").click()
    expect(desk.hook("hold")).to_have_attribute("data-on", "false")
    assert not community.hub.get("incidents/1/hold")["on"]

    desk.open("#/evidence")
    assert drawn(desk.hook("head-qr"))[0] > 100
    expect(desk.hook("last-verified")).to_contain_text("还没有")
    head = desk.hook("head").inner_text()
    desk.hook("verify").click()
    expect(desk.hook("verified")).to_have_attribute("data-holds", "true")
    expect(desk.hook("last-verified")).to_contain_text("陈经理，完好")
    desk.shoot(shots, f"evidence-page-{size[0]}", whole=True)
    assert serious(desk.page) == []
    desk.fits()
    desk.check()
    desk.context.close()
    assert verify_folder(community.hub.data, head).breaks == []
