"""The tutorial for plugin authors, followed to the letter: every command of the page, then its clicks in a browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.kit.broker import Broker
from tests.kit.browser import Desk, need_desk, running_chromium
from tests.kit.demo import running_demo
from tests.kit.http import get_json, request
from tests.kit.hub import MakeHub
from tests.kit.mqtt import need_mosquitto
from tests.kit.site import ROOT
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
PAGE = (ROOT / "docs" / "plugins" / "tutorial.md").read_text("utf-8")
RULE = "unit_door_held_open"


@pytest.fixture
def browser() -> Iterator[Browser]:
    with running_chromium(need_desk()) as browser:
        yield browser


class Author:
    """Somebody at a shell who follows the page; only the port of the broker is another one."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self._port = str(broker.port)
        self.folder = folder
        folder.mkdir()
        scripts = Path(sys.executable).parent
        self._env = {**os.environ, "PATH": f"{scripts}:{os.environ['PATH']}"}
        self.commands = [self._ported(block) for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)]

    def _ported(self, text: str) -> str:
        return text.replace("-p 1883", f"-p {self._port}").replace(":1883", f":{self._port}")

    def write_site(self) -> None:
        (site,) = re.findall(r"```yaml\n# hub.yaml\n(.*?)```", PAGE, re.DOTALL)
        (self.folder / "hub.yaml").write_text(self._ported(site), "utf-8")

    def run(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-e", "-c", command], cwd=self.folder, env=self._env, capture_output=True, text=True, timeout=90,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def test_the_door_contact_of_the_page_fires_r4_in_the_demo(broker: Broker, tmp_path: Path) -> None:
    need_mosquitto()
    author = Author(tmp_path / "site", broker)
    begin, *_, speak, show = author.commands
    author.run(begin)
    assert show.startswith("menshen demo --with integrations/door_post")
    with running_demo(tmp_path, "--with", str(author.folder / "integrations" / "door_post")) as demo:

        def found() -> bool:
            author.run(speak.replace(f"-p {broker.port}", f"-p {demo.base + 10}"))
            items = get_json(f"{demo.url}api/v1/discovered", token=demo.token)["items"]
            return any(item["name"] == "A17" for item in items)

        until(found, within=20, what="A17 found")
        bind = {"role": "door", "entity": "door_post.a17", "bound": True}
        status, said = request("PUT", f"{demo.url}api/v1/zones/unit_5_1/bind", bind, token=demo.token)
        assert status == 204, said

        def fired() -> bool:
            found = get_json(f"{demo.url}api/v1/incidents?limit=50", token=demo.token)["items"]
            return any((one["rule"], one["zone"]) == (RULE, "unit_5_1") for one in found)

        until(fired, within=30, what="R4 fired")


def test_who_follows_the_page_hears_the_rule_fire(
    browser: Browser, broker: Broker, tmp_path: Path, hub_of: MakeHub
) -> None:
    need_mosquitto()
    author = Author(tmp_path / "site", broker)
    author.write_site()
    begin, test, record, accept, use, speak, _demo = author.commands
    assert "integrations/door_post/__init__.py" in author.run(begin)
    code = (author.folder / "integrations" / "door_post" / "__init__.py").read_text("utf-8")
    assert len([line for line in code.splitlines() if line.strip()]) <= 35
    tried = author.run(test)
    assert "合格 conformant" in tried
    assert re.search(r"own tests \(\d+ passed", tried), "what pytest said in the end, no warning of it"
    author.run(record)
    assert '"battery": 87, "token": "***"' in author.run(accept).replace("\\", "")
    assert "s3cret" not in (author.folder / "integrations" / "door_post" / "captures" / "front.jsonl").read_text(
        "utf-8"
    )
    check, run = use.strip().splitlines()
    assert "好 / well" in author.run(check)
    assert run.startswith("menshen run -c hub.yaml")

    (author.folder / "rules").mkdir()
    rule = (ROOT / "rules" / f"{RULE}.yaml").read_text("utf-8")
    short = rule.replace("for: 2 min", "for: 1 s")
    assert short != rule
    (author.folder / "rules" / f"{RULE}.yaml").write_text(short, "utf-8")
    hub = hub_of(author.folder / "hub.yaml")
    hub.start()

    def spoken() -> bool:  # a device says it again and again, too: the hub may not listen yet when it is ready
        author.run(speak)
        return any(found["name"] == "A17" for found in hub.get("discovered")["items"])

    until(spoken, within=20, what="A17 found")
    desk = Desk(browser, hub.url, 1280, 860)
    desk.open(f"#token={hub.token}")
    desk.hook("devices-link").click()
    found = desk.hook("found", '[data-name="A17"]')
    expect(found).to_contain_text("开")
    desk.fits()
    desk.shoot(Path(os.environ.get("MENSHEN_SHOTS") or tmp_path / "shots"), "devices-found-1280", whole=True)
    found.get_by_label("防区").select_option(label="5号楼1单元门")
    expect(found.get_by_label("用作")).to_have_value("door")
    desk.hook("bind").click()
    device = desk.hook("device", '[data-name="A17"]')
    expect(device).to_contain_text("5号楼1单元门 · 门")
    expect(device).to_contain_text("电量 87%")
    desk.resize(390, 844)
    desk.fits()
    desk.shoot(Path(os.environ.get("MENSHEN_SHOTS") or tmp_path / "shots"), "devices-390", whole=True)
    assert "door: door_post.a17" in (author.folder / "hub.yaml").read_text("utf-8")
    until(lambda: hub.phase("unit_5_1", RULE) == "active", within=20, what="R4 fired")
    desk.check()
    desk.context.close()
