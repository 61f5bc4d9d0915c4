"""People in a real browser: the first administrator, a second factor, users and tokens, and what was done by whom."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Locator, expect

from hub.model.time import DAY
from tests.kit.axe import serious
from tests.kit.broker import Broker
from tests.kit.browser import Desk, need_desk, running_chromium
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.site import Ends, write_site
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

NAME, PASSWORD, OTHER = "陈经理", "门神守着幸福里的大门", "换一句好记的话当密码"
#: Names that would run if a page took them for markup.
HOSTILE = "<img src=x onerror=alert(1)>", "'\"><script>alert(1)</script>", "{{constructor.constructor('alert(1)')()}}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium(need_desk()) as browser:
        yield browser


@pytest.fixture
def hub(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> HubProcess:
    hub = hub_of(write_site(tmp_path / "site", {"url": f"mqtt://127.0.0.1:{broker.port}"}, Ends()))
    hub.start()
    return hub


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    return Path(os.environ.get("MENSHEN_SHOTS") or tmp_path / "shots")


def first_code(hub: HubProcess) -> str:
    """Return the code that the console shows."""
    found = until(lambda: re.search(r"^ +([A-Z2-9]{4}-[A-Z2-9]{4})$", hub.printed(), re.M), what="the one-time code")
    assert found is not None
    return found[1]


def field(desk: Desk, name: str) -> Locator:
    return desk.page.locator(f'input[data-testid="{name}"]')


def fill(desk: Desk, **values: str) -> None:
    for name, text in values.items():
        field(desk, name.replace("_", "-")).fill(text)


def shoot(desk: Desk, shots: Path, name: str) -> None:
    """Look at the page on a phone and on the PC of an office."""
    for width, height in ((390, 844), (1280, 800)):
        desk.resize(width, height)
        desk.fits()
        assert serious(desk.page) == []
        desk.shoot(shots, f"{name}-{width}", whole=True)


def test_from_the_first_run_to_a_second_factor(browser: Browser, hub: HubProcess, shots: Path) -> None:
    desk = Desk(browser, hub.url, 1280, 800)
    desk.open()
    fill(desk, first_code="ABCD-EFGH", first_name=NAME, new_password=PASSWORD, new_password_again=PASSWORD)
    desk.hook("first-submit").click()
    expect(desk.hook("first-problem")).to_be_visible()
    shoot(desk, shots, "first-run")
    fill(desk, first_code=first_code(hub))
    desk.hook("first-submit").click()
    expect(desk.page.locator("header.bar")).to_contain_text(f"{NAME} · 管理员")

    desk.hook("account-link").click()
    expect(desk.hook("factor-state")).to_have_text("未开启")
    shoot(desk, shots, "account")
    desk.hook("factor-begin").click()
    fill(desk, factor_password=PASSWORD)
    desk.hook("factor-next").click()
    totp = pyotp.TOTP(desk.hook("factor-secret").inner_text())
    expect(desk.hook("factor-picture")).to_be_visible()
    until(lambda: desk.hook("factor-picture").evaluate("image => image.naturalWidth"), what="the QR code drawn")
    shoot(desk, shots, "factor")
    used = totp.now()
    fill(desk, factor_code=used)
    desk.hook("factor-finish").click()
    codes = desk.hook("recovery-codes").locator("li")
    expect(codes).to_have_count(10)
    recovery = codes.first.inner_text()
    expect(desk.hook("banner-factor")).to_be_hidden()
    desk.page.mouse.move(0, 0)  # what moved up when the banner went is not meant
    shoot(desk, shots, "recovery")
    desk.hook("recovery-done").click()
    expect(desk.hook("factor-state")).to_have_text("已开启")

    desk.hook("sign-out").click()
    fill(desk, sign_in_name=NAME, sign_in_password=PASSWORD)
    shoot(desk, shots, "sign-in")
    desk.hook("sign-in-submit").click()
    fill(desk, sign_in_code=used)
    desk.hook("sign-in-submit").click()
    expect(desk.hook("sign-in-problem")).to_contain_text("已用过")
    shoot(desk, shots, "sign-in-code")
    fill(desk, sign_in_code=recovery)
    desk.hook("sign-in-submit").click()
    expect(desk.page.locator("header.bar")).to_contain_text(NAME)

    hub.terminate()
    hub.start()  # another life, another port: the cookie is good for it
    desk.url = hub.url
    desk.open()
    expect(desk.page.locator("header.bar")).to_contain_text(NAME)
    assert "first run" not in hub.printed()
    desk.check("status of 401", "status of 422", "ERR_CONNECTION_REFUSED", "WebSocket", "request to elsewhere")
    desk.context.close()


def test_an_administrator_without_a_second_factor_is_held(browser: Browser, hub: HubProcess, shots: Path) -> None:
    desk = Desk(browser, hub.url, 1280, 800)
    desk.open()
    fill(desk, first_code=first_code(hub), first_name=NAME, new_password=PASSWORD, new_password_again=PASSWORD)
    desk.hook("first-submit").click()
    expect(desk.hook("banner-factor")).to_contain_text("前设置两步验证")
    shoot(desk, shots, "factor-soon")
    desk.hook("sign-out").click()
    expect(field(desk, "sign-in-name")).to_be_visible()  # the hub has heard it
    hub.terminate()
    with closing(sqlite3.connect(hub.data / "journal.sqlite3")) as db, db:
        db.execute("UPDATE users SET created_at = created_at - ?", (8 * DAY,))
    hub.start()
    desk.url = hub.url
    desk.open()
    fill(desk, sign_in_name=NAME, sign_in_password=PASSWORD)
    desk.hook("sign-in-submit").click()
    expect(desk.hook("factor-card")).to_be_visible()
    expect(desk.hook("banner-factor")).to_contain_text("必须先设置")
    desk.page.goto(f"{hub.url}#/users")
    expect(desk.hook("factor-card")).to_be_visible()
    assert desk.hook("add-user").count() == 0, "there is no way around it"
    shoot(desk, shots, "factor-due")
    desk.hook("factor-begin").click()
    fill(desk, factor_password=PASSWORD)
    desk.hook("factor-next").click()
    fill(desk, factor_code=pyotp.TOTP(desk.hook("factor-secret").inner_text()).now())
    desk.hook("factor-finish").click()
    expect(desk.hook("recovery-codes").locator("li")).to_have_count(10)  # they stay until they are written down
    expect(desk.hook("banner-factor")).to_be_hidden()
    desk.hook("recovery-done").click()
    desk.hook("users-link").click()
    expect(desk.hook("add-user")).to_be_visible()
    desk.check("status of 401", "ERR_CONNECTION_REFUSED", "WebSocket", "request to elsewhere")
    desk.context.close()


def test_an_administrator_looks_after_users_and_tokens(browser: Browser, hub: HubProcess, shots: Path) -> None:
    desk = Desk(browser, hub.url, 1280, 800)
    desk.open()
    fill(desk, first_code=first_code(hub), first_name=NAME, new_password=PASSWORD, new_password_again=PASSWORD)
    desk.hook("first-submit").click()
    desk.hook("users-link").click()
    for name in ("王师傅", *HOSTILE):
        desk.hook("add-user").click()
        fill(desk, user_name=name, user_password=PASSWORD)
        desk.hook("user-save").click()
        expect(desk.hook("user-form")).to_be_hidden()
    expect(desk.hook("user-row")).to_have_count(5)
    desk.hook("add-token").click()
    fill(desk, token_name=HOSTILE[0] + "?")
    desk.hook("token-make").click()
    expect(desk.hook("token-made")).to_be_visible()
    shoot(desk, shots, "token")
    desk.page.keyboard.press("Escape")
    shoot(desk, shots, "users")

    desk.hook("user-row").filter(has_text=NAME).get_by_test_id("edit-user").click()
    desk.hook("user-disable").click()
    expect(desk.hook("user-problem")).to_contain_text("至少要留一位管理员")
    shoot(desk, shots, "user-dialog")
    desk.page.keyboard.press("Escape")
    guard = Desk(browser, hub.url, 390, 844)
    guard.open()
    fill(guard, sign_in_name="王师傅", sign_in_password=PASSWORD)
    guard.hook("sign-in-submit").click()
    expect(guard.hook("account-link")).to_be_visible()
    expect(guard.hook("users-link")).to_have_count(0)
    desk.hook("user-row").filter(has_text="王师傅").get_by_test_id("edit-user").click()
    desk.hook("user-disable").click()
    expect(desk.hook("user-row").filter(has_text="已停用")).to_have_count(1)
    expect(guard.hook("sign-in-name")).to_be_visible()  # within seconds, without a touch
    guard.context.close()
    desk.hook("revoke-token").first.click()
    desk.hook("revoke-confirm").click()
    expect(desk.hook("token-row")).to_have_count(0)

    desk.hook("audit-link").click()
    expect(desk.hook("audit-row")).to_have_count(10)
    expect(desk.hook("audit-row", '[data-action="change_user"]').first).to_contain_text("王师傅")
    shoot(desk, shots, "audit")

    desk.hook("account-link").click()
    fill(desk, old_password=PASSWORD, new_password=OTHER, new_password_again=OTHER)
    desk.hook("password-save").click()
    expect(desk.hook("password-saved")).to_be_visible()
    desk.check("status of 401", "status of 409")
    desk.context.close()
