"""People who never saw YAML change rules in a real browser; it ends in the files, and the hub works by it."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, expect

from hub.config.yaml import load, plain
from tests.kit.axe import serious
from tests.kit.broker import free_port
from tests.kit.browser import PATIENCE, Desk, drawn, need_desk, running_chromium
from tests.kit.hub import HubProcess, MakeHub, hub_of
from tests.kit.past import record_picture, record_visits
from tests.kit.site import ROOT
from tests.kit.wait import until

__all__ = ["hub_of"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SIZES = [(390, 844), (1280, 800)]
SITE = """\
site: {{id: test, name: {{zh: 和平里小区, en: Test community}}}}
mqtt: {{listen: "127.0.0.1:{port}"}}
zones:
  lane_3: {{kind: fire_lane, name: 3号楼北侧消防通道, bind: {{vehicle: mqtt_discovery.lane_3}}}}
  lane_5: {{kind: fire_lane, name: 5号楼东侧消防通道, bind: {{vehicle: mqtt_discovery.lane_5}}}}
  garage:
    kind: gate
    name: 地下车库门
    bind: {{door: mqtt_discovery.garage, camera: generic_camera.garage, speaker: http_speaker.garage}}
integrations: {{mqtt_discovery: {{prefix: homeassistant}}}}
devices:
  generic_camera: {{garage: {{name: 车库摄像机, snapshot: "http://127.0.0.1:9/a.jpg"}}}}
  http_speaker: {{garage: {{name: 车库喇叭, url: "http://127.0.0.1:9/play"}}}}
contacts:
  guard: {{name: 值班保安, webhook: "http://127.0.0.1:9/x"}}
  manager: {{name: 物业经理, webhook: "http://127.0.0.1:9/x"}}
