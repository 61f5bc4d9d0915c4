"""A guard looks after the devices: health, tickets and modes, one device with chart and test, and a search."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.test_desk import SIZED, Community, browser, community, shots
from tests.kit.axe import serious
from tests.kit.browser import drawn

__all__ = ["browser", "community", "shots"]  # fixtures
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@SIZED
def test_looking_after_the_devices(
    browser: Browser,
    community: Community,
    shots: Path,
    size: tuple[int, int],
) -> None:
    lane = community.lane
    lane.free()
    desk = community.desk(browser, size, "经理", "manager")
    desk.hook("health-link").click()
    lane_row = desk.hook("upkeep", f'[data-id^="{lane.entity.split(".", maxsplit=1)[0]}/"]').first
    expect(lane_row).to_contain_text("没有核实过的告警")
    desk.hook("ticket-device").select_option(index=1)
    desk.hook("ticket-note").fill("镜头有雾")
    desk.hook("ticket-assigned").fill("李师傅")
    desk.hook("ticket-add").click()
    expect(desk.hook("ticket")).to_contain_text("镜头有雾")
    desk.hook("mode-row", '[data-mode="test"]').get_by_test_id("mode-on").click()
    expect(desk.hook("mode-row", '[data-mode="test"]')).to_contain_text("自动结束")
    expect(desk.hook("mode-row", '[data-mode="test"]').get_by_role("button")).to_be_enabled()
    assert serious(desk.page) == []
    desk.fits()
    desk.shoot(shots, f"health-{size[0]}", whole=True)
    desk.hook("ticket-done").click()
    expect(desk.hook("ticket")).to_have_count(0)
    lane_row.get_by_role("link").click()
    expect(desk.hook("device-page")).to_be_visible()
    expect(desk.hook("chart").locator("canvas")).to_be_visible()
    assert serious(desk.page) == []
    desk.fits()
    desk.shoot(shots, f"device-{size[0]}", whole=True)
    desk.hook("health-link").click()
    desk.hook("upkeep", '[data-id*="camera"]').first.get_by_role("link").click()
    desk.hook("test-go").click()
    expect(desk.hook("test-outcome")).to_have_text("成功")
    assert min(drawn(desk.hook("device-test").locator("img"))) > 0
    desk.shoot(shots, f"device-camera-{size[0]}", whole=True)
    desk.hook("search-link").click()
    desk.hook("search-what").select_option("readings")
    expect(desk.hook("found").first).to_be_visible()
    expect(desk.page).to_have_url(re.compile("what=readings"))
    desk.hook("search-zone").select_option("lane_3")
    desk.hook("search-go").click()
    expect(desk.page).to_have_url(re.compile("zone=lane_3"))
    expect(desk.hook("found").first).to_be_visible()
    with desk.page.expect_download() as coming:
        desk.hook("search-csv").click()
    assert "测点" in Path(coming.value.path()).read_text("utf-8-sig")
    assert serious(desk.page) == []
    desk.fits()
    desk.shoot(shots, f"search-{size[0]}", whole=True)
    desk.page.reload()
    expect(desk.hook("search-zone")).to_have_value("lane_3")
    desk.check()
    desk.context.close()
