"""The duty desk in a real browser: a person signs in and sees the story of the demo as it happens."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.kit.browser import Desk, drawn, need_desk, played, running_chromium
from tests.kit.demo import STOP, Demo, running_demo

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

WIDE, NARROW = (1280, 860), (390, 844)
SENTENCE = "您好，消防车通道禁止停车"
#: Milliseconds until the story is over, twice: the car stays for 24 s, and the lane must be clear for 3 s.
STORY = 60_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium(need_desk()) as browser:
        yield browser


@pytest.fixture(scope="module")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Lend one demo: who only signs in and out leaves nothing in it."""
    with running_demo(tmp_path_factory.mktemp("demo")) as demo:
        yield demo


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    return Path(os.environ.get("MENSHEN_SHOTS") or tmp_path / "shots")


def lane(desk: Desk) -> Locator:
    return desk.hook("zone-card", '[data-id="lane_3_north"]')


def pill(zone: Locator) -> Locator:
    return zone.locator("header .pill")


def test_a_person_signs_in_with_a_token(browser: Browser, demo: Demo, shots: Path) -> None:
    desk = Desk(browser, demo.url, *NARROW)
    desk.open()
    desk.hook("sign-in-other-way").click()
    token = desk.hook("sign-in-token")
    expect(token).to_be_visible()
    desk.fits()
    desk.shoot(shots, "sign-in-390")
    token.fill("not-a-token")
    desk.hook("sign-in-submit").click()
    expect(desk.hook("sign-in-problem")).to_have_text("令牌不对或已经停用。")
    desk.shoot(shots, "sign-in-wrong-390")

    token.fill(f" {demo.token}\n")
    desk.hook("sign-in-submit").click()
    expect(lane(desk)).to_be_visible()
    expect(desk.page.locator("header.bar .site")).to_have_text("门神示范小区")
    desk.page.reload()  # the cookie is enough
    expect(lane(desk)).to_be_visible()
    assert demo.token not in desk.page.evaluate("() => JSON.stringify([localStorage, sessionStorage, document.cookie])")

    desk.hook("sign-out").click()
    expect(desk.hook("sign-in-name")).to_be_visible()
    desk.page.reload()
    expect(desk.hook("sign-in-name")).to_be_visible()
    desk.check("status of 401")  # the browser itself reports each refusal
    desk.context.close()


def test_the_story_is_seen_as_it_happens(browser: Browser, demo: Demo, shots: Path) -> None:
    desk = Desk(browser, demo.url, *WIDE)
    desk.open(f"#token={demo.token}")
    expect(pill(lane(desk))).to_have_text("正常")
    expect(desk.hook("all-calm")).to_contain_text("一切正常", timeout=60_000)  # every device of the demo has spoken
    assert demo.token not in desk.page.url
    desk.shoot(shots, "calm-1280")

    demo.play()
    blocked_lane_appears(desk, shots)
    incident_is_told(desk, shots)
    closed_with_two_pictures(desk, shots)
    english_is_spoken(desk, shots)
    desk.check()
    narrow_window_fits(browser, desk, shots)
    desk.context.close()
    before = len(demo.words())
    took = demo.interrupt()  # the last test of this file
    assert took <= STOP, f"the demo ended after {took:.1f} s"
    assert "Traceback" not in demo.words()
    last_words = demo.words()[before:]
    assert not re.findall("failed|lost|ended|never retrieved", last_words), f"nothing is amiss, but: {last_words}"


def blocked_lane_appears(desk: Desk, shots: Path) -> None:
    expect(pill(lane(desk))).to_have_text("计时中")
    expect(lane(desk).locator('[data-testid="zone-countdown"]')).to_have_text(
        re.compile(r"还有 0:0[1-6] 满时|即将判断")
    )
    desk.shoot(shots, "pending-1280")
    expect(pill(lane(desk))).to_have_text("告警")
    card = desk.hook("incident-card", '[data-state="open"]')
    expect(card).to_have_count(1)
    expect(card).to_contain_text("3号楼北侧消防通道")
    expect(card).to_contain_text("消防通道占用")
    drawn(card.locator("img"))
    assert desk.page.title() == "（1）门神"
    desk.shoot(shots, "alarm-1280")
    desk.fits()
    card.click()