prompts: {{second_warning: {{text: 请马上移车。}}}}
"""
#: Days ago and minutes: three of lane 3 lie between three and five minutes.
VISITS: dict[str, list[tuple[float, float]]] = {
    "mqtt_discovery.lane_3": [(6.5, 4), (5.2, 12), (3.4, 4.5), (2.1, 2), (1.3, 4), (0.6, 9)],
    "mqtt_discovery.lane_5": [(4.4, 4), (0.8, 20)],
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium(need_desk()) as browser:
        yield browser


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    return Path(os.environ.get("MENSHEN_SHOTS") or tmp_path / "shots")


@pytest.fixture
def hub(hub_of: MakeHub, tmp_path: Path) -> HubProcess:
    (tmp_path / "rules").mkdir()
    config = tmp_path / "hub.yaml"
    config.write_text(SITE.format(port=free_port()), "utf-8")
    (tmp_path / "rules" / "fire_lane_blocked.yaml").write_text(shipped(), "utf-8")
    hub = hub_of(config)
    record_visits(hub.data, VISITS)
    record_picture(hub.data, "lane_3", 5.2 - 3.1 / 1440, picture())  # of the visit of twelve minutes
    hub.start()
    return hub


def picture() -> bytes:
    """Return what a camera saw: a car in the lane."""
    image = Image.new("RGB", (640, 360), (90, 100, 110))
    pen = ImageDraw.Draw(image)
    pen.polygon([(180, 360), (460, 360), (380, 80), (280, 80)], fill=(60, 62, 66))
    pen.rounded_rectangle([270, 190, 390, 300], 18, fill=(190, 40, 40))
    file = io.BytesIO()
    image.save(file, "JPEG")
    return file.getvalue()


def shipped() -> str:
    return (ROOT / "rules" / "fire_lane_blocked.yaml").read_text("utf-8")


def rule_text(hub: HubProcess, name: str) -> str:
    return (hub.config.parent / "rules" / f"{name}.yaml").read_text("utf-8")


def signed_in(browser: Browser, hub: HubProcess, size: tuple[int, int]) -> Desk:
    desk = Desk(browser, hub.url, *size)
    desk.open(f"#token={hub.token}")
    desk.hook("rules-link").click()
    expect(desk.hook("rule").first).to_be_visible()
    return desk


def tab(desk: Desk, name: str) -> None:
    """Show a part; on a wide window the form always stands beside it."""
    if name != "form" or desk.hook("tab-form").is_visible():
        desk.hook(f"tab-{name}").click()


def checked(desk: Desk) -> None:
    expect(desk.hook("draft-status", '[data-state="good"]')).to_be_visible()


def save(desk: Desk, reason: str) -> None:
    checked(desk)
    desk.hook("save").click()
    desk.hook("reason").fill(reason)
    desk.hook("save-confirm").click()
    expect(desk.hook("said")).to_contain_text("已保存")


def hold(desk: Desk, amount: str, name: str = "hold") -> None:
    field = desk.hook(name).locator("input").first
    field.fill(amount)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_three_minutes_become_five_for_one_lane_only(
    browser: Browser, hub: HubProcess, shots: Path, size: tuple[int, int]
) -> None:
    desk, width = signed_in(browser, hub, size), size[0]
    desk.fits()
    desk.shoot(shots, f"rules-list-{width}")
    assert serious(desk.page, ".rules") == []
    desk.hook("rule").get_by_role("link", name="消防通道占用").click()
    expect(desk.hook("rule-form")).to_be_visible()
    desk.fits()
    desk.shoot(shots, f"rules-form-{width}", whole=True)
    assert serious(desk.page, ".rules") == []

    desk.hook("one-zone-open").click()
    desk.hook("one-zone").select_option("lane_3")
    desk.shoot(shots, f"rules-one-zone-{width}")
    desk.hook("one-zone-start").click()
    expect(desk.hook("variation")).to_contain_text("3号楼北侧消防通道")
    checked(desk)
    hold(desk, "5")
    expect(desk.hook("summary")).to_contain_text("超过 5 分钟")

    tab(desk, "try")
    desk.hook("span").select_option("7")
    desk.hook("try-run").click()
    expect(desk.hook("try-found")).to_contain_text("会触发 2 次")
    expect(desk.hook("try-difference")).to_contain_text("少 3 次")
    expect(desk.hook("bar")).to_have_count(5)
    expect(desk.hook("bar-picture")).to_have_count(1)
    expect(desk.hook("trial-seen")).to_contain_text("5 次中有 1 次")
    assert drawn(desk.hook("trial-picture")) == (640, 360)
    desk.fits()
    desk.shoot(shots, f"rules-try-{width}", whole=True)
    assert serious(desk.page, ".rules") == []

    save(desk, "3号楼装修，临时放宽")
    desk.shoot(shots, f"rules-saved-{width}")
    assert rule_text(hub, "fire_lane_blocked") == shipped().replace(
        "zones: {kind: fire_lane}", "zones: {kind: fire_lane, without: [lane_3]}"
    )
    own = shipped().replace("zones: {kind: fire_lane}", "zones: {kind: fire_lane, only: [lane_3]}")
    own = own.replace("for: 3 min", "for: 5 min").replace("rule: fire_lane_blocked", "rule: fire_lane_blocked_lane_3")
    new = rule_text(hub, "fire_lane_blocked_lane_3")
    assert new == re.sub("(?m)^name: .*", new.splitlines()[3], own), "every other line, comments too, as it was"
    served = until(
        lambda: {rule["id"]: rule["zones"] for rule in hub.get("rules")["items"]}, lambda found: len(found) == 2
    )
    assert served == {"fire_lane_blocked": ["lane_5"], "fire_lane_blocked_lane_3": ["lane_3"]}
    desk.check()
    desk.context.close()


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_rule_is_built_from_nothing_without_yaml(
    browser: Browser, hub: HubProcess, shots: Path, size: tuple[int, int]
) -> None:
    """车库门夜间打开超过 2 分钟 → 抓拍、喊话、10 分钟后通知经理."""
    desk, width = signed_in(browser, hub, size), size[0]
    desk.hook("add-rule").click()
    desk.hook("new-kind").select_option("gate")
    desk.shoot(shots, f"rules-new-{width}")
    desk.hook("new-start").click()
    desk.hook("rule-name").fill("车库门夜间敞开")
    hold(desk, "2")
    desk.hook("add-condition").click()
    desk.hook("condition").last.locator('[data-testid="term-head"]').select_option("time")
    desk.hook("time-from").fill("22:0")
    expect(desk.hook("finding").first).to_contain_text("开始时间应是时刻")
    desk.shoot(shots, f"rules-finding-{width}")
    desk.hook("time-from").fill("22:00")
    desk.hook("add-actions").click()
    desk.hook("actions").locator('[data-testid="action-kind"]').last.select_option("say")
    desk.hook("say-text").fill("车库门没有关好，请随手关门。")
    desk.hook("listen").click()
    sound = desk.hook("sound")
    until(lambda: sound.evaluate("sound => sound.currentTime > 0.2"), within=PATIENCE / 1_000, what="the sound playing")
    assert sound.evaluate("sound => sound.duration") > 1
    desk.hook("add-step").click()
    hold(desk, "10", "after-0")
    desk.hook("step").locator('[data-testid="contact"]').select_option("manager")
    expect(desk.hook("summary")).to_contain_text("大门的门打开超过 2 分钟")
    desk.fits()
    desk.shoot(shots, f"rules-built-{width}", whole=True)
    save(desk, "夜间防盗")

    assert plain(load(hub.config.parent / "rules" / "gate.yaml")) == {
        "rule": "gate",
        "name": "车库门夜间敞开",
        "zones": {"kind": "gate"},
        "trigger": {"door": "open", "for": "2 min"},
        "conditions": [{"not": {"mode": "maintenance"}}, {"time": {"from": "22:00", "to": "06:00"}}],
        "actions": [
            {"capture": "snapshot"},
            {"open_incident": {"severity": "medium"}},
            {"say": {"text": "车库门没有关好，请随手关门。", "volume": 70}},
        ],
        "escalation": [{"after": "10 min", "actions": [{"notify": "manager"}]}],
        "clear": {"door": "closed", "for": "5 s", "actions": [{"close_incident": "cleared"}]},
    }
    until(lambda: "gate" in {rule["id"] for rule in hub.get("rules")["items"]}, what="the hub works by it")
    desk.check()
    desk.context.close()


def test_a_hand_edit_while_the_form_is_open_is_told_and_joined(browser: Browser, hub: HubProcess, shots: Path) -> None:
    desk = signed_in(browser, hub, (1280, 800))
    desk.open("#/rules/fire_lane_blocked")
    path = hub.config.parent / "rules" / "fire_lane_blocked.yaml"
    expect(desk.hook("rule-form")).to_be_visible()
    path.write_text(shipped().replace("after: 15 min", "after: 20 min"), "utf-8")
    expect(desk.hook("said")).to_contain_text("文件在别处被修改")  # nothing was typed: taken over
    expect(desk.hook("after-2").locator("input")).to_have_value("20")

    hold(desk, "4")
    checked(desk)
    path.write_text(path.read_text("utf-8").replace("after: 20 min", "after: 25 min"), "utf-8")
    expect(desk.hook("meanwhile")).to_contain_text("手工修改")
    desk.shoot(shots, "rules-meanwhile-1280")
    desk.hook("merge").click()
    expect(desk.hook("meanwhile")).to_have_count(0)
    save(desk, "放宽")
    assert path.read_text("utf-8") == shipped().replace("15 min", "25 min").replace("for: 3 min", "for: 4 min")
    kept = [(one["author"], one["reason"]) for one in hub.get("rules/fire_lane_blocked/versions")["items"]]
    assert kept == [("tester", "放宽"), ("", ""), ("", ""), ("", "")], "what was found, two hand edits, and the page's"
    desk.check()
    desk.context.close()


def test_the_second_of_two_people_is_told_and_versions_can_be_brought_back(
    browser: Browser, hub: HubProcess, shots: Path
) -> None:
    first, second = (signed_in(browser, hub, (1280, 800)) for _ in range(2))
    for desk in (first, second):
        desk.open("#/rules/fire_lane_blocked")
        expect(desk.hook("rule-form")).to_be_visible()
    hold(second, "7")
    checked(second)
    hold(first, "4")
    save(first, "先改")
    expect(second.hook("meanwhile")).to_contain_text("tester")
    second.hook("merge").click()
    expect(second.hook("meanwhile")).to_contain_text("不能自动合并")
    second.shoot(shots, "rules-conflict-1280")
    second.hook("keep-mine").click()
    save(second, "后改")
    assert "for: 7 min" in rule_text(hub, "fire_lane_blocked")

    tab(second, "versions")
    expect(second.hook("version")).to_have_count(3)
    expect(second.hook("version").nth(1)).to_contain_text("先改")
    second.shoot(shots, "rules-versions-1280")
    second.hook("version").last.locator('[data-testid="restore"]').click()
    checked(second)
    save(second, "改回")
    assert rule_text(hub, "fire_lane_blocked") == shipped()
    for desk in (first, second):
        desk.check()
        desk.context.close()


def test_form_and_yaml_are_one_draft(browser: Browser, hub: HubProcess, shots: Path) -> None:
    desk = signed_in(browser, hub, (1280, 800))
    desk.open("#/rules/fire_lane_blocked")
    tab(desk, "yaml")
    yaml = desk.hook("yaml").locator(".cm-content")
    expect(yaml).to_contain_text("# 消防通道占用")
    hold(desk, "6")
    expect(yaml).to_contain_text("for: 6 min")
    yaml.get_by_text("for: 6 min").click()
    desk.page.keyboard.press("End")
    desk.page.keyboard.type("utes")
    expect(desk.hook("finding").first).to_contain_text("持续时间要写数字和单位")
    expect(desk.hook("yaml").locator(".cm-lintRange-error")).to_be_visible()
    desk.shoot(shots, "rules-yaml-finding-1280")
    for _ in range(7):
        desk.page.keyboard.press("Backspace")
    desk.page.keyboard.type("min")
    checked(desk)
    yaml.get_by_text("say: second_warning").click()
    desk.page.keyboard.press("End")
    for _ in range(7):
        desk.page.keyboard.press("Backspace")
    desk.page.keyboard.press("Control+Space")
    expect(desk.page.locator(".cm-tooltip-autocomplete")).to_contain_text("second_warning", timeout=PATIENCE)
    desk.shoot(shots, "rules-yaml-complete-1280")
    desk.page.keyboard.press("Enter")
    checked(desk)
    assert "second_warning" in (yaml.text_content() or "")
    desk.check()
    desk.context.close()


def test_a_rule_is_switched_off_and_on(browser: Browser, hub: HubProcess) -> None:
    desk = signed_in(browser, hub, (390, 844))
    desk.hook("enabled").click()
    until(lambda: "enabled: false" in rule_text(hub, "fire_lane_blocked"))
    until(lambda: hub.get("rules")["items"][0]["enabled"] is False, what="the hub works by it")
    expect(desk.hook("enabled").locator("input")).to_be_enabled()
    desk.hook("enabled").click()
    until(lambda: rule_text(hub, "fire_lane_blocked") == shipped())
    desk.check()
    desk.context.close()


def test_a_shipped_rule_is_taken_asked_why_deleted_and_brought_back(
    browser: Browser, hub: HubProcess, shots: Path
) -> None:
    desk = signed_in(browser, hub, (1280, 800))
    desk.page.on("dialog", lambda dialog: dialog.accept())
    desk.hook("add-rule").click()
    desk.hook("new-rule").get_by_label("车位检测器失联").check()
    desk.hook("new-start").click()
    expect(desk.hook("rule-name")).to_have_value("车位检测器失联")
    save(desk, "巡检")
    path = hub.config.parent / "rules" / "device_silent.yaml"
    assert path.read_text("utf-8") == (ROOT / "rules" / "device_silent.yaml").read_text("utf-8"), "comments too"
    until(lambda: len(hub.get("rules")["items"]) == 2, what="the hub works by it")

    tab(desk, "why")
    desk.hook("why-ask").click()
    expect(desk.hook("why-answer")).to_contain_text("26 小时没有消息")
    desk.shoot(shots, "rules-why-1280")

    desk.hook("remove-rule").click()
    until(lambda: not path.exists(), what="the file gone")
    until(lambda: len(hub.get("rules")["items"]) == 1, what="the hub without it")
    desk.hook("add-rule").click()
    desk.hook("deleted").check()
    desk.hook("new-start").click()
    save(desk, "误删")
    assert path.read_text("utf-8") == (ROOT / "rules" / "device_silent.yaml").read_text("utf-8")
    desk.check("status of 404")  # the page looks once more for the file that it has just deleted
    desk.context.close()
