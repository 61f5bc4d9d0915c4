"""The page of the firmware in a real browser, with real nodes in C: an image that stays, and one that crashes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, expect

from firmware_bridge.errors import NodeFailed
from firmware_bridge.image import Version
from firmware_bridge.image import build as build_image
from firmware_bridge.node_process import CODE, NodeOptions
from firmware_bridge.node_process import build as build_node
from integrations.firmware_node.fleet import KEY_FILE
from integrations.firmware_node.tests.site import free_port
from tests.e2e.test_people import shoot
from tests.kit.broker import Broker
from tests.kit.browser import Desk, need_desk, running_chromium
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.mqtt import need_mosquitto
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
MODEL = "menshen-ref"
NODES = {"pole_1": bytes.fromhex("4d53000000000001"), "pole_2": bytes.fromhex("4d53000000000002")}
#: Minutes that an image must run: a crash comes after half a second.
QUIET = "0.05"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium(need_desk()) as browser:
        yield browser


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    return Path(os.environ.get("MENSHEN_SHOTS") or tmp_path / "shots")


@contextmanager
def running_node(options: NodeOptions) -> Iterator[None]:
    """Run a node in C; with its standard input it ends."""
    try:
        program = build_node()
    except NodeFailed as error:
        pytest.skip(str(error))
    options.state.mkdir()
    with (options.state / "log").open("wb") as log:
        process = subprocess.Popen([program, *options.arguments()], stdin=subprocess.PIPE, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def hub(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> Iterator[HubProcess]:
    """Return a hub with two nodes that are claimed and heard."""
    need_mosquitto()
    folder, udp = tmp_path / "site", f"127.0.0.1:{free_port()}"
    folder.mkdir()
    devices = {
        name: {"name": name, "udp": udp, "node": number.hex(), "code": {"secret": "code"}}
        for name, number in NODES.items()
    }
    site = {
        "site": {"id": "test", "name": "小区"},
        "mqtt": {"url": broker.url},
        "zones": {},
        "devices": {"firmware_node": devices},
    }
    (folder / "hub.yaml").write_text(json.dumps(site, ensure_ascii=False), "utf-8")
    (folder / "secrets.yaml").touch(mode=0o600)
    (folder / "secrets.yaml").write_text(f'code: "{CODE}"\n', "utf-8")
    public = KEY.public_key()
    (folder / KEY_FILE).write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    host, port = udp.split(":")
    hub = hub_of(folder / "hub.yaml")
    hub.start()  # first: a node whose hello nobody answers says it again after ten seconds
    with ExitStack() as stack:
        for name, number in NODES.items():
            options = NodeOptions(
                state=tmp_path / name, id=number, hub=(host, int(port)), signer=public.public_bytes_raw()
            )
            stack.enter_context(running_node(options))
        until(
            lambda: [unit["name"] for unit in hub.get("firmware")["units"] if unit["online"]],
            lambda online: len(online) == len(NODES),
            60,
            "both nodes claimed",
        )
        yield hub


def image(folder: Path, version: Version, *, body: bytes = b"well", key: Ed25519PrivateKey = KEY) -> Path:
    """Write a signed image of 60 kB."""
    path = folder / f"{version}.img"
    path.write_bytes(build_image(body.ljust(60_000, b"."), version, MODEL, version.minor, key))
    return path


def roll_out(desk: Desk, file: Path, *, quiet: str = QUIET) -> None:
    desk.hook("firmware-file").set_input_files(file)
    expect(desk.hook("firmware-image")).to_contain_text(f"{MODEL} 固件 {file.stem}")
    desk.hook("firmware-window").select_option(label="现在")
    desk.hook("firmware-quiet").fill(quiet)
    desk.hook("firmware-begin").click()


def test_an_image_that_stays_and_one_that_crashes(
    browser: Browser, hub: HubProcess, tmp_path: Path, shots: Path
) -> None:
    desk = Desk(browser, hub.url, 1280, 800)
    desk.open(f"#token={hub.token}")
    desk.hook("devices-link").click()
    desk.hook("firmware-link").click()
    first, second = (desk.hook("firmware-node", f'[data-name="{name}"]') for name in NODES)
    for node in (first, second):
        expect(node).to_contain_text("版本 1.0.0")
        expect(node).to_contain_text("在线")

    foreign = image(tmp_path, Version(1, 9, 0), key=Ed25519PrivateKey.generate())
    desk.hook("firmware-file").set_input_files(foreign)
    expect(desk.hook("firmware-problem")).to_have_text("固件不是用本小区的密钥签名的")
    expect(desk.hook("firmware-begin")).to_have_count(0)

    desk.hook("firmware-file").set_input_files(image(tmp_path, Version(1, 1, 0)))
    expect(desk.hook("firmware-begin")).to_be_enabled()
    shoot(desk, shots, "firmware-image")
    roll_out(desk, tmp_path / "1.1.0.img")
    expect(first.locator('[data-testid="firmware-stand"]')).to_contain_text("试运行")
    expect(desk.hook("firmware-file")).to_have_count(0)
    shoot(desk, shots, "firmware-testing")
    for node in (first, second):
        expect(node).to_have_attribute("data-stand", "done", timeout=60_000)
        expect(node).to_contain_text("已确认")
        expect(node).to_contain_text("版本 1.1.0")
    expect(desk.hook("rollout-outcome")).to_have_text("已完成")

    roll_out(desk, image(tmp_path, Version(1, 2, 0), body=b"crash"))
    expect(first).to_have_attribute("data-stand", "reverted", timeout=60_000)
    why = "新固件没有运行稳定，节点已回到原来的固件"
    expect(first.locator('[data-testid="firmware-reason"]')).to_have_text(why)
    expect(desk.hook("rollout-reason")).to_have_text(f"pole_1：{why}")
    expect(desk.hook("rollout-outcome")).to_have_text("已停止")
    expect(second).to_contain_text("没有开始")
    for node in (first, second):
        expect(node).to_contain_text("版本 1.1.0")
    shoot(desk, shots, "firmware-reverted")
    desk.check("status of 422")  # the image of somebody else
    desk.context.close()


def test_a_manager_stops_what_an_administrator_began(
    browser: Browser, hub: HubProcess, tmp_path: Path, shots: Path
) -> None:
    desk = Desk(browser, hub.url, 1280, 800)
    desk.open(f"#token={hub.token}")
    desk.hook("devices-link").click()
    desk.hook("firmware-link").click()
    roll_out(desk, image(tmp_path, Version(1, 1, 0)), quiet="2")
    status, made = hub.send("POST", "tokens", {"name": "陈经理", "role": "manager"})
    assert status < 300, made
    manager = Desk(browser, hub.url, 390, 844)
    manager.open(f"#token={made['token']}")
    manager.hook("devices-link").click()
    manager.hook("firmware-link").click()
    first, second = (manager.hook("firmware-node", f'[data-name="{name}"]') for name in NODES)
    expect(first).to_contain_text("试运行")
    expect(manager.hook("firmware-file")).to_have_count(0)
    manager.hook("rollout-stop").click()
    expect(manager.hook("rollout-outcome")).to_have_text("已停止")
    expect(manager.hook("rollout-reason")).to_have_text("陈经理 停止了升级")
    expect(manager.hook("rollout-stop")).to_have_count(0)
    expect(second).to_contain_text("没有开始")
    shoot(manager, shots, "firmware-stopped")
    manager.hook("language-switch").click()
    expect(manager.hook("rollout-reason")).to_have_text("stopped by 陈经理")
    shoot(manager, shots, "firmware-english")
    for one in (manager, desk):
        one.check()
        one.context.close()