def incident_is_told(desk: Desk, shots: Path) -> None:
    expect(desk.hook("incident-state")).to_have_text("未响应")
    width, height = drawn(desk.hook("incident-picture", '[data-moment="opening"]'))
    assert width >= 640
    assert height >= 360
    timeline = desk.hook("incident-timeline")
    expect(timeline).to_contain_text(re.compile("检测到车辆（[^）]+ · 车辆）"))
    expect(timeline).to_contain_text("判断：停留满 6 秒，条件满足")
    expect(timeline).to_contain_text(f"喊话：{SENTENCE}")
    expect(timeline).not_to_contain_text("车辆 检测到车辆")
    spoken = timeline.locator('[data-stage="say"]').first
    expect(spoken).to_contain_text(re.compile(r"已播放（\d+(\.\d+)? 秒后开始，时长 \d+(\.\d)? 秒）"))
    seconds, head = played(spoken.locator("audio"))
    assert 4 <= seconds <= 12
    assert head == b"RIFF"
    timeline.get_by_text("判断依据").click()
    expect(timeline).to_contain_text("不是“维护模式”")
    desk.shoot(shots, "incident-open-1280")
    desk.resize(*NARROW)
    desk.fits()
    desk.shoot(shots, "incident-open-390", whole=True)
    desk.resize(*WIDE)


def closed_with_two_pictures(desk: Desk, shots: Path) -> None:
    expect(desk.hook("incident-state", '[data-state="closed"]')).to_have_text("已处理", timeout=STORY)
    timeline = desk.hook("incident-timeline")
    expect(timeline).to_contain_text(re.compile("车辆已离开（[^）]+ · 车辆）.*解除：情况已解除"))
    for line in ("已通知 值班保安", "事件关闭：情况已解除"):
        expect(timeline).to_contain_text(line)
    pictures = desk.hook("incident-picture")
    expect(pictures).to_have_count(2)
    expect(desk.hook("incident-picture", '[data-moment="closing"]')).to_have_count(1)
    for picture in pictures.all():
        drawn(picture)
    assert len({picture.get_attribute("src") for picture in pictures.all()}) == 2
    desk.shoot(shots, "incident-1280")
    desk.shoot(shots, "incident-whole-1280", whole=True)
    desk.page.locator("a.back").click()
    expect(pill(lane(desk))).to_have_text("正常")
    expect(desk.hook("all-calm")).to_contain_text("一切正常", timeout=60_000)  # every device of the demo has spoken
    expect(desk.hook("incident-card", '[data-state="closed"]')).to_have_count(1)
    desk.shoot(shots, "after-1280")


def english_is_spoken(desk: Desk, shots: Path) -> None:
    desk.hook("language-switch").click()
    expect(desk.page.locator("html")).to_have_attribute("lang", "en-GB")
    expect(pill(lane(desk))).to_have_text("Normal")
    expect(desk.page.locator("header.bar .site")).to_have_text("Menshen demo community")
    desk.hook("incident-card").click()
    expect(desk.hook("incident-state")).to_have_text("Closed")
    expect(desk.hook("incident-timeline")).to_contain_text("Announced: Hello, no parking in the fire lane.")
    expect(desk.hook("incident-timeline")).not_to_contain_text(SENTENCE)
    desk.shoot(shots, "incident-english-1280", whole=True)
    desk.hook("language-switch").click()
    expect(desk.hook("incident-state")).to_have_text("已处理")


def narrow_window_fits(browser: Browser, wide: Desk, shots: Path) -> None:
    desk = Desk(browser, wide.url, *NARROW, state=wide.context.storage_state())
    desk.open()
    expect(pill(lane(desk))).to_have_text("正常")
    expect(desk.hook("incident-card")).to_be_visible()
    desk.fits()
    desk.shoot(shots, "desk-390", whole=True)
    desk.hook("incident-card").click()
    expect(desk.hook("incident-timeline")).to_contain_text(SENTENCE)
    drawn(desk.hook("incident-picture").first)
    desk.fits()
    desk.shoot(shots, "incident-390")
    desk.shoot(shots, "incident-whole-390", whole=True)
    desk.hook("language-switch").click()
    expect(desk.hook("incident-state")).to_have_text("Closed")
    desk.fits()
    desk.check()
    desk.context.close()
